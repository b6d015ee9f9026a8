#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/enc.h"

#define FILL(field)                                                                                \
    va_list ap;                                                                                    \
    va_start(ap, fmt);                                                                             \
    vsnprintf(f->field, sizeof f->field, fmt, ap);                                                 \
    va_end(ap)

void finding_expected(struct finding *f, const char *fmt, ...) {
    FILL(expected);
}

void finding_got(struct finding *f, const char *fmt, ...) {
    FILL(got);
}

void finding_why(struct finding *f, const char *fmt, ...) {
    FILL(why);
}

static struct view at_most(struct view v, size_t room) {
    return view_of(v.p, v.n < (room - 1) / 2 ? v.n : (room - 1) / 2);
}

void finding_expected_hex(struct finding *f, struct view v) {
    hex_encode(at_most(v, sizeof f->expected), f->expected);
}

void finding_got_hex(struct finding *f, struct view v) {
    hex_encode(at_most(v, sizeof f->got), f->got);
}

void finding_absent(struct finding *f, const char *why) {
    f->outcome = OUT_ABSENT;
    finding_why(f, "%s", why);
}
