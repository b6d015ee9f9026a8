#include "tui/pace.c"
#include "tests/unit/unit.h"

static void expect(const struct pace *p, const char *unit, const char *want) {
    char words[120];

    pace_words(p, unit, words, sizeof words);
    assert_string_equal(words, want);
}

static void rate_and_rest(void **state) {
    struct pace p = {0};

    (void)state;
    pace_at(&p, 5000, 20, 240);
    expect(&p, "tokens", "20 of 240 tokens"); /* one look is no rate */
    pace_at(&p, 6000, 24, 240);
    expect(&p, "tokens", "24 of 240 tokens");
    pace_at(&p, 15000, 50, 240);
    expect(&p, "tokens", "50 of 240 tokens, 3.0/s, left 1 m 04 s");
    pace_at(&p, 25000, 200, 240);
    expect(&p, "", "200 of 240, 9.0/s, left 5 s");
    pace_at(&p, 35000, 240, 240);
    expect(&p, "tokens", "240 of 240 tokens, 7.3/s");
}

static void without_a_total(void **state) {
    struct pace p = {0};

    (void)state;
    pace_at(&p, 1, 0, 0);
    pace_at(&p, 10001, 1000, 0);
    expect(&p, "rows", "1000 rows, 100/s");
}

static void another_thing_begins_anew(void **state) {
    struct pace p = {0};

    (void)state;
    pace_at(&p, 1000, 10, 100);
    pace_at(&p, 9000, 90, 100);
    pace_at(&p, 9500, 2, 48);
    expect(&p, "tokens", "2 of 48 tokens");
    pace_at(&p, 11500, 6, 48);
    expect(&p, "tokens", "6 of 48 tokens, 2.0/s, left 21 s");
    pace_at(&p, 11600, UINT64_MAX, UINT64_MAX);
    pace_at(&p, 11600, 0, UINT64_MAX);
    expect(&p, "", "0 of 18446744073709551615");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_and_rest),
        cmocka_unit_test(without_a_total),
        cmocka_unit_test(another_thing_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
