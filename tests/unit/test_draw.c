/* What reaches the terminal: draw.c writes into a real curses screen on a pseudo terminal, and
 * every byte that arrives at its other end is read (stream.h). Text from outside may put no
 * control, no format character and no escape sequence there. */
#include "tui/draw.c"

#include <locale.h>

#include "tests/unit/unit.h"
#include "tests/unit/stream.h"

#define RANDOM_STRINGS 100000

static SCREEN *screen;

static void on_terminal(void (*f)(void), struct buf *bytes) {
    erase();
    clearok(curscr, TRUE);
    f();
    refresh();
    tty_take(bytes);
}

static const char *const HOSTILE[] = {
    "title\033]0;owned\007",
    "clear\033[2J\033[H",
    "c1\xc2\x9b"
    "31mred",
    "raw\x9b"
    "31m",
    "bidi\xe2\x80\xae"
    "txt.exe",
    "iso\xe2\x81\xa6x\xe2\x81\xa9",
    "zwsp\xe2\x80\x8bx",
    "tag\xf3\xa0\x81\x81",
    "bell\007\010\177",
    "nel\xc2\x85",
    "ls\xe2\x80\xa8ps\xe2\x80\xa9",
    "fe0f\xef\xb8\x8f",
    "zwj\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80",
    "osc52\033]52;c;aGk=\033\\",
    "link\033]8;;http://x\033\\",
    "dcs\033Pq\033\\",
    "paste\033[201~",
    "nul",
    "\xff\xfe\xc0\x80",
    "marks e\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86",
    "blank\xe3\x85\xa4\xe2\xa0\x80",
    "private\xee\x80\x80",
};

static void draw_hostile(void) {
    for (size_t i = 0; i < COUNT(HOSTILE); i++) {
        cleanup_buf struct buf b = {0};
        struct safe_text t = text_safe(view_str(HOSTILE[i]), TEXT_LINE, 200, &b);

        draw_text((int)i, 0, 40, ROLE_TEXT, t);
        draw_fmt((int)i, 40, 40, ROLE_BAD, "%s", HOSTILE[i]);
    }
}

/* Even text that skipped the sanitiser: whoever builds a safe_text by hand. */
static void draw_unsafe(void) {
    for (size_t i = 0; i < COUNT(HOSTILE); i++)
        draw_text((int)i, 0, 80, ROLE_TEXT, (struct safe_text){HOSTILE[i], strlen(HOSTILE[i])});
}

static void hostile_text(void **st) {
    cleanup_buf struct buf safe = {0}, unsafe = {0};

    (void)st;
    on_terminal(draw_hostile, &safe);
    stream_must_be_clean(buf_view(&safe));
    assert_non_null(strstr((char *)safe.p, "title"));
    on_terminal(draw_unsafe, &unsafe);
    stream_must_be_clean(buf_view(&unsafe));
    assert_non_null(strstr((char *)unsafe.p, "title"));
}

static uint64_t seed = 88172645463325252u;

static uint64_t xorshift(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Half bytes, half code points of the ranges where trouble lives. */
static size_t random_text(char *out) {
    static const uint32_t FROM[] = {0,      0x80,   0x300,   0x600,   0x2000,
                                    0x2060, 0xfe00, 0x1f000, 0xe0000, 0xd800};
    size_t n = 0;

    while (n < 60) {
        uint64_t r = xorshift();

        if (r & 1)
            out[n++] = (char)(r >> 8);
        else
            n += utf8_put(FROM[(r >> 8) % COUNT(FROM)] + (uint32_t)((r >> 16) & 0x7f), out + n);
    }
    return n;
}

/* By every way that text can take. */
static void draw_random_row(int y, const char *raw, size_t n) {
    cleanup_buf struct buf b = {0};
    struct safe_text line = text_safe(view_of(raw, n), TEXT_LINE, 200, &b);

    switch (y % 6) {
    case 0:
        draw_text(y, 0, COLS, ROLE_TEXT, (struct safe_text){raw, n}); /* skipped the sanitiser */
        break;
    case 1:
        draw_fmt(y, 0, COLS, ROLE_BAD, "%.*s", (int)n, raw);
        break;
    case 2:
        draw_right(y, COLS, COLS, ROLE_DIM, "%.*s", (int)n, raw);
        break;
    case 3:
        draw_wrap(y, 0, 20, 1, ROLE_OK, line);
        break;
    case 4:
        draw_text(y, 0, COLS, ROLE_CURSOR, text_safe(view_of(raw, n), TEXT_PROSE, 200, &b));
        break;
    case 5:
        draw_box((struct rect){y, 0, 1, COLS}, line);
        break;
    }
}

static void draw_random(void) {
    for (int y = 0; y < LINES; y++) {
        char raw[80];
        size_t n = random_text(raw);

        draw_random_row(y, raw, n);
    }
}

static void random_strings(void **st) {
    (void)st;
    for (int done = 0; done < RANDOM_STRINGS; done += LINES) {
        cleanup_buf struct buf bytes = {0};

        ascii_only = done % 5 == 0; /* a fifth of them where only ASCII may go out */
        on_terminal(draw_random, &bytes);
        assert_true(bytes.n > 500);
        stream_must_be_clean(buf_view(&bytes));
        for (size_t i = 0; ascii_only && i < bytes.n; i++)
            assert_true(bytes.p[i] < 0x7f);
    }
    ascii_only = false;
}

/* The reader itself: it finds what must not be there. */
static void finds_what_is_foreign(void **st) {
    static const char *const FOREIGN[] = {"\033]0;", "\033[6n", "\033[?1049x", "\033[99;1H",
                                          "\033[c",  "\033P",   "\033c",       "\033[0;0m"};

    (void)st;
    for (size_t i = 0; i < COUNT(FOREIGN); i++)
        assert_int_equal(sequence(view_str(FOREIGN[i])), 0);
    assert_int_equal(sequence(view_str("\033[2;5H")), 6);
    assert_int_equal(sequence(view_str("\033[38;5;244mtext")), 11);
    assert_true(n_allowed > 2000);
}

static int cells(int y, int x, int w, const char *s) {
    cleanup_buf struct buf b = {0};

    erase();
    return draw_text(y, x, w, ROLE_TEXT, text_safe(view_str(s), TEXT_LINE, 400, &b));
}

static void clips(void **st) {
    (void)st;
    assert_int_equal(cells(0, 0, 80, "short"), 5);
    assert_int_equal(cells(0, 0, 5, "exact"), 5);
    assert_int_equal(mvinch(0, 4) & A_CHARTEXT, 't');
    assert_int_equal(cells(0, 0, 4, "exact"), 4);
    assert_int_equal(cells(0, 78, 10, "abcdef"), 2);
    assert_int_equal(cells(0, 0, 0, "none"), 0);
    assert_int_equal(cells(0, 90, 10, "outside"), 0);
    assert_int_equal(cells(-1, 0, 10, "above"), 5);
    assert_int_equal(cells(0, 0, 3, "\xe6\xbc\xa2\xe5\xad\x97"), 3); /* a wide one makes room */
    assert_int_equal(cells(0, 0, 10, "e\xcc\x81x"), 2);
}

static void ascii_is_ascii(void **st) {
    cleanup_buf struct buf bytes = {0};

    (void)st;
    ascii_only = true;
    on_terminal(draw_hostile, &bytes);
    ascii_only = false;
    for (size_t i = 0; i < bytes.n; i++)
        assert_true(bytes.p[i] < 0x7f);
}

static int setup(void **st) {
    (void)st;
    setenv("LINES", "24", 1);
    setenv("COLUMNS", "80", 1);
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return -1;
    if (tty_open() != 0)
        return -1;
    screen = newterm("xterm-256color", tty.file, tty.file);
    stream_learn();
    draw_start(false, THEME_256);
    refresh();
    return screen ? 0 : -1;
}

static int teardown(void **st) {
    (void)st;
    endwin();
    delscreen(screen);
    stream_forget();
    tty_close();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text),          cmocka_unit_test(random_strings),
        cmocka_unit_test(finds_what_is_foreign), cmocka_unit_test(clips),
        cmocka_unit_test(ascii_is_ascii),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
