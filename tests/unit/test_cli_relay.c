#include "provider/cli_relay.c"
#include "tests/unit/unit.h"

static int options(struct settings *s, int argc, const char *const words[]) {
    char *argv[16];

    *s = (struct settings){0};
    opterr = 0;
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)(uintptr_t)words[i];
    argv[argc] = NULL;
    return take_options(s, argc, argv);
}
#define OPTIONS(s, ...)                                                                            \
    options(s, (int)COUNT(((const char *[]){"relay", __VA_ARGS__})),                               \
            (const char *[]){"relay", __VA_ARGS__})

static void takes_its_options(void **state) {
    struct settings s;

    (void)state;
    assert_int_equal(OPTIONS(&s, "--port", "0", "--db", "/x", "--bind", "::1", "--rate", "7",
                             "--pow=12", "--max-blob", "3", "--url", "wss://h", "--verbose"),
                     0);
    assert_int_equal(s.o.port, 0);
    assert_string_equal(s.o.path, "/x");
    assert_string_equal(s.o.bind, "::1");
    assert_int_equal(s.o.events_per_s, 7);
    assert_int_equal(s.o.min_pow, 12);
    assert_int_equal(s.o.max_blob, 3 << 20);
    assert_string_equal(s.o.url, "wss://h");
    assert_true(s.verbose);
}

static void refuses_what_it_does_not_know(void **state) {
    struct settings s;

    (void)state;
    assert_int_equal(OPTIONS(&s, "--port", "65536"), -1);
    assert_int_equal(OPTIONS(&s, "--port", ""), -1);
    assert_int_equal(OPTIONS(&s, "--port", "-1"), -1);
    assert_int_equal(OPTIONS(&s, "--port", "7x"), -1);
    assert_int_equal(OPTIONS(&s, "--pow", "257"), -1);
    assert_int_equal(OPTIONS(&s, "--nonsense"), -1);
    assert_int_equal(OPTIONS(&s, "word"), -1);
    assert_int_equal(OPTIONS(&s, "--db"), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_its_options),
        cmocka_unit_test(refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
