#include "tui/ttyout.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A terminal that is ready has room for this much: a piece of it does not block for long. */
#define PIECE 256

struct ttyout {
    struct loop *loop;
    void (*drained)(void *arg);
    void *arg;
    FILE *file;
    int fd;   /* the terminal */
    bool own; /* opened here, does not block */
    struct loop_fd *watch;
    struct buf out;
    size_t sent; /* of out */
};

/* The terminal under standard output, opened anew; -1 when it is not the one that controls us. */
static int open_anew(void) {
    cleanup_fd int fd = open("/dev/tty", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    unsigned dev;
    struct stat st;
    int own = fd;

    if (fd < 0 || fstat(STDOUT_FILENO, &st) != 0 || ioctl(fd, TIOCGDEV, &dev) != 0 ||
        dev != (unsigned)st.st_rdev)
        return -1;
    fd = -1;
    return own;
}

static bool ready(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}

/* Writes what the terminal takes now. A terminal that is gone takes everything: the loop hears of
 * the hang-up elsewhere. */
static void push(struct ttyout *o) {
    while (o->sent < o->out.n) {
        size_t n = o->out.n - o->sent;
        ssize_t took = -1;

        errno = EAGAIN;
        if (o->own || ready(o->fd))
            took = write(o->fd, o->out.p + o->sent, o->own || n < PIECE ? n : PIECE);
        if (took < 0 && errno == EINTR)
            continue;
        if (took < 0 && errno == EAGAIN)
            return;
        o->sent += took < 0 ? n : (size_t)took;
    }
    buf_reset(&o->out);
    o->sent = 0;
}

static void on_ready(void *arg, unsigned events) {
    struct ttyout *o = arg;

    push(o);
    if (o->out.n > 0 && !(events & LOOP_HUP))
        return;
    loop_fd_del(o->watch);
    o->watch = NULL;
    o->drained(o->arg);
}

struct ttyout *ttyout_new(struct loop *l, void (*drained)(void *arg), void *arg, struct err *e) {
    struct ttyout *o = mem_new(sizeof *o);
    int fd = memfd_create("screen", MFD_CLOEXEC);

    *o = (struct ttyout){.loop = l, .drained = drained, .arg = arg, .fd = open_anew()};
    o->own = o->fd >= 0;
    if (!o->own)
        o->fd = dup(STDOUT_FILENO); /* a number of its own: it is watched apart from input */
    o->file = fd < 0 ? NULL : fdopen(fd, "w+");
    if (o->file && o->fd >= 0)
        return o;
    ttyout_free(o);
    err_set(e, "no-terminal", "cannot write to the terminal");
    return NULL;
}

void ttyout_free(struct ttyout *o) {
    if (!o)
        return;
    loop_fd_del(o->watch);
    if (o->file)
        fclose(o->file);
    if (o->fd >= 0)
        close(o->fd);
    buf_wipe(&o->out);
    free(o);
}

FILE *ttyout_file(struct ttyout *o) {
    return o->file;
}

void ttyout_put(struct ttyout *o, struct view bytes) {
    buf_add(&o->out, bytes.p, bytes.n);
}

/* Moves what curses wrote from the file to the queue. */
static void take(struct ttyout *o) {
    int fd = fileno(o->file);
    uint8_t piece[4096];
    ssize_t n;
    off_t at = 0;

    fflush(o->file);
    for (; (n = pread(fd, piece, sizeof piece, at)) > 0; at += n)
        buf_add(&o->out, piece, (size_t)n);
    if (at > 0 && (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0))
        abort(); /* a file in memory cannot fail so */
    explicit_bzero(piece, sizeof piece);
}

void ttyout_send(struct ttyout *o) {
    take(o);
    if (o->watch)
        return;
    push(o);
    if (o->out.n > 0)
        o->watch = loop_fd_add(o->loop, o->fd, LOOP_OUT, on_ready, o);
}

bool ttyout_busy(const struct ttyout *o) {
    return o->watch != NULL;
}

void ttyout_drop(struct ttyout *o) {
    loop_fd_del(o->watch);
    o->watch = NULL;
    take(o);
    buf_wipe(&o->out);
    o->sent = 0;
}
