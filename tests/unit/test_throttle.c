#include "core/throttle.c"
#include "tests/unit/unit.h"

static void free_until_refused(void **state) {
    struct throttle t = {0};

    (void)state;
    for (int64_t now = 0; now < 100; now++) {
        assert_int_equal(throttle_wait(&t, now), 0);
        throttle_sent(&t, now);
        throttle_taken(&t, now);
    }
    throttle_refused(&t, 90, 100);
    assert_int_equal(throttle_wait(&t, 100), GAP_FIRST_MS);
    assert_int_equal(throttle_wait(&t, 100 + GAP_FIRST_MS), 0);
}

static void a_burst_refused_at_once_counts_once(void **state) {
    struct throttle t = {0};

    (void)state;
    for (int i = 0; i < 50; i++)
        throttle_refused(&t, 10 + i, 1000 + i);
    assert_int_equal(t.gap, GAP_FIRST_MS);
    throttle_refused(&t, 2000, 2000);
    assert_int_equal(t.gap, GAP_FIRST_MS + GAP_FIRST_MS / 2);
}

static void the_gap_has_an_end(void **state) {
    struct throttle t = {0};
    int64_t now = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        now += throttle_wait(&t, now) + 1;
        throttle_refused(&t, now, now);
    }
    assert_int_equal(t.gap, GAP_MAX_MS);
    throttle_taken(&t, now + FORGET_MS + 1);
    assert_int_equal(t.gap, 0);
}

/* A relay that allows one event a second, and `burst` at once: nearly as many are taken, and few
 * sent in vain. */
static void finds_the_pace(void **state) {
    struct throttle t = {0};
    int64_t now = 0, tokens = 20 * 1000;
    unsigned taken = 0, refused = 0;

    (void)state;
    while (now < 300000) {
        int64_t wait = throttle_wait(&t, now) + 20; /* and the way there */

        now += wait;
        tokens = tokens + wait < 20 * 1000 ? tokens + wait : 20 * 1000;
        throttle_sent(&t, now);
        if (tokens >= 1000) {
            tokens -= 1000;
            taken++;
            throttle_taken(&t, now);
        } else {
            refused++;
            throttle_refused(&t, now, now);
        }
    }
    assert_true(taken >= 20 + 300 * 3 / 4);
    assert_true(refused * 5 < taken);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_until_refused),
        cmocka_unit_test(a_burst_refused_at_once_counts_once),
        cmocka_unit_test(the_gap_has_an_end),
        cmocka_unit_test(finds_the_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
