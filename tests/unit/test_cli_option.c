/* What is said of a word that is no option: the same by a daemon (confargs) as by a command
 * (cli_options) and by getopt's own table (test_cli_ask). */
#include <getopt.h>

#include "provider/cli_options.h"
#include "provider/confargs.h"
#include "tests/unit/unit.h"

struct values {
    bool dry_run;
    uint64_t port, portals;
};

static const struct conf_key KEYS[] = {
    {"dry-run", CONF_BOOL, offsetof(struct values, dry_run), 0, 0, NULL, ""},
    {"port", CONF_NUMBER, offsetof(struct values, port), 1, 65535, NULL, ""},
    {"portals", CONF_NUMBER, offsetof(struct values, portals), 1, 9, NULL, ""},
};

static int by_command(int argc, char **argv, struct err *e) {
    struct values v = {0};
    size_t n;

    return options_read(KEYS, COUNT(KEYS), argc, argv, &v, &n, e);
}

static int by_daemon(int argc, char **argv, struct err *e) {
    const struct confargs a = {KEYS, COUNT(KEYS), "none.conf"};
    struct values v = {0};

    return confargs_read(&a, argc, argv, &v, e);
}

static void a_wrong_option_is_named(void **state) {
    static const struct {
        const char *words[3];
        const char *says;
    } rows[] = {
        {{"--nonsense"}, "'--nonsense' is not an option"},
        {{"--dry-run", "-xyz"}, "'-xyz' is not an option"},
        {{"-x", "--dry-run"}, "'-x' is not an option"},
        {{"--dry-run=1"}, "'--dry-run=1' takes no value"},
        {{"--dry-run", "--port"}, "'--port' wants a value"},
        {{"--por=1"}, "'--por=1' is the beginning of several options"},
    };
    int (*const readers[])(int, char **, struct err *) = {by_command, by_daemon};

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * COUNT(readers); i++) {
        char *argv[5] = {mem_str("cdvm")};
        int argc = 1;
        struct err e;

        for (; argc < 4 && rows[i / 2].words[argc - 1]; argc++)
            argv[argc] = mem_str(rows[i / 2].words[argc - 1]);
        assert_int_equal(readers[i % 2](argc, argv, &e), -1);
        assert_string_equal(e.code, "usage");
        assert_string_equal(e.text, rows[i / 2].says);
        while (argc > 0)
            free(argv[--argc]);
    }
}

static void help_is_asked_for_by_word_and_letter(void **state) {
    char *words[][3] = {{"cdvm", "--help"}, {"cdvm", "-h"}};
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_int_equal(by_command(2, words[i], &e), 1);
        assert_int_equal(by_daemon(2, words[i], &e), 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_option_is_named),
        cmocka_unit_test(help_is_asked_for_by_word_and_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
