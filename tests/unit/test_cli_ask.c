#include "tui/cli_ask.c"
#include "tests/unit/unit.h"

#include <unistd.h>

/* Options, configuration and exit codes; jobs themselves are tests/e2e. */
static char dir[64];

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-ask-XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("XDG_CONFIG_HOME", dir, 1);
    setenv("XDG_DATA_HOME", dir, 1);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    remove_tree(dir);
    return 0;
}

static void put_conf(const char *text) {
    cleanup_free char *path = conf_path(CONF_CONFIG, "cdvm.conf", NULL);

    assert_int_equal(file_write(path, view_str(text), 0600, true, NULL), 0);
}

/* Runs cli_ask with its output in a file; that file's text is in `said`. */
static char said[8192];
static int ask(const char *const *words) {
    char *argv[32] = {0};
    int argc = 0, code, out = dup(1), err = dup(2), fd;
    FILE *f = tmpfile();
    size_t n;

    for (; words[argc]; argc++)
        argv[argc] = mem_str(words[argc]);
    fflush(NULL);
    fd = fileno(f);
    dup2(fd, 1);
    dup2(fd, 2);
    code = cli_ask(argc, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(f);
    n = fread(said, 1, sizeof said - 1, f);
    said[n] = 0;
    fclose(f);
    while (argc)
        free(argv[--argc]);
    return code;
}
#define ASK(...) ask((const char *const[]){"ask", __VA_ARGS__, NULL})

static void help_is_complete(void **state) {
    (void)state;
    assert_int_equal(ASK("--help"), 0);
    for (size_t i = 0; options[i].name; i++) {
        cleanup_free char *flag = mem_fmt("--%s", options[i].name);

        if (strcmp(options[i].name, "help") != 0 && !strstr(said, flag))
            fail_msg("%s is not in the help", flag);
    }
}

static void usage_errors_are_64(void **state) {
    (void)state;
    assert_int_equal(ASK("--relay", "ws://127.0.0.1:1"), 64); /* no question */
    assert_int_equal(ASK("--relay", "ws://127.0.0.1:1", "two", "questions"), 64);
    assert_int_equal(ASK("--nonsense"), 64);
    assert_int_equal(ASK("--timeout", "soon", "q"), 64);
    assert_int_equal(ASK("--timeout", "0", "q"), 64);
    assert_int_equal(ASK("--param", "novalue", "q"), 64);
}

/* The word that was typed, also where one dash makes letters of it. */
static void a_wrong_option_is_named(void **state) {
    static const struct {
        const char *const words[4];
        const char *says;
    } rows[] = {
        {{"ask", "--nonsense", NULL}, "'--nonsense' is not an option"},
        {{"ask", "-x", NULL}, "'-x' is not an option"},
        {{"ask", "-help", NULL}, "'-help' is not an option"},
        {{"ask", "--json", "-xjson", NULL}, "'-xjson' is not an option"},
        {{"ask", "--json=1", "-help", NULL}, "'--json=1' takes no value"},
        {{"ask", "--relay", NULL}, "'--relay' wants a value"},
        {{"ask", "--p", NULL}, "'--p' is the beginning of several options"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(ask(rows[i].words), 64);
        if (!strstr(said, rows[i].says))
            fail_msg("'%s' does not say %s", said, rows[i].says);
    }
}

static void without_a_relay_it_says_what_to_do(void **state) {
    (void)state;
    assert_int_equal(ASK("q"), 78);
    assert_non_null(strstr(said, "--relay"));
    assert_non_null(strstr(said, "make demo"));
}

static void bad_configuration_is_78(void **state) {
    (void)state;
    assert_int_equal(ASK("--relay", "http://x", "q"), 78);
    assert_int_equal(ASK("--relay", "ws://127.0.0.1:1", "--blossom", "ftp://x", "q"), 78);
    put_conf("relya = ws://127.0.0.1:1\n");
    assert_int_equal(ASK("q"), 78);
    assert_non_null(strstr(said, "cdvm.conf:1"));
    put_conf("relay = ws://127.0.0.1:1\npolicy = /nonexistent\n");
    assert_int_equal(ASK("q"), 78);
}

/* Simulation is asked for on this run or not at all. */
static void demo_is_not_taken_from_a_file(void **state) {
    (void)state;
    put_conf("relay = ws://127.0.0.1:1\npolicy = demo\n");
    assert_int_equal(ASK("q"), 78);
    assert_non_null(strstr(said, "demo"));
}

static void an_unreachable_relay_is_69(void **state) {
    (void)state;
    put_conf("relay = ws://127.0.0.1:1\n");
    assert_int_equal(ASK("q"), 69);
    assert_non_null(strstr(said, "none of your relays"));
    assert_int_equal(ASK("--json", "q"), 69);
    assert_non_null(strstr(said, "\"code\":\"no-relay\""));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(help_is_complete),           T(usage_errors_are_64),
        T(a_wrong_option_is_named),    T(without_a_relay_it_says_what_to_do),
        T(bad_configuration_is_78),    T(demo_is_not_taken_from_a_file),
        T(an_unreachable_relay_is_69),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
