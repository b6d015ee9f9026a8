#include "tui/cli_ask_print.c"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands on stdout and stderr, caught in two files. */
static char dir[64], out_text[16384], err_text[16384];
static struct ask_args args;
static struct ask_out *o;
static FILE *out_file, *err_file;
static int out_fd, err_fd;

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
    remove_tree(dir);
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

/* --- the list of events in cdvm(1) --- */

static char *page;

/* The item of an event: from its own line to the next one. */
static char *item_of(const char *event) {
    cleanup_free char *head = mem_fmt(".It Li %s\n", event);
    const char *at = strstr(page, head), *end = at ? strstr(at + 1, "\n.It ") : NULL;
    const char *last = at ? strstr(at, "\n.El") : NULL;

    if (!at)
        fail_msg("event '%s' is not in cdvm(1)", event);
    return mem_strn(at + strlen(head), (size_t)((end && end < last ? end : last) - at));
}

static void each_member(const cJSON *json, const char *item, const char *event) {
    static const char *const common[] = {"event", "ms", "question", "simulated"};
    const cJSON *v;

    cJSON_ArrayForEach(v, json) {
        cleanup_free char *name = v->string ? mem_str(v->string) : NULL;
        bool known = !name;

        for (size_t i = 0; name && i < COUNT(common); i++)
            known |= !strcmp(common[i], name);
        if (!known && !strstr(item, name))
            fail_msg("'%s' of event '%s' is not in cdvm(1)", name, event);
        if (strcmp(event, "verdict") != 0)
            each_member(cJSON_IsArray(v) && !cJSON_IsObject(v->child) ? NULL : v, item, event);
    }
}

static void each_line(void) {
    char *rest = out_text, *line;

    while ((line = strsep(&rest, "\n")) && *line) {
        cJSON *json = json_parse(view_str(line), sizeof out_text, NULL);
        cleanup_free char *item = item_of(json_opt(json, "event"));

        each_member(json, item, json_opt(json, "event"));
        cJSON_Delete(json);
    }
}

static cJSON *json_of(const char *text) {
    cJSON *json = json_parse(view_str(text), 4096, NULL);

    assert_non_null(json);
    return json;
}

static void every_event_is_in_the_manual(void **state) {
    cJSON *table = json_of("{\"columns\":[\"n\"],\"rows\":[[\"1\"]],\"total\":1}");
    cJSON *passages = json_of("[{\"doc\":\"d\",\"offset\":1,\"score\":2,\"snippet\":\"s\"}]");
    cJSON *caps = json_of("[\"model:m\",\"parameters:5\",\"quantization:Q4\"]");
    const struct talk_usage usage = {1, 2, "stop"};
    const struct receipt receipt = {.reason = "end"};
    const struct teardown gone = {.exit_status = 0};
    struct buf text = {0};
    struct xfer_meta m;
    struct err e;
    const struct session_event events[] = {
        {.type = SE_PHASE, .text = view_str("t")},
        {.type = SE_NOTICE, .code = "c", .text = view_str("t")},
        {.type = SE_READY, .text = view_str("chat"), .json = caps},
        {.type = SE_DELTA, .text = view_str("t")},
        {.type = SE_PROGRESS, .done = 1, .total = 2, .text = view_str("u"), .note = "n"},
        {.type = SE_SOURCES, .json = passages},
        {.type = SE_TABLE, .json = table},
        {.type = SE_FILE_UP, .meta = &m},
        {.type = SE_FILE_FAILED, .meta = &m, .code = "c", .text = view_str("t")},
        {.type = SE_ANSWER, .text = view_str("t"), .usage = &usage},
        {.type = SE_ANSWER, .text = view_str("t"), .code = "c"},
        {.type = SE_RECEIPT, .receipt = &receipt},
        {.type = SE_TEARDOWN, .teardown = &gone},
    };

    (void)state;
    if (file_read("doc/cdvm.1", 1 << 20, &text, NULL))
        skip();
    page = (char *)text.p;
    args.json = true;
    o->model.chats = true;
    xfer_meta_init(&m, "f.csv", "text/csv", "file", NULL, view_str("x"));
    err_set(&e, "c", "t");
    for (size_t i = 0; i < COUNT(events); i++) {
        show(&events[i]);
        each_line();
    }
    catch_begin();
    ask_question(o, 1, 2, "q");
    ask_error(o, &e);
    ask_bundle_saved(o, "p");
    ask_offer(o, &(struct offer){.d = "d", .name = "n", .privacy = "sim"});
    assert_int_equal(ask_save(o, &m, view_str("x"), &e), 0);
    ask_ended(o, 0);
    catch_end();
    assert_non_null(strstr(out_text, "\"question\":1,"));
    each_line();
    free(item_of("state")); /* these two are seen whole in tests/e2e */
    free(item_of("verdict"));
    buf_free(&text);
    cJSON_Delete(table);
    cJSON_Delete(passages);
    cJSON_Delete(caps);
}

static void a_table_in_json_is_disarmed(void **state) {
    cJSON *json =
        json_of("{\"columns\":[\"a\\u001b[2J\"],\"rows\":[[\"b\\u202e\"],[null],[{\"x\":1}]]}");
    struct session_event ev = {.type = SE_TABLE, .json = json};

    (void)state;
    args.json = true;
    show(&ev);
    assert_non_null(strstr(out_text, "\"rows\":[[\"b\"],[null],[null]]"));
    assert_null(strstr(out_text, "u001b"));
    cJSON_Delete(json);
}

static void several_answers_are_told_apart(void **state) {
    (void)state;
    catch_begin();
    ask_question(o, 2, 3, "SELECT\n\x1b[2J 1");
    catch_end();
    assert_string_equal(out_text, "\n--- 2 of 3: SELECT \xef\xbf\xbd[2J 1\n");
    catch_begin();
    ask_question(o, 1, 1, "alone");
    catch_end();
    assert_string_equal(out_text, "");
}

static void a_token_is_shown_once_or_not_at_all(void **state) {
    struct secret *token = secret_from("cdvm-abc", 8);

    (void)state;
    catch_begin();
    ask_served(o, "127.0.0.1:8080", token, NULL);
    catch_end();
    assert_non_null(strstr(err_text, "OPENAI_BASE_URL=http://127.0.0.1:8080/v1\n"));
    assert_non_null(strstr(err_text, "OPENAI_API_KEY=cdvm-abc\n"));
    assert_null(strstr(strstr(err_text, "cdvm-abc") + 1, "cdvm-abc"));
    assert_string_equal(out_text, "");
    catch_begin();
    ask_served(o, "127.0.0.1:8080", NULL, "/run/token");
    catch_end();
    assert_non_null(strstr(err_text, "/run/token"));
    assert_null(strstr(err_text, "cdvm-abc"));
    secret_free(token);
}

static void states_have_colours_and_nothing_else(void **state) {
    static const char tree[] = "SIMULATED VERDICT PASS  policy demo\n"
                               "SIMULATED [PASS] a [FAIL] b\n"
                               "    SIMULATED [NOT CHECKED] c\n        SIMULATED got [WARN]\n";

    (void)state;
    o->colour = true;
    catch_begin();
    ask_tree(o, view_str(tree));
    catch_end();
    assert_string_equal(err_text, "SIMULATED \033[32;1mVERDICT PASS\033[0m  policy demo\n"
                                  "SIMULATED \033[32m[PASS]\033[0m a [FAIL] b\n"
                                  "    SIMULATED \033[2m[NOT CHECKED]\033[0m c\n"
                                  "        SIMULATED got [WARN]\n");
}

static void a_line_of_progress_is_taken_back(void **state) {
    struct session_event ev = {
        .type = SE_PROGRESS, .done = 1, .total = 9, .text = view_str("rows")};

    (void)state;
    o->live = true;
    show(&ev);
    assert_int_equal(err_text[0], '\r');
    assert_null(strchr(err_text, '\n'));
    catch_begin();
    ask_say(o, "next");
    catch_end();
    assert_int_equal(strncmp(err_text, "\r\033[K", 4), 0);
}

static void an_answer_that_cannot_be_written_is_kept(void **state) {
    cleanup_free char *kept = mem_fmt("%s/cdvm/rescued/answer.txt", dir);
    struct session_event ev = {.type = SE_ANSWER, .text = view_str("precious")};
    struct buf text = {0};
    struct err why;
    int out = dup(1), err = dup(2), full = open("/dev/full", O_WRONLY);

    (void)state;
    setenv("XDG_STATE_HOME", dir, 1);
    fflush(NULL);
    dup2(full, 1);
    dup2(full, 2);
    ask_question(o, 1, 1, "q");
    o->answering = true;
    ask_event(o, NULL, &ev);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    assert_true(ask_out_failed(o, &why));
    assert_string_equal(why.code, "no-output");
    assert_int_equal(file_read(kept, 100, &text, NULL), 0);
    assert_true(view_is(buf_view(&text), "precious"));
    buf_free(&text);
    close(out);
    close(err);
    close(full);
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
        T(every_event_is_in_the_manual),
        T(a_table_in_json_is_disarmed),
        T(several_answers_are_told_apart),
        T(a_token_is_shown_once_or_not_at_all),
        T(states_have_colours_and_nothing_else),
        T(a_line_of_progress_is_taken_back),
        T(an_answer_that_cannot_be_written_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
