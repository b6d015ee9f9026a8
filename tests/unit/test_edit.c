#include "tui/edit.c"

#include "tests/unit/unit.h"

static void expect(const struct edit *e, const char *text, size_t pos) {
    cleanup_buf struct buf b = {0};

    edit_text(e, &b);
    buf_u8(&b, 0);
    assert_string_equal((char *)b.p, text);
    assert_int_equal(edit_pos(e), pos);
}

static void type(struct edit *e, const char *s) {
    for (; *s; s++)
        assert_true(edit_insert(e, (uint32_t)*s));
}

static void typing(void **state) {
    struct edit *e = edit_new(10, true);

    (void)state;
    type(e, "hello");
    edit_do(e, EDIT_HOME);
    type(e, "x");
    expect(e, "xhello", 1);
    edit_do(e, EDIT_DELETE);
    edit_do(e, EDIT_BACKSPACE);
    expect(e, "ello", 0);
    edit_do(e, EDIT_BACKSPACE);
    expect(e, "ello", 0);
    edit_do(e, EDIT_END);
    edit_do(e, EDIT_DELETE);
    assert_false(edit_full(e));
    type(e, "123456");
    assert_true(edit_full(e));
    assert_false(edit_insert(e, 'z'));
    expect(e, "ello123456", 10);
    edit_free(e);
}

static void refuses_what_cannot_show(void **state) {
    struct edit *e = edit_new(100, false);

    (void)state;
    assert_false(edit_insert(e, 0x1b));
    assert_false(edit_insert(e, 0x202e)); /* right-to-left override */
    assert_false(edit_insert(e, 0x9b));
    assert_false(edit_insert(e, 0));
    assert_int_equal(edit_paste(e, view_str("a\033[31mb\nc\td\xff")), 11);
    expect(e, "a[31mb c d\xef\xbf\xbd", 11);
    edit_free(e);
}

static void marks_move_with_their_letter(void **state) {
    struct edit *e = edit_new(100, false);

    (void)state;
    edit_paste(e, view_str("ae\xcc\x81z")); /* e + combining acute */
    edit_do(e, EDIT_LEFT);
    assert_int_equal(edit_pos(e), 3);
    edit_do(e, EDIT_LEFT);
    assert_int_equal(edit_pos(e), 1);
    edit_do(e, EDIT_RIGHT);
    assert_int_equal(edit_pos(e), 3);
    edit_do(e, EDIT_BACKSPACE);
    expect(e, "az", 1);
    edit_free(e);
}

static void words_and_kill(void **state) {
    struct edit *e = edit_new(100, true);

    (void)state;
    type(e, "one two  three");
    edit_do(e, EDIT_WORD_LEFT);
    assert_int_equal(edit_pos(e), 9);
    edit_do(e, EDIT_WORD_LEFT);
    edit_do(e, EDIT_WORD_LEFT);
    edit_do(e, EDIT_WORD_LEFT);
    assert_int_equal(edit_pos(e), 0);
    edit_do(e, EDIT_WORD_RIGHT);
    assert_int_equal(edit_pos(e), 3);
    edit_do(e, EDIT_KILL_END);
    expect(e, "one", 3);
    edit_do(e, EDIT_HOME);
    edit_do(e, EDIT_YANK);
    expect(e, " two  threeone", 11);
    edit_do(e, EDIT_KILL_WORD);
    expect(e, " two  one", 6);
    edit_do(e, EDIT_KILL_START);
    expect(e, "one", 0);
    edit_do(e, EDIT_CLEAR);
    expect(e, "", 0);
    edit_free(e);
}

static void lines_then_history(void **state) {
    struct edit *e = edit_new(100, true);

    (void)state;
    type(e, "first");
    edit_remember(e);
    type(e, "second");
    edit_remember(e);
    edit_remember(e); /* nothing to remember */
    edit_paste(e, view_str("ab\nlonger"));
    edit_do(e, EDIT_UP);
    assert_int_equal(edit_pos(e), 2);
    edit_do(e, EDIT_UP);
    expect(e, "second", 6);
    edit_do(e, EDIT_UP);
    expect(e, "first", 5);
    edit_do(e, EDIT_UP);
    expect(e, "first", 5);
    edit_do(e, EDIT_DOWN);
    edit_do(e, EDIT_DOWN);
    expect(e, "ab\nlonger", 9);
    edit_do(e, EDIT_UP);
    edit_do(e, EDIT_DOWN);
    expect(e, "ab\nlonger", 5);
    edit_free(e);
}

static void history_is_bounded(void **state) {
    struct edit *e = edit_new(100, false);

    (void)state;
    for (int i = 0; i < HISTORY_MAX + 20; i++) {
        edit_insert(e, (uint32_t)('a' + i % 26));
        edit_remember(e);
    }
    for (int i = 0; i < 2 * HISTORY_MAX; i++)
        edit_do(e, EDIT_UP);
    expect(e, (char[]){(char)('a' + 20), 0}, 1);
    edit_free(e);
}

static void layout_wraps_and_scrolls(void **state) {
    struct edit *e = edit_new(100, true);
    struct edit_row rows[3];
    struct edit_place at;
    size_t first;

    (void)state;
    assert_int_equal(edit_layout(e, 5, rows, 3, &first, &at), 1);
    assert_int_equal(at.row, 0);
    edit_paste(e, view_str("abcdefg\nx\n"));
    assert_int_equal(edit_layout(e, 5, rows, 3, &first, &at), 4);
    assert_int_equal(first, 1);
    assert_int_equal(at.row, 3);
    assert_int_equal(at.col, 0);
    assert_int_equal(rows[0].from, 5);
    assert_int_equal(rows[0].to, 7);
    assert_int_equal(rows[2].from, 10);
    edit_do(e, EDIT_LEFT);
    edit_do(e, EDIT_LEFT);
    edit_do(e, EDIT_LEFT); /* before the first newline */
    edit_layout(e, 5, rows, 3, &first, &at);
    assert_int_equal(first, 0);
    assert_int_equal(at.row, 1);
    assert_int_equal(at.col, 2);
    edit_free(e);
}

static void layout_never_splits_wide(void **state) {
    struct edit *e = edit_new(100, true);
    struct edit_row rows[4];
    struct edit_place at;
    size_t first;

    (void)state;
    edit_paste(e, view_str("a\xe6\xbc\xa2\xe5\xad\x97"));
    assert_int_equal(edit_layout(e, 2, rows, 4, &first, &at), 3);
    assert_int_equal(rows[0].to, 1);
    assert_int_equal(rows[1].to, 2);
    assert_int_equal(at.col, 2);
    edit_free(e);
}

static void big_paste(void **state) {
    struct edit *e = edit_new((size_t)1 << 20, true);
    cleanup_buf struct buf big = {0};

    (void)state;
    for (int i = 0; i < 200000; i++)
        buf_str(&big, "0123456789\n");
    assert_int_equal(edit_paste(e, buf_view(&big)), (size_t)1 << 20);
    assert_int_equal(edit_len(e), (size_t)1 << 20);
    assert_int_equal(edit_paste(e, view_str("more")), 0);
    edit_free(e);
}

/* The layout kept from before gives what one made anew does, whatever was done between. */
static void layout_follows_every_change(void **state) {
    static const char *const WORDS[] = {"a",    "\n",           "word ", "\xe6\xbc\xa2",
                                        "\n\n", "longer words "};
    struct edit *e = edit_new(400, true), *fresh;
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct edit_row a[3], b[3];
        struct edit_place at, want;
        cleanup_buf struct buf text = {0};
        size_t first, first_b, n;

        seed = seed * 1664525u + 1013904223u;
        if (seed >> 28 < 8)
            edit_paste(e, view_str(WORDS[(seed >> 16) % COUNT(WORDS)]));
        else if (seed >> 28 < 15)
            edit_do(e, (enum edit_op)((seed >> 16) % (EDIT_CLEAR)));
        else
            edit_remember(e);
        edit_text(e, &text);
        fresh = edit_new(400, true);
        edit_paste(fresh, buf_view(&text));
        while (edit_pos(fresh) > edit_pos(e))
            fresh->pos--;
        n = edit_layout(e, 7 + i / 1000, a, 3, &first, &at);
        assert_int_equal(n, edit_layout(fresh, 7 + i / 1000, b, 3, &first_b, &want));
        assert_int_equal(first, first_b);
        assert_true(at.row == want.row && at.col == want.col);
        for (size_t k = 0; k < 3 && first + k < n; k++)
            assert_true(a[k].from == b[k].from && a[k].to == b[k].to);
        edit_free(fresh);
    }
    edit_free(e);
}

static void long_history_is_bounded(void **state) {
    struct edit *e = edit_new(HISTORY_CHARS * 2, true);
    cleanup_buf struct buf text = {0};

    (void)state;
    while (text.n < HISTORY_CHARS / 4)
        buf_str(&text, "much ");
    for (int i = 0; i < 20; i++) {
        edit_set(e, buf_view(&text));
        edit_remember(e);
    }
    assert_true(e->n_history > 1 && e->n_history < 5);
    while (text.n <= HISTORY_CHARS)
        buf_str(&text, "more ");
    edit_set(e, buf_view(&text));
    edit_remember(e);
    edit_do(e, EDIT_UP);
    assert_true(edit_len(e) < HISTORY_CHARS / 2);
    edit_free(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing),
        cmocka_unit_test(refuses_what_cannot_show),
        cmocka_unit_test(marks_move_with_their_letter),
        cmocka_unit_test(words_and_kill),
        cmocka_unit_test(lines_then_history),
        cmocka_unit_test(history_is_bounded),
        cmocka_unit_test(layout_wraps_and_scrolls),
        cmocka_unit_test(layout_never_splits_wide),
        cmocka_unit_test(big_paste),
        cmocka_unit_test(layout_follows_every_change),
        cmocka_unit_test(long_history_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
