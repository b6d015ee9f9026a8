/* Passphrases without a screen: what a descriptor gives. */
#include "tui/askpass.c"

#include "tests/unit/unit.h"

static struct hidden *given(const char *text, size_t n, struct err *e) {
    struct hidden *h;
    int p[2];

    assert_int_equal(pipe(p), 0);
    assert_int_equal(write(p[1], text, n), (ssize_t)n);
    close(p[1]);
    h = askpass_fd(p[0], e);
    close(p[0]);
    return h;
}

static void the_first_line_counts(void **state) {
    static const char *const texts[] = {"p\xc3\xa4ss", "p\xc3\xa4ss\n", "p\xc3\xa4ss\nmore\n"};
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct hidden *h = given(texts[i], strlen(texts[i]), &e);

        assert_non_null(h);
        assert_true(view_is(hidden_view(h), "p\xc3\xa4ss"));
        hidden_free(h);
    }
}

static void nothing_and_too_much_are_refused(void **state) {
    cleanup_free char *big = mem_new(HIDDEN_MAX + 2);
    struct err e;

    (void)state;
    memset(big, 'x', HIDDEN_MAX + 1);
    assert_null(given(big, HIDDEN_MAX + 1, &e));
    assert_string_equal(e.code, "bad-passphrase");
    assert_null(given("", 0, &e));
    assert_null(given("\n", 1, &e));
    assert_null(given("a\x01z", 3, &e));
    assert_null(askpass_fd(-1, &e));
}

static void keys_edit_what_is_typed(void **state) {
    static const uint8_t keys[] = {'x', 'y', CTRL_U, 'a', 0xc3, 0xa4, DEL, 'b', '\r'};
    struct hidden *h = hidden_new();
    int more = 1;

    (void)state;
    for (size_t i = 0; i < sizeof keys; i++) {
        assert_int_equal(more, 1);
        more = take(h, keys[i]);
    }
    assert_int_equal(more, 0);
    assert_true(view_is(hidden_view(h), "ab"));
    assert_int_equal(take(h, CTRL_C), -1);
    hidden_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_counts),
        cmocka_unit_test(nothing_and_too_much_are_refused),
        cmocka_unit_test(keys_edit_what_is_typed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
