#include "tui/cli_ask_print.c"
#include "tests/unit/unit.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands on stdout and stderr, caught in two files. */
static char dir[64], out_text[16384], err_text[16384];
static struct ask_args args;
static struct ask_out *o;
static FILE *out_file, *err_file;
static int out_fd, err_fd;

static int drop(const char *path, const struct stat *st, int type, struct FTW *f) {
    (void)st, (void)type, (void)f;
    return remove(path);
}

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-print-XXXXXX");
    assert_non_null(mkdtemp(dir));
    args = (struct ask_args){0};
    args.set.out = dir;
    o = ask_out_new(&args);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    ask_out_free(o);
    nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void catch_begin(void) {
    fflush(NULL);
    out_file = tmpfile();
    err_file = tmpfile();
    out_fd = dup(1);
    err_fd = dup(2);
    dup2(fileno(out_file), 1);
    dup2(fileno(err_file), 2);
}
static void slurp(FILE *f, char *text, size_t cap) {
    rewind(f);
    text[fread(text, 1, cap - 1, f)] = 0;
    fclose(f);
}
static void catch_end(void) {
    fflush(NULL);
    dup2(out_fd, 1);
    dup2(err_fd, 2);
    close(out_fd);
    close(err_fd);
    slurp(out_file, out_text, sizeof out_text);
    slurp(err_file, err_text, sizeof err_text);
}

static void show(const struct session_event *ev) {
    catch_begin();
    ask_event(o, NULL, ev);
    catch_end();
}

static void delta(const char *text) {
    struct session_event ev = {.type = SE_DELTA, .text = view_str(text)};

    show(&ev);
}
static void answer(const char *text, const char *code) {
    struct session_event ev = {.type = SE_ANSWER, .text = view_str(text), .code = code};

    show(&ev);
}

static void a_streamed_answer_is_printed_once(void **state) {
    (void)state;
    delta("Hello, ");
    assert_string_equal(out_text, "Hello, ");
    delta("wor");
    answer("Hello, world", NULL);
    assert_string_equal(out_text, "ld\n");
    answer("Second", NULL); /* the stream of the first is forgotten */
    assert_string_equal(out_text, "Second\n");
}

static void an_answer_that_differs_is_printed_whole(void **state) {
    (void)state;
    delta("Helo");
    answer("Hello\n", NULL);
    assert_string_equal(out_text, "\nHello\n");
}

static void a_failed_answer_is_an_error(void **state) {
    (void)state;
    answer("near \"SELEC\": syntax error", "bad-sql");
    assert_string_equal(out_text, "");
    assert_non_null(strstr(err_text, "syntax error (bad-sql)"));
}

static void hostile_text_is_disarmed(void **state) {
    (void)state;
    delta("a\x1b]0;title\x07"
          "b\xe2\x80\xae"
          "c");
    assert_null(strchr(out_text, 0x1b));
    assert_null(strchr(out_text, 0x07));
    assert_null(strstr(out_text, "\xe2\x80\xae"));
    answer("x\x1b[2J", "bad\x1b[2J");
    assert_null(strchr(err_text, 0x1b));
}

static void a_table_is_aligned(void **state) {
    cJSON *json = json_parse(
        view_str(
            "{\"columns\":[\"region\",\"n\"],\"rows\":[[\"north\",17],[\"x\\u001b[2J\",5],[null],"
            "7,[1,2,3]],\"total\":9}"),
        4096, NULL);
    struct session_event ev = {.type = SE_TABLE, .json = json};

    (void)state;
    assert_non_null(json);
    show(&ev);
    assert_non_null(strstr(out_text, "north"));
    assert_non_null(strstr(out_text, "17"));
    assert_non_null(strstr(out_text, "5 of 9 rows"));
    assert_null(strchr(out_text, 0x1b));
    cJSON_Delete(json);
}

static void json_is_one_object_a_line(void **state) {
    cJSON *json;

    (void)state;
    args.json = true;
    delta("a\nb");
    assert_int_equal(strcspn(out_text, "\n"), strlen(out_text) - 1);
    json = json_parse(view_str(out_text), 4096, NULL);
    assert_non_null(json);
    assert_string_equal(json_opt(json, "event"), "delta");
    assert_string_equal(json_opt(json, "text"), "a\nb");
    assert_null(cJSON_GetObjectItemCaseSensitive(json, "simulated"));
    cJSON_Delete(json);
    o->simulated = true;
    delta("c");
    assert_non_null(strstr(out_text, "\"simulated\":true"));
    assert_string_equal(err_text, "");
}

static void progress_says_simulated(void **state) {
    struct session_event ev = {.type = SE_NOTICE, .code = "x", .text = view_str("y")};

    (void)state;
    show(&ev);
    assert_null(strstr(err_text, "SIMULATED"));
    o->simulated = true;
    show(&ev);
    assert_non_null(strstr(err_text, "SIMULATED"));
}

static void sources(const char *json) {
    cJSON *list = json_parse(view_str(json), 1 << 16, NULL);
    struct session_event ev = {.type = SE_SOURCES, .json = list};

    assert_non_null(list);
    show(&ev);
    cJSON_Delete(list);
}
#define TWO                                                                                        \
    "[{\"doc\":\"lease.md\",\"offset\":7,\"score\":3,\"snippet\":\"Notice:\\u001b[2J three.\"},"   \
    "{\"doc\":\"b\\u202e.txt\",\"snippet\":\"other\"}]"

static void sources_stand_under_their_answer(void **state) {
    (void)state;
    sources(TWO);
    assert_string_equal(out_text, "");
    delta("Three");
    answer("Three months [1].", NULL);
    assert_non_null(
        strstr(out_text, " months [1].\n\nFrom these passages:\n[1] lease.md, at byte 7: "));
    assert_non_null(strstr(out_text, "[2] b"));
    assert_null(strchr(out_text, 0x1b));
    assert_null(strstr(out_text, "\xe2\x80\xae"));
    answer("Another.", NULL); /* which was made from none */
    assert_string_equal(out_text, "Another.\n");
}

static void sources_in_json_are_disarmed(void **state) {
    (void)state;
    args.json = true;
    sources(TWO);
    assert_non_null(strstr(out_text, "\"sources\":[{\"doc\":\"lease.md\",\"offset\":7,"
                                     "\"score\":3,\"snippet\":\"Notice:"));
    assert_null(strstr(out_text, "u001b"));
    assert_null(strstr(out_text, "\xe2\x80\xae"));
}

static void the_model_is_named_with_its_size(void **state) {
    cJSON *caps = cJSON_Parse("[\"model:SmolLM2-135M-Instruct\",\"parameters:134515008\"]");
    struct session_event ev = {.type = SE_READY, .text = view_str("chat"), .json = caps};

    (void)state;
    o->model.chats = true;
    show(&ev);
    assert_non_null(strstr(err_text, "model: SmolLM2-135M-Instruct, 135 M parameters"));
    assert_non_null(strstr(err_text, "very small"));
    args.json = true;
    show(&ev);
    assert_non_null(strstr(out_text,
                           "\"model\":{\"name\":\"SmolLM2-135M-Instruct\",\"parameters\":134515008,"
                           "\"said_by_guest\":true}"));
    cJSON_Delete(caps);
}

static void progress_is_not_a_flood(void **state) {
    struct session_event ev = {.type = SE_PROGRESS, .total = 100, .text = view_str("tokens")};

    (void)state;
    ev.note = "reading\x1b[2J";
    show(&ev);
    assert_non_null(strstr(err_text, "0 of 100 tokens, reading"));
    assert_null(strchr(err_text, 0x1b));
    ev.done = 1;
    show(&ev);
    assert_string_equal(err_text, ""); /* too soon after */
    ev.done = 100;
    show(&ev);
    assert_non_null(strstr(err_text, "100 of 100 tokens"));
}

static void save(const char *name, const char *text) {
    struct xfer_meta m;
    struct err e;

    xfer_meta_init(&m, name, "text/csv", "file", NULL, view_str(text));
    catch_begin();
    if (ask_save(o, &m, view_str(text), &e))
        fail_msg("%s", e.text);
    catch_end();
}

static void expect_file(const char *name, const char *text) {
    cleanup_free char *path = mem_fmt("%s/%s", dir, name);
    struct buf b = {0};
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(file_read(path, 1000, &b, NULL), 0);
    assert_true(view_is(buf_view(&b), text));
    buf_free(&b);
    assert_non_null(strstr(out_text, path));
}

static void files_are_never_overwritten(void **state) {
    (void)state;
    save("result.csv", "one");
    expect_file("result.csv", "one");
    assert_non_null(
        strstr(out_text, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"));
    save("result.csv", "two");
    expect_file("result-1.csv", "two");
    save("../result.csv", "three");
    expect_file("result-2.csv", "three");
    save("noextension", "x");
    save("noextension", "y");
    expect_file("noextension-1", "y");
}

static void a_link_in_the_way_is_not_followed(void **state) {
    cleanup_free char *link = mem_fmt("%s/result.csv", dir), *target = mem_fmt("%s/target", dir);

    (void)state;
    assert_int_equal(symlink(target, link), 0); /* dangling: access() does not see it */
    save("result.csv", "x");
    expect_file("result-1.csv", "x");
    assert_int_not_equal(access(target, F_OK), 0);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_streamed_answer_is_printed_once),
        T(an_answer_that_differs_is_printed_whole),
        T(a_failed_answer_is_an_error),
        T(hostile_text_is_disarmed),
        T(a_table_is_aligned),
        T(json_is_one_object_a_line),
        T(progress_says_simulated),
        T(sources_stand_under_their_answer),
        T(sources_in_json_are_disarmed),
        T(the_model_is_named_with_its_size),
        T(progress_is_not_a_flood),
        T(files_are_never_overwritten),
        T(a_link_in_the_way_is_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
