#include "tui/clipboard.c"

#include <string.h>

#include "tests/unit/unit.h"

static void writes_and_never_asks(void **state) {
    cleanup_buf struct buf b = {0};
    struct err e;

    (void)state;
    assert_int_equal(clipboard_bytes(view_str("npub1 c4d9\n"), &b, &e), 0);
    assert_true(view_is(buf_view(&b), "\033]52;c;bnB1YjEgYzRkOQo=\a"));
}

/* Whatever is copied, nothing but the frame and base64 reaches the terminal. */
static void hostile_text_stays_inside(void **state) {
    static const char *const HOSTILE[] = {
        "a\a\033]52;c;?\a",
        "\xe2\x80\xae"
        "rtl",
        "\x9b"
        "31m",
        "x\033\\\033]0;t\a",
        "?",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(HOSTILE); i++) {
        cleanup_buf struct buf b = {0}, back = {0};
        struct err e;

        assert_int_equal(clipboard_bytes(view_str(HOSTILE[i]), &b, &e), 0);
        assert_memory_equal(b.p, "\033]52;c;", 7);
        assert_int_equal(b.p[b.n - 1], '\a');
        assert_true(base64_decode(view_of(b.p + 7, b.n - 8), &back));
        for (size_t k = 0; k < back.n; k++)
            assert_true(back.p[k] >= 0x20 && back.p[k] != 0x7f && back.p[k] != 0x9b);
        assert_null(memmem(back.p, back.n, "\xe2\x80\xae", 3));
    }
}

static void bounded(void **state) {
    cleanup_buf struct buf much = {0}, b = {0};
    struct err e;

    (void)state;
    while (much.n < CLIPBOARD_MAX)
        buf_str(&much, "x");
    assert_int_equal(clipboard_bytes(buf_view(&much), &b, &e), 0);
    assert_true(b.n < 100000);
    buf_reset(&b);
    buf_str(&much, "x");
    assert_int_equal(clipboard_bytes(buf_view(&much), &b, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(clipboard_bytes(view_str(""), &b, &e), -1);
    assert_int_equal(clipboard_bytes(view_str("\033"), &b, &e), -1);
    assert_string_equal(e.code, "empty");
    assert_int_equal(b.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_never_asks),
        cmocka_unit_test(hostile_text_stays_inside),
        cmocka_unit_test(bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
