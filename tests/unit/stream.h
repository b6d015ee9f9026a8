/* What a terminal is sent, read strictly: text, the few control characters that move the cursor,
 * and sequences of terminfo's entry, in full: everything curses may send is made beforehand by
 * tiparm with every argument that it can have at this size, and nothing else passes. */
#ifndef CDVM_STREAM_H
#define CDVM_STREAM_H

#include <curses.h>
#include <pthread.h>
#include <pty.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "core/text.h"

#define STREAM_ROWS 24
#define STREAM_COLS 80
#define STREAM_COLOURS 256
#define STREAM_MARK 0x1e

/* --- a terminal that listens --- */

static struct {
    int master, slave;
    FILE *file;
    pthread_t reader;
    pthread_mutex_t lock;
    pthread_cond_t marked;
    struct buf bytes;
    bool mark;
} tty = {.lock = PTHREAD_MUTEX_INITIALIZER, .marked = PTHREAD_COND_INITIALIZER};

static void *tty_read(void *arg) {
    uint8_t piece[4096];
    ssize_t n;

    while ((n = read(tty.master, piece, sizeof piece)) > 0) {
        pthread_mutex_lock(&tty.lock);
        tty.mark |= piece[n - 1] == STREAM_MARK;
        buf_add(&tty.bytes, piece, (size_t)n - (piece[n - 1] == STREAM_MARK));
        pthread_cond_signal(&tty.marked);
        pthread_mutex_unlock(&tty.lock);
    }
    return arg;
}

static int tty_open(void) {
    struct winsize size = {.ws_row = STREAM_ROWS, .ws_col = STREAM_COLS};
    struct termios raw;

    if (openpty(&tty.master, &tty.slave, NULL, NULL, &size) != 0)
        return -1;
    tcgetattr(tty.slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(tty.slave, TCSANOW, &raw);
    tty.file = fdopen(tty.slave, "r+");
    return pthread_create(&tty.reader, NULL, tty_read, NULL);
}

/* Everything that was sent since the last time. */
static void tty_take(struct buf *out) {
    const uint8_t mark = STREAM_MARK;

    fflush(tty.file);
    (void)!write(tty.slave, &mark, 1);
    pthread_mutex_lock(&tty.lock);
    while (!tty.mark)
        pthread_cond_wait(&tty.marked, &tty.lock);
    tty.mark = false;
    *out = tty.bytes;
    tty.bytes = (struct buf){0};
    pthread_mutex_unlock(&tty.lock);
}

static void tty_close(void) {
    fclose(tty.file);
    pthread_join(tty.reader, NULL);
    close(tty.master);
    buf_free(&tty.bytes);
}

/* --- the sequences it may be sent --- */

static char **allowed;
static size_t n_allowed, room_allowed;

static void allow(const char *s) {
    if (!s || s == (const char *)-1 || s[0] != '\033')
        return;
    if (n_allowed == room_allowed) {
        room_allowed = room_allowed ? 2 * room_allowed : 4096;
        allowed = mem_grow(allowed, room_allowed * sizeof *allowed);
    }
    allowed[n_allowed++] = mem_str(s);
}

static int order(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One argument from 0 to `to`. */
static void allow_numbers(const char *cap, int to) {
    char *s = tigetstr(cap);

    for (int i = 0; s && s != (char *)-1 && i <= to; i++)
        allow(tiparm(s, i));
}

static void allow_cells(void) {
    char *cup = tigetstr("cup"), *csr = tigetstr("csr");

    for (int y = 0; y < STREAM_ROWS; y++)
        for (int x = 0; x < STREAM_COLS; x++)
            allow(tiparm(cup, y, x));
    for (int y = 0; y < STREAM_ROWS; y++)
        for (int to = y; to < STREAM_ROWS; to++)
            allow(tiparm(csr, y, to));
}

static void allow_attributes(void) {
    char *sgr = tigetstr("sgr");

    for (int bits = 0; bits < 512; bits++)
        allow(tiparm(sgr, bits & 1, bits >> 1 & 1, bits >> 2 & 1, bits >> 3 & 1, bits >> 4 & 1,
                     bits >> 5 & 1, bits >> 6 & 1, bits >> 7 & 1, bits >> 8 & 1));
}

static void stream_learn(void) {
    static const char *const FIXED[] = {
        "smcup", "rmcup", "smkx", "rmkx", "civis", "cnorm", "cvvis", "sgr0", "op",
        "clear", "el",    "el1",  "ed",   "home",  "cuu1",  "cud1",  "cuf1", "cub1",
        "ind",   "ri",    "sc",   "rc",   "smam",  "rmam",  "bold",  "dim",  "rev",
        "smso",  "rmso",  "smul", "rmul", "smacs", "rmacs", "enacs", "ich1", "dch1",
        "il1",   "dl1",   "smir", "rmir", "ht",    "cbt",   "rs2",   "is2"};
    static const char *const COUNTED[] = {"cuu", "cud", "cuf", "cub", "hpa",  "vpa", "ich",
                                          "dch", "il",  "dl",  "ech", "indn", "rin"};

    for (size_t i = 0; i < COUNT(FIXED); i++)
        allow(tigetstr(FIXED[i]));
    for (size_t i = 0; i < COUNT(COUNTED); i++)
        allow_numbers(COUNTED[i], STREAM_COLS);
    allow_numbers("setaf", STREAM_COLOURS - 1);
    if (tigetflag("AX") == 1) { /* what that capability stands for */
        allow("\033[39m");
        allow("\033[49m");
    }
    allow_cells();
    allow_attributes();
    qsort(allowed, n_allowed, sizeof *allowed, order);
}

static void stream_forget(void) {
    for (size_t i = 0; i < n_allowed; i++)
        free(allowed[i]);
    free(allowed);
    allowed = NULL;
    n_allowed = room_allowed = 0;
}

/* Length of the longest allowed sequence at the front, 0 when there is none. */
static size_t sequence(struct view v) {
    char head[33] = {0}, *key = head;

    memcpy(head, v.p, v.n < 32 ? v.n : 32);
    for (size_t n = v.n < 32 ? v.n : 32; n > 1; n--) {
        head[n] = 0;
        if (bsearch(&key, allowed, n_allowed, sizeof *allowed, order))
            return n;
    }
    return 0;
}

/* `rep` repeats the character before it: that one was checked. */
static size_t repeat(struct view v) {
    size_t i = 2;

    if (v.n < 4 || v.p[1] != '[')
        return 0;
    while (i < v.n && v.p[i] >= '0' && v.p[i] <= '9')
        i++;
    return i > 2 && i < v.n && v.p[i] == 'b' ? i + 1 : 0;
}

static bool moves(uint32_t cp) {
    return cp == '\r' || cp == '\n' || cp == '\b' || cp == 0x0f || cp == 0x0e;
}

/* Nothing that is neither text, nor moves the cursor, nor stands in terminfo. */
static void stream_must_be_clean(struct view v) {
    uint32_t cp = 0;

    while (v.n > 0) {
        bool escape = v.p[0] == 0x1b;
        size_t n = escape ? sequence(v) : utf8_next(v, &cp);

        if (escape && n == 0)
            n = repeat(v);
        if (n == 0)
            fail_msg("bytes %02x %02x %02x %02x '%.12s' on the terminal", v.p[0],
                     v.n > 1 ? v.p[1] : 0, v.n > 2 ? v.p[2] : 0, v.n > 3 ? v.p[3] : 0,
                     (const char *)v.p + 1);
        if (!escape && cp_width(cp) < 0 && !moves(cp))
            fail_msg("U+%04x on the terminal", cp);
        v = view_of(v.p + n, v.n - n);
    }
}

#endif
