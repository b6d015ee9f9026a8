#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "core/enc.h"
#include "core/text.h"

#define COLUMNS 80
#define WHOLE 500 /* a sentence for which the line may wrap */

struct console {
    int out;
    bool simulated, quiet;
};

struct console *console_new(int out, bool simulated, bool quiet) {
    struct console *c = mem_new(sizeof *c);

    *c = (struct console){out, simulated, quiet};
    return c;
}

void console_free(struct console *c) {
    free(c);
}

/* A terminal that is gone (EPIPE) is no reason to stop serving. */
static void put_line(struct console *c, const char *text, size_t max) {
    cleanup_buf struct buf safe = {0}, line = {0};
    time_t now = time(NULL);
    struct tm tm;
    char clock[16];

    localtime_r(&now, &tm);
    strftime(clock, sizeof clock, "%H:%M:%S", &tm);
    buf_fmt(&line, "%s %s%s", clock, c->simulated ? "SIMULATED  " : "", text);
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] == '\n')
            line.p[i] = ' ';
    text_safe(buf_view(&line), TEXT_PROSE, max, &safe); /* PROSE: columns keep their spaces */
    buf_str(&safe, "\n");
    (void)!fd_write_all(c->out, buf_view(&safe), NULL);
}

static void PRINTF_LIKE(3, 0) put_fmt(struct console *c, size_t max, const char *fmt, va_list ap) {
    char text[512];

    vsnprintf(text, sizeof text, fmt, ap);
    put_line(c, text, max);
}

void console_say(struct console *c, const char *fmt, ...) {
    va_list ap;

    if (c->quiet)
        return;
    va_start(ap, fmt);
    put_fmt(c, COLUMNS, fmt, ap);
    va_end(ap);
}

void console_notice(struct console *c, const char *fmt, ...) {
    va_list ap;

    if (c->quiet)
        return;
    va_start(ap, fmt);
    put_fmt(c, WHOLE, fmt, ap);
    va_end(ap);
}

void console_error(struct console *c, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    put_fmt(c, WHOLE, fmt, ap);
    va_end(ap);
}

void console_job(struct console *c, const uint8_t job[static 32], const char *step, int64_t age_ms,
                 const char *note) {
    char id[9];

    hex_encode(view_of(job, 4), id);
    console_say(c, "%s  %-9s %7.1f s%s%s", id, step, (double)age_ms / 1000, *note ? "  " : "",
                note);
}
