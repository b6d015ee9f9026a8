/* What reaches the terminal: draw.c writes into a curses screen whose bytes go to a file, and the
 * file is read. Text from outside may put no control, no format character and no escape sequence
 * there. */
#include "tui/draw.c"

#include <locale.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define RANDOM_STRINGS 100000

static FILE *tty;
static SCREEN *screen;

static void on_terminal(void (*f)(void), struct buf *bytes) {
    struct err e;
    cleanup_free char *path = NULL;

    fflush(tty);
    assert_int_equal(ftruncate(fileno(tty), 0), 0);
    rewind(tty);
    erase();
    clearok(curscr, TRUE);
    f();
    refresh();
    fflush(tty);
    path = mem_fmt("/proc/self/fd/%d", fileno(tty));
    assert_int_equal(file_read(path, 1 << 24, bytes, &e), 0);
}

/* Escape sequences that terminfo's xterm entry may send: CSI with digits and one final letter (no
 * c, n, t, q: nothing that asks or resizes), charset selection, and keypad modes. */
static size_t allowed_escape(struct view v) {
    size_t i = 2;

    if (v.n < 2)
        return 0;
    if (v.p[1] == '(' || v.p[1] == ')')
        return v.n >= 3 ? 3 : 0;
    if (v.p[1] == '=' || v.p[1] == '>' || v.p[1] == '7' || v.p[1] == '8')
        return 2;
    if (v.p[1] != '[')
        return 0;
    while (i < v.n && (v.p[i] == ';' || v.p[i] == '?' || (v.p[i] >= '0' && v.p[i] <= '9')))
        i++;
    return i < v.n && strchr("mHJKGdhlABCDXPr@b", v.p[i]) ? i + 1 : 0;
}

static bool control_ok(uint32_t cp) {
    return cp == '\r' || cp == '\n' || cp == '\b' || cp == 0x0f || cp == 0x0e;
}

static void must_be_clean(struct view v) {
    uint32_t cp;

    while (v.n > 0) {
        size_t n = v.p[0] == 0x1b ? allowed_escape(v) : utf8_next(v, &cp);

        if (n == 0)
            fail_msg("byte %02x %02x %02x on the terminal", v.p[0], v.n > 1 ? v.p[1] : 0,
                     v.n > 2 ? v.p[2] : 0);
        if (v.p[0] != 0x1b && cp_width(cp) < 0 && !control_ok(cp))
            fail_msg("U+%04x on the terminal", cp);
        v = view_of(v.p + n, v.n - n);
    }
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
    must_be_clean(buf_view(&safe));
    assert_non_null(strstr((char *)safe.p, "title"));
    on_terminal(draw_unsafe, &unsafe);
    must_be_clean(buf_view(&unsafe));
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

static void draw_random(void) {
    for (int y = 0; y < LINES; y++) {
        cleanup_buf struct buf b = {0};
        char raw[80];
        size_t n = random_text(raw);

        if (y & 1)
            draw_text(y, 0, COLS, ROLE_TEXT, text_safe(view_of(raw, n), TEXT_PROSE, 200, &b));
        else
            draw_text(y, 0, COLS, ROLE_TEXT, (struct safe_text){raw, n});
    }
}

static void random_strings(void **st) {
    (void)st;
    for (int done = 0; done < RANDOM_STRINGS; done += LINES) {
        cleanup_buf struct buf bytes = {0};

        on_terminal(draw_random, &bytes);
        assert_true(bytes.n > 500);
        must_be_clean(buf_view(&bytes));
    }
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
    tty = fdopen(memfd_create("tty", 0), "w+");
    screen = newterm("xterm-256color", tty, stdin);
    draw_start(false, THEME_256);
    refresh(); /* what the terminal is sent at the start is terminfo's, not ours */
    return screen ? 0 : -1;
}

static int teardown(void **st) {
    (void)st;
    endwin();
    delscreen(screen);
    fclose(tty);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_text),
        cmocka_unit_test(random_strings),
        cmocka_unit_test(clips),
        cmocka_unit_test(ascii_is_ascii),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
