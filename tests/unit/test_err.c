#include "core/err.c"
#include <errno.h>

#include "tests/unit/unit.h"

static void reads_as_a_chain(void **state) {
    struct err e;

    (void)state;
    assert_int_equal(err_set(&e, "bad-request", "'%s' is not a number", "x"), -1);
    assert_int_equal(err_wrap(&e, "price"), -1);
    err_wrap(&e, "cannot read %s", "offer");
    assert_string_equal(e.code, "bad-request");
    assert_string_equal(e.text, "cannot read offer: price: 'x' is not a number");
    err_sys(&e, ENOENT, "cannot open '%s'", "f");
    assert_string_equal(e.code, "system");
    assert_string_equal(e.text, "cannot open 'f': No such file or directory");
}

static void nobody_listening_is_legal(void **state) {
    (void)state;
    assert_int_equal(err_set(NULL, "x", "y"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
    assert_int_equal(err_sys(NULL, ENOENT, "x"), -1);
}

/* The euro sign is three bytes: a cut at any place leaves whole ones. */
static void a_long_text_is_cut_between_signs(void **state) {
    char longer[1000];
    struct err e;

    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        memset(longer, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof longer; i += 3)
            memcpy(longer + i, "\xe2\x82\xac", 4);
        err_set(&e, "c", "%s", longer);
        assert_int_equal((strlen(e.text) - shift) % 3, 0);
        assert_in_range(strlen(e.text), sizeof e.text - 4, sizeof e.text - 1);
        err_wrap(&e, "context");
        assert_int_equal((strlen(e.text) - shift) % 3, strlen("context: ") % 3);
        err_wrap(&e, "%s", longer);
        assert_int_equal((strlen(e.text) - shift) % 3, 0);
    }
}

static void a_long_code_is_cut(void **state) {
    struct err e;

    (void)state;
    err_set(&e, "0123456789012345678901234567890123456789", "x");
    assert_int_equal(strlen(e.code), sizeof e.code - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_a_chain),
        cmocka_unit_test(nobody_listening_is_legal),
        cmocka_unit_test(a_long_text_is_cut_between_signs),
        cmocka_unit_test(a_long_code_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
