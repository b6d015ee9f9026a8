#include "log.h"

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

/* C0, DEL and C1 (C2 80..9F in UTF-8) as \xNN: a line can never become two, or reach a terminal. */
static void add_escaped(struct buf *b, struct view v) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool c1 = c == 0xc2 && i + 1 < v.n && v.p[i + 1] >= 0x80 && v.p[i + 1] < 0xa0;

        if (c1)
            c = v.p[++i];
        if (c1 || c < 0x20 || c == 0x7f)
            buf_fmt(b, "\\x%02x", c);
        else
            buf_u8(b, c);
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
