#include "tui/input.c"

#include "tests/unit/unit.h"

static struct buf seen;

static void on_key(void *arg, uint32_t key) {
    (void)arg;
    if (key == K_PASTED_ENTER)
        buf_str(&seen, "<pasted>");
    else if (key == K_ENTER)
        buf_str(&seen, "<enter>");
    else if (key == K_ESC)
        buf_str(&seen, "<esc>");
    else if (key & K_ALT(0))
        buf_fmt(&seen, "<alt %c>", (char)key);
    else if (key >= 0x110000)
        buf_fmt(&seen, "<%x>", key);
    else
        buf_u8(&seen, (uint8_t)key);
}

static void on_paste(void *arg, struct view text, bool cut) {
    (void)arg;
    buf_str(&seen, cut ? "{cut " : "{");
    buf_add(&seen, text.p, text.n < 40 ? text.n : 40);
    buf_str(&seen, "}");
}

static const struct input_handler H = {on_key, on_paste};

/* '(' and ')' stand for the brackets of a paste, '|' for a pause. */
static void play(bool brackets, const char *keys, const char *expected) {
    struct input *in = input_new(brackets, &H, NULL);

    buf_reset(&seen);
    for (; *keys; keys++) {
        if (*keys == '|')
            input_idle(in);
        else
            input_put(in, *keys == '('   ? (uint32_t)K_PASTE_BEGIN
                          : *keys == ')' ? (uint32_t)K_PASTE_END
                                         : (uint32_t)*keys);
    }
    input_idle(in);
    buf_u8(&seen, 0);
    assert_string_equal((char *)seen.p, expected);
    input_free(in);
}

static void plain_keys(void **state) {
    (void)state;
    play(true, "a|b|\r|", "ab<enter>");
    play(true, "\n|\b", "<enter>\x7f");
    play(true, "\033|", "<esc>");
    play(true, "\033|b", "<esc>b");
    play(true, "\033b", "<alt b>");
    play(true, "\033\033|", "<esc><esc>");
    play(true, "\033\r", "<alt \r>");
}

static void paste_is_one_piece(void **state) {
    (void)state;
    play(true, "(ab\rc\nd)|\r", "{ab\nc\nd}<enter>");
    play(true, "(a|b|c)", "{abc}");
    play(true, "(a\033[31m\007\177b\t)", "{a[31mb\t}");
    play(true, ")x", "x");
}

/* GHSA-h62m-39wp-xq3w's trick: a paste that carries its own end mark and then an Enter. */
static void smuggled_end_mark_sends_nothing(void **state) {
    (void)state;
    play(true, "(harmless)evil\r", "{harmless}evil<pasted>");
    play(true, "(harmless)evil\r\r)|\r", "{harmless}evil<pasted><pasted><enter>");
}

static void burst_without_brackets(void **state) {
    (void)state;
    play(false, "secret\r|\r", "secret<pasted><enter>");
    play(false, "a|\r", "a<enter>");
    play(true, "one\rtwo\r", "one<pasted>two<enter>");
}

static void lost_end_mark(void **state) {
    (void)state;
    play(true, "(abc|d|\003|x", "x");
    play(true, "(abc|\003d|)", "{abcd}");
}

static void paste_is_bounded(void **state) {
    struct input *in = input_new(true, &H, NULL);

    (void)state;
    buf_reset(&seen);
    input_put(in, K_PASTE_BEGIN);
    for (size_t i = 0; i < PASTE_MAX + 10; i++)
        input_put(in, 'x');
    input_put(in, K_UP);
    input_put(in, K_PASTE_END);
    input_idle(in);
    assert_memory_equal(seen.p, "{cut xxx", 8);
    input_free(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_keys),
        cmocka_unit_test(paste_is_one_piece),
        cmocka_unit_test(smuggled_end_mark_sends_nothing),
        cmocka_unit_test(burst_without_brackets),
        cmocka_unit_test(lost_end_mark),
        cmocka_unit_test(paste_is_bounded),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);

    buf_free(&seen);
    return rc;
}
