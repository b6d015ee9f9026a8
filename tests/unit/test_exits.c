/* Every way out of the program that curses does not guard: lines of --plain, the log, errors,
 * standard error of `cdvm ask`, notifications, the clipboard. Whatever goes in, nothing that a
 * terminal acts on and nothing that is not seen comes out. */
#include "tui/cli_ask_print.c"

#include <sys/mman.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/log.h"
#include "tests/unit/unit.h"
#include "tui/clipboard.h"
#include "tui/lineterm.c"
#include "tui/notify.h"

#define STRINGS 100000
#define AT_ONCE 1000

/* --- strings that mean harm --- */

static uint64_t seed = 88172645463325252u;

static uint64_t xorshift(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Half bytes, half code points of the ranges where trouble lives; no NUL. */
static size_t random_text(char *out) {
    static const uint32_t FROM[] = {0,      0x80,   0x300,   0x600,   0x2000,
                                    0x2060, 0xfe00, 0x1f000, 0xe0000, 0xd800};
    static const char *const PIECES[] = {"\033]52;c;", "\033[6n", "\033]0;",
                                         "\033\\",     "\r\n",    "\033P"};
    size_t n = 0;

    while (n < 60) {
        uint64_t r = xorshift();

        if (r % 16 == 0) {
            const char *piece = PIECES[(r >> 8) % COUNT(PIECES)];

            memcpy(out + n, piece, strlen(piece));
            n += strlen(piece);
        } else if (r & 1)
            out[n++] = (char)(r >> 8 | 1);
        else
            n += utf8_put(FROM[(r >> 8) % COUNT(FROM)] + (uint32_t)((r >> 16) & 0x7f) + 1, out + n);
    }
    out[n] = 0;
    return n;
}

/* Text in lines, and nothing else. */
static void must_be_lines(const char *way, struct view v) {
    uint32_t cp;

    assert_true(v.n > 0 && v.p[v.n - 1] == '\n');
    while (v.n > 0) {
        size_t n = utf8_next(v, &cp);

        if (n == 0 || (cp != '\n' && cp_width(cp) < 0))
            fail_msg("%s: U+%04x, byte %02x came out", way, cp, v.p[0]);
        v = view_of(v.p + n, v.n - n);
    }
}

/* --- a way, with its descriptor going to a file --- */

static void through(const char *way, int fd, void (*f)(const char *s, size_t n)) {
    int file = memfd_create("out", 0), was = dup(fd);
    char raw[200];

    for (int i = 0; i < STRINGS; i += AT_ONCE) {
        cleanup_free char *path = mem_fmt("/proc/self/fd/%d", file);
        cleanup_buf struct buf out = {0};
        struct err e;

        fflush(stderr);
        dup2(file, fd);
        for (int k = 0; k < AT_ONCE; k++) {
            size_t n = random_text(raw);

            f(raw, n);
        }
        fflush(stderr);
        dup2(was, fd);
        assert_int_equal(file_read(path, 1 << 24, &out, &e), 0);
        must_be_lines(way, buf_view(&out));
        assert_int_equal(ftruncate(file, 0), 0);
        lseek(file, 0, SEEK_SET);
    }
    close(was);
    close(file);
}

static void by_plain(const char *s, size_t n) {
    static struct lineterm t;
    cleanup_buf struct buf safe = {0};

    t.ascii = !t.ascii;
    lineterm_say(&t, text_safe(view_of(s, n), TEXT_LINE, SIZE_MAX, &safe));
}

static void by_log(const char *s, size_t n) {
    (void)n;
    log_to(STDERR_FILENO, LOG_INFO, true);
    log_line(LOG_INFO, "test", "%s", s);
}

static void by_error(const char *s, size_t n) {
    struct err e;

    (void)n;
    err_set(&e, "test", "'%s' is not a number", s);
    err_wrap(&e, "of %s", s);
    fprintf(stderr, "cdvm: %s\n", e.text);
}

static struct ask_out *asked(void) {
    static struct ask_args args;
    static struct ask_out out = {.a = &args};

    return &out;
}

static void by_ask(const char *s, size_t n) {
    struct err e = {.code = "test"};

    (void)n;
    snprintf(e.text, sizeof e.text, "%s", s); /* not even by err_set */
    ask_say(asked(), "provider says: %s", s);
    ask_error(asked(), &e);
}

static void plain_lines(void **state) {
    (void)state;
    through("--plain", STDOUT_FILENO, by_plain);
}

static void log_lines(void **state) {
    (void)state;
    through("log", STDERR_FILENO, by_log);
    log_to(-1, LOG_INFO, false);
}

static void errors(void **state) {
    (void)state;
    through("errors", STDERR_FILENO, by_error);
}

static void ask_lines(void **state) {
    (void)state;
    through("ask", STDERR_FILENO, by_ask);
}

/* --- sequences of our own: a frame that is known, and in it what cannot end it --- */

static void framed(const char *way, const struct buf *b, const char *head, const char *tail,
                   const char *inside) {
    struct view v = buf_view(b);
    size_t h = strlen(head), t = strlen(tail);

    assert_true(v.n >= h + t && !memcmp(v.p, head, h) && !memcmp(v.p + v.n - t, tail, t));
    for (size_t i = h; i < v.n - t; i++)
        if (!strchr(inside, v.p[i]))
            fail_msg("%s: byte %02x came out", way, v.p[i]);
}

static void notifications(void **state) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                " .,:-'()?!/+=_\"#%&*<>@[]{}|~$^`;";
    char raw[200];

    (void)state;
    for (int i = 0; i < STRINGS; i++) {
        cleanup_buf struct buf safe = {0}, nine = {0}, seven = {0};
        size_t n = random_text(raw);
        struct safe_text t = text_safe(view_of(raw, n), TEXT_LINE, NOTIFY_WORDS_MAX, &safe);

        notify_bytes(NOTIFY_OSC9, false, t, &nine);
        notify_bytes(NOTIFY_OSC777, false, t, &seven);
        framed("OSC 9", &nine, "\033]9;", "\033\\", PLAIN);
        framed("OSC 777", &seven, "\033]777;notify;cdvm;", "\033\\", PLAIN);
    }
}

static void clipboard(void **state) {
    static const char BASE64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    char raw[200];

    (void)state;
    for (int i = 0; i < STRINGS; i++) {
        cleanup_buf struct buf b = {0}, text = {0};
        size_t n = random_text(raw);
        struct err e;

        if (clipboard_bytes(view_of(raw, n), &b, &e) != 0)
            continue; /* nothing of it was text */
        framed("OSC 52", &b, "\033]52;c;", "\007", BASE64);
        assert_true(base64_decode(view_of(b.p + 7, b.n - 8), &text));
        buf_str(&text, "\n");
        must_be_lines("what was copied", buf_view(&text));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines), cmocka_unit_test(log_lines),     cmocka_unit_test(errors),
        cmocka_unit_test(ask_lines),   cmocka_unit_test(notifications), cmocka_unit_test(clipboard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
