#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

static void set_code(struct err *e, const char *code) {
    snprintf(e->code, sizeof e->code, "%s", code);
}

/* A text that was cut must not end inside a UTF-8 sequence: it goes into JSON and onto screens. */
static void end_whole(struct err *e) {
    size_t n = strlen(e->text);

    if (n < sizeof e->text - 1)
        return;
    while (n && ((unsigned char)e->text[n - 1] & 0xc0) == 0x80)
        n--;
    if (n && (unsigned char)e->text[n - 1] >= 0xc0)
        n--;
    e->text[n] = 0;
}

/* Whoever forgot to sanitise what is quoted: nothing that a terminal acts on is ever in an error.
 * One sign stands for what is replaced, so the text never grows. */
static void make_safe(struct err *e) {
    struct view v = view_of(e->text, strlen(e->text));
    size_t at = 0;
    uint32_t cp;

    while (v.n > 0) {
        size_t n = utf8_next(v, &cp);

        if (n == 0 || cp_width(cp) < 0) {
            e->text[at++] = cp == '\n' ? ' ' : '?';
            n = n ? n : 1;
        } else {
            memmove(e->text + at, v.p, n);
            at += n;
        }
        v = view_of(v.p + n, v.n - n);
    }
    e->text[at] = 0;
}

static void tidy(struct err *e) {
    end_whole(e);
    make_safe(e);
}

/* Puts ": s" behind what vsnprintf wrote, as far as it fits. */
static void append(struct err *e, int written, const char *s) {
    size_t at = written < 0 ? 0 : (size_t)written, room;

    if (at + 2 < sizeof e->text) {
        memcpy(e->text + at, ": ", 2);
        at += 2;
        room = sizeof e->text - at - 1;
        memcpy(e->text + at, s, strnlen(s, room));
        e->text[at + strnlen(s, room)] = 0;
    }
    tidy(e);
}

int err_set(struct err *e, const char *code, const char *fmt, ...) {
    va_list ap;

    if (!e)
        return -1;
    set_code(e, code);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    tidy(e);
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...) {
    char inner[sizeof e->text];
    va_list ap;
    int n;

    if (!e)
        return -1;
    memcpy(inner, e->text, sizeof inner);
    va_start(ap, fmt);
    n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    append(e, n, inner);
    return -1;
}

int err_sys(struct err *e, int sysno, const char *fmt, ...) {
    va_list ap;
    int n;

    if (!e)
        return -1;
    set_code(e, "system");
    va_start(ap, fmt);
    n = vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    append(e, n, strerror(sysno));
    return -1;
}
