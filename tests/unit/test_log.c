#include "core/log.c"
#include <unistd.h>

#include "tests/unit/unit.h"

/* Both ends of a pipe that the log writes to. */
static int ends[2];
static char got[16384];

static const char *logged(void) {
    ssize_t n = read(ends[0], got, sizeof got - 1);

    assert_true(n >= 0);
    got[n] = 0;
    return got;
}

static int open_pipe(void **state) {
    (void)state;
    return pipe(ends);
}

static int close_pipe(void **state) {
    (void)state;
    log_to(-1, LOG_INFO, false);
    return close(ends[0]) | close(ends[1]);
}

static void one_line_each(void **state) {
    (void)state;
    log_to(ends[1], LOG_INFO, false);
    log_line(LOG_WARN, "relay", "lost %d", 3);
    assert_string_equal(logged(), "warn  relay: lost 3\n");
}

static void levels_above_stay_out(void **state) {
    (void)state;
    log_to(ends[1], LOG_WARN, false);
    log_line(LOG_INFO, "relay", "no");
    log_line(LOG_ERROR, "relay", "yes");
    assert_string_equal(logged(), "error relay: yes\n");
}

static void control_bytes_are_escaped(void **state) {
    (void)state;
    log_to(ends[1], LOG_INFO, false);
    log_line(LOG_INFO, "x", "%s", "a\nb\x1b]0;t\x07\x7f\xc2\x9b\xc2\xa0\xe2\x80\xae\xc2");
    assert_string_equal(logged(), "info  x: a\\x0ab\\x1b]0;t\\x07\\x7f\\x9b\xc2\xa0\\u202e\\xc2\n");
}

static void a_long_line_still_ends(void **state) {
    cleanup_free char *big = mem_new(20000);

    (void)state;
    memset(big, 1, 19999);
    log_to(ends[1], LOG_INFO, false);
    log_line(LOG_INFO, "x", "%s", big);
    (void)logged();
    assert_in_range(strlen(got), 4000, 8300);
    assert_int_equal(got[strlen(got) - 1], '\n');
    assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

static void stamps_are_utc(void **state) {
    static const char shape[] = "DDDD-DD-DDTDD:DD:DD.DDDZ info  x: y\n";

    (void)state;
    log_to(ends[1], LOG_INFO, true);
    log_line(LOG_INFO, "x", "y");
    (void)logged();
    assert_int_equal(strlen(got), strlen(shape));
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == 'D')
            assert_in_range(got[i], '0', '9');
        else
            assert_int_equal(got[i], shape[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_line_each, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(levels_above_stay_out, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(control_bytes_are_escaped, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(a_long_line_still_ends, open_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(stamps_are_utc, open_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
