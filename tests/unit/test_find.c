#include "tui/find.c"

#include <locale.h>

#include "tests/unit/unit.h"

static void expect(const char *words, const char *text, size_t from, size_t at, size_t len) {
    struct needle n = {0};
    size_t got = 0;

    needle_set(&n, view_str(words));
    assert_int_equal(needle_next(&n, view_str(text), from, &got), at);
    if (at != SIZE_MAX)
        assert_int_equal(got, len);
    needle_free(&n);
}

static void folds_case(void **state) {
    (void)state;
    expect("needle", "the NeEdLe", 0, 4, 6);
    expect("NEEDLE", "the needle", 0, 4, 6);
    expect("\xc3\xbc"
           "ber",
           "dar\xc3\x9c"
           "BER",
           0, 3, 5);
    expect("[", "{[", 0, 1, 1);                  /* no letters: nothing folds */
    expect("k", "\xe2\x84\xaa", 0, SIZE_MAX, 0); /* the Kelvin sign is no k */
}

static void goes_on(void **state) {
    struct needle n = {0};
    size_t len;

    (void)state;
    needle_set(&n, view_str("ab"));
    assert_int_equal(needle_next(&n, view_str("ab ab"), 1, &len), 3);
    assert_int_equal(needle_next(&n, view_str("ab ab"), 4, &len), SIZE_MAX);
    assert_int_equal(needle_last(&n, view_str("ab ab"), SIZE_MAX, &len), 3);
    assert_int_equal(needle_last(&n, view_str("ab ab"), 3, &len), 0);
    assert_int_equal(needle_last(&n, view_str("ab ab"), 0, &len), SIZE_MAX);
    needle_free(&n);
}

/* Both ways, from every place, as somebody would who reads letter by letter. */
static void finds_what_is_there(void **state) {
    static const char *const WORDS[] = {"a", "ab", "ba", "\xc3\xa4", "aB\xc3\x84", "b", "-"};
    static const char TEXT[] = "aAbaB-\xc3\xa4"
                               "b\xc3\x84"
                               "abAB\xc3\xa4-ba";

    (void)state;
    for (size_t w = 0; w < COUNT(WORDS); w++) {
        struct needle n = {0};
        struct view text = view_str(TEXT);
        size_t last = SIZE_MAX, len;

        needle_set(&n, view_str(WORDS[w]));
        for (size_t at = 0; at <= text.n; at++) {
            size_t want = SIZE_MAX;

            assert_int_equal(needle_last(&n, text, at, &len), last);
            for (size_t i = text.n; i-- > at;)
                if (stands_at(&n, text, i))
                    want = i;
            assert_int_equal(needle_next(&n, text, at, &len), want);
            if (at < text.n && stands_at(&n, text, at))
                last = at;
        }
        needle_free(&n);
    }
}

static void odd_ends(void **state) {
    (void)state;
    expect("", "text", 0, SIZE_MAX, 0);
    expect("abc", "ab", 0, SIZE_MAX, 0);
    expect("a", "", 0, SIZE_MAX, 0);
    expect("b",
           "\xff"
           "b",
           0, 1, 1);
    expect("\xff", "\xff", 0, SIZE_MAX, 0); /* broken words are no words */
}

static int utf8(void **state) {
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_case),
        cmocka_unit_test(goes_on),
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(odd_ends),
    };

    return cmocka_run_group_tests(tests, utf8, NULL);
}
