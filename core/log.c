#include "log.h"
#include "text.h"

#include <stdio.h>
#include <time.h>

static int log_fd = -1;
static enum log_level log_max = LOG_INFO;
static bool log_stamps;

static const char *const level_name[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

void log_to(int fd, enum log_level max, bool timestamps) {
    log_fd = fd;
    log_max = max;
    log_stamps = timestamps;
}

static void add_stamp(struct buf *b) {
    struct timespec now;
    struct tm tm;
    char s[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(s, sizeof s, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_fmt(b, "%s.%03ldZ ", s, now.tv_nsec / 1000000);
}

/* What the sanitiser would drop, and what is no UTF-8, by its number: a line can never become two,
 * reach a terminal, or read otherwise than it was written. */
static void add_escaped(struct buf *b, struct view v) {
    uint32_t cp;

    while (v.n > 0) {
        size_t n = utf8_next(v, &cp);

        if (n == 0)
            buf_fmt(b, "\\x%02x", v.p[0]);
        else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            buf_fmt(b, "\\x%02x", cp);
        else if (cp_width(cp) < 0)
            buf_fmt(b, "\\u%04x", cp);
        else
            buf_add(b, v.p, n);
        n = n ? n : 1;
        v = view_of(v.p + n, v.n - n);
    }
}

void log_line(enum log_level level, const char *area, const char *fmt, ...) {
    cleanup_buf struct buf line = {.max = 8192};
    char text[4096];
    va_list ap;

    if (log_fd < 0 || level > log_max)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (log_stamps)
        add_stamp(&line);
    buf_fmt(&line, "%-5s %s: ", level_name[level], area);
    add_escaped(&line, view_str(text));
    line.full = false; /* a cut line still ends */
    line.max = 0;
    buf_u8(&line, '\n');
    (void)!fd_write_all(log_fd, buf_view(&line), NULL);
}
