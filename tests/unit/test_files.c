/* Files both ways: the guard before one goes, names and places when one is saved, the transcript.
 */
#include "tui/app_save.c"

#include <unistd.h>

#include "tests/unit/tui_world.h"

static char dir[64];

static char *path_in(const char *name) {
    return mem_fmt("%s/%s", dir, name);
}

static void file_put(const char *name, const char *text) {
    cleanup_free char *path = path_in(name);
    struct err e;

    assert_int_equal(file_write(path, view_str(text), 0600, true, &e), 0);
}

static void expect_file(const char *name, const char *text) {
    cleanup_free char *path = path_in(name);
    cleanup_buf struct buf b = {0};
    struct stat sb;
    struct err e;

    assert_int_equal(file_read(path, 100000, &b, &e), 0);
    assert_true(view_is(buf_view(&b), text));
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
}

static void file_arrives(struct app *a, const char *name, const char *data) {
    static uint8_t last;
    struct xfer_meta m = {.size = strlen(data), .xid = {++last}};

    snprintf(m.name, sizeof m.name, "%s", name);
    happens(a, &(struct session_event){.type = SE_FILE, .meta = &m, .data = view_str(data)});
}

static struct app *app_saving(void) {
    struct app *a = app_ready();

    free((char *)a->conf.folder);
    a->conf.folder = mem_str(dir);
    return a;
}

/* The name that is proposed. */
static void expect_proposed(struct app *a, const char *name) {
    cleanup_buf struct buf b = {0};
    cleanup_free char *path = path_in(name);

    assert_int_equal(app_focus(a), SCR_WORD);
    prompt_text(&a->prompt, &b);
    buf_str(&b, "");
    assert_string_equal((char *)b.p, path);
}

static void a_free_name_is_proposed(void **st) {
    struct app *a = app_saving();

    (void)st;
    file_put("out.csv", "mine");
    file_arrives(a, "out.csv", "theirs");
    file_arrives(a, "README", "words");
    press(a, "/get 1", K_ENTER);
    expect_proposed(a, "out-2.csv");
    assert_non_null(strstr((char *)a->prompt.body.p, "out.csv already"));
    app_key(a, K_PASTED_ENTER); /* confirms nothing */
    assert_true(a->prompt.open);
    app_key(a, K_ENTER);
    expect_file("out.csv", "mine");
    expect_file("out-2.csv", "theirs");
    press(a, "/get out.csv", K_ENTER);
    expect_proposed(a, "out-3.csv");
    app_key(a, K_ESC);
    press(a, "/get README", K_ENTER);
    expect_proposed(a, "README");
    app_key(a, K_ENTER);
    expect_file("README", "words");
    press(a, "/get 3", K_ENTER);
    expect_status(a, "no such file came");
    app_done(a);
}

static void saves_where_it_is_told(void **st) {
    struct app *a = app_saving();
    cleanup_free char *line = mem_fmt("/get 1 %s", dir);
    cleanup_free char *exact = mem_fmt("/get 1 %s/named\\ so.txt", dir);
    cleanup_free char *link = path_in("link"), *over = mem_fmt("/get 1 %s", link);
    cleanup_free char *nowhere = mem_str("/get 1 /nonexistent/x");
    struct stat sb;

    (void)st;
    file_arrives(a, "told.txt", "x");
    press(a, line, K_ENTER); /* a folder: with the guest's name, so it is asked */
    expect_proposed(a, "told.txt");
    app_key(a, K_ENTER);
    expect_file("told.txt", "x");
    press(a, exact, K_ENTER);
    expect_file("named so.txt", "x");
    assert_int_equal(symlink("/nonexistent/target", link), 0);
    press(a, over, K_ENTER); /* a dangling link is a name in use */
    expect_proposed(a, "link-2");
    app_key(a, K_ENTER);
    expect_file("link-2", "x");
    assert_int_not_equal(stat(link, &sb), 0);
    press(a, nowhere, K_ENTER);
    expect_status(a, "cannot create");
    app_done(a);
}

/* What was proposed may be changed, but not into something that exists. */
static void nothing_is_written_over(void **st) {
    struct app *a = app_saving();
    cleanup_free char *mine = path_in("mine.txt");

    (void)st;
    file_put("mine.txt", "mine");
    file_arrives(a, "x.txt", "theirs");
    press(a, "/get", K_ENTER);
    app_key(a, K_CTRL('U'));
    press(a, mine, K_ENTER);
    expect_proposed(a, "mine-2.txt");
    app_key(a, K_CTRL('U'));
    press(a, dir, K_ENTER);
    assert_true(a->prompt.open);
    app_key(a, K_ESC);
    expect_file("mine.txt", "mine");
    app_done(a);
}

/* A name is a guest's word: no folder of it, no dot or dash before it, nothing that hides. */
static void hostile_names(void **st) {
    static const struct {
        const char *name, *safe;
    } NAMES[] = {
        {"../../etc/passwd", "passwd"},
        {"-rf", "rf"},
        {"..bashrc", "bashrc"},
        {"a\xe2\x80\xae"
         "fdp.exe",
         "a\xef\xbf\xbd"
         "fdp.exe"},
        {"x\033]0;t\a", "x\xef\xbf\xbd]0;t\xef\xbf\xbd"},
        {"..", "unnamed"},
    };

    (void)st;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        struct app *a = app_saving();
        struct xfer_meta m;

        xfer_meta_init(&m, NAMES[i].name, "text/plain", "file", NULL, view_str("x"));
        happens(a, &(struct session_event){.type = SE_FILE, .meta = &m, .data = view_str("x")});
        press(a, "/get", K_ENTER);
        expect_proposed(a, NAMES[i].safe);
        app_key(a, K_ESC);
        app_done(a);
    }
}

static void the_conversation_as_text(void **st) {
    struct app *a = app_saving();
    cleanup_free char *path = path_in("conversation-7f21.txt");
    cleanup_buf struct buf b = {0};
    struct stat sb;
    struct err e;

    (void)st;
    press(a, "what was asked", K_ENTER);
    happens(a, &(struct session_event){.type = SE_ANSWER,
                                       .id = a->job->turn[0].id,
                                       .text = view_str("what\033[2J was\nsaid")});
    app_prepare(a);
    press(a, "/save", K_ENTER);
    expect_proposed(a, "conversation-7f21.txt");
    app_key(a, K_ENTER);
    assert_int_equal(file_read(path, 100000, &b, &e), 0);
    buf_str(&b, "");
    assert_non_null(strstr((char *)b.p, "what was asked  (answered)"));
    assert_non_null(strstr((char *)b.p, "verdict WARN, SIMULATED"));
    assert_non_null(strstr((char *)b.p, "\n             said\n"));
    assert_null(strchr((char *)b.p, '\033'));
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
    press(a, "/save", K_ENTER);
    expect_proposed(a, "conversation-7f21-2.txt");
    app_key(a, K_ESC);
    app_done(a);
}

/* --- the screen --- */

static void the_screen_of_files(void **st) {
    struct app *a = app_saving();
    struct xfer_meta up = {.name = "mine.csv", .size = 1000, .xid = {0x77}};

    (void)st;
    app_key(a, K_ALT('5'));
    assert_int_equal(a->screen, SCR_FILES);
    app_prepare(a);
    press(a, "w", 0);
    expect_status(a, "no file came or went yet");
    press(a, "c", 0);
    expect_status(a, "nothing to copy");
    happens(a, &(struct session_event){.type = SE_FILE_UP, .meta = &up, .done = 10});
    file_arrives(a, "in.csv", "data");
    app_prepare(a);
    press(a, "w", 0);
    expect_status(a, "that file is yours");
    press(a, "jw", 0);
    expect_proposed(a, "in.csv");
    app_key(a, K_ENTER);
    expect_file("in.csv", "data");
    expect_status(a, "saved");
    buf_reset(&world.log);
    press(a, "c", 0);
    assert_memory_equal(world.log.p, "copy 00000000", 13);
    press(a, "a", 0);
    assert_int_equal(a->screen, SCR_CHAT);
    app_key(a, K_F5);
    a->job->state = SESSION_ENDED;
    press(a, "a", 0);
    expect_status(a, "not sent: the job is over");
    app_done(a);
}

static void whom_it_goes_to_comes_first(void **st) {
    struct app *a = app_ready();
    const char *body;

    (void)st;
    press(a, "/attach LICENSE README.md", K_ENTER);
    assert_int_equal(app_focus(a), SCR_YESNO);
    buf_str(&a->prompt.body, "");
    body = (char *)a->prompt.body.p;
    assert_memory_equal(body, "to guest c4d9 51fe", 18);
    assert_non_null(strstr(body, "verdict WARN, SIMULATED"));
    assert_true(strstr(body, "LICENSE") > strstr(body, "verdict"));
    app_paste(a, view_str("y\n"), false);
    app_key(a, K_ENTER); /* the default is no */
    assert_false(a->prompt.open);
    app_done(a);
}

static int make_dir(void **st) {
    (void)st;
    snprintf(dir, sizeof dir, "/tmp/cdvm-files-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **st) {
    static const char *const NAMES[] = {
        "out.csv", "out-2.csv", "README",   "told.txt", "named so.txt",
        "link",    "link-2",    "mine.txt", "in.csv",   "conversation-7f21.txt"};

    (void)st;
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        cleanup_free char *path = path_in(NAMES[i]);

        unlink(path);
    }
    buf_free(&world.log);
    return rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_name_is_proposed),     cmocka_unit_test(saves_where_it_is_told),
        cmocka_unit_test(nothing_is_written_over),     cmocka_unit_test(hostile_names),
        cmocka_unit_test(the_conversation_as_text),    cmocka_unit_test(the_screen_of_files),
        cmocka_unit_test(whom_it_goes_to_comes_first),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
