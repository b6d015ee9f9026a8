#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_code(struct err *e, const char *code) {
    snprintf(e->code, sizeof e->code, "%s", code);
}

int err_set(struct err *e, const char *code, const char *fmt, ...) {
    va_list ap;

    if (!e)
        return -1;
    set_code(e, code);
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
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
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", inner);
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
    if (n >= 0 && (size_t)n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", strerror(sysno));
    return -1;
}
