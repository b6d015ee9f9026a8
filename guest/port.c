#include "port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define READ_CHUNK ((size_t)65536)
#define READ_TURNS 16 /* reads per wake-up, so that timers get their turn */
#define OPEN_WAIT_MS 5000
#define OPEN_STEP_MS 5

struct port {
    int fd;
    struct chan_in in;
    struct buf out;
    struct loop_fd *watch;
    struct port_handler h;
    void *arg;
    bool broken; /* nothing more is read, and the owner knows */
    bool dead;   /* nothing more can be written either */
};

static void nap(void) {
    nanosleep(&(struct timespec){0, OPEN_STEP_MS * 1000000L}, NULL);
}

static bool has_name(const char *dir, const char *entry) {
    cleanup_free char *path = mem_fmt("%s/%s/name", dir, entry);
    cleanup_buf struct buf name = {0};

    return !file_read(path, 256, &name, NULL) && view_is(buf_view(&name), PORT_NAME "\n");
}

/* The only port, once it bears our name: owned, or NULL. */
static char *find_port(const char *dir) {
    DIR *d = opendir(dir);
    struct dirent *entry;
    char *found = NULL;
    unsigned n = 0;

    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        if (!n++ && has_name(dir, entry->d_name))
            found = mem_str(entry->d_name);
    }
    if (d)
        closedir(d);
    if (n == 1)
        return found;
    cleanup_free_fn(&found);
    return NULL;
}

static char *wait_for_port(const char *sys) {
    cleanup_free char *dir = mem_fmt("%s/class/virtio-ports", sys);
    char *name = NULL;

    for (int ms = 0; ms < OPEN_WAIT_MS && !(name = find_port(dir)); ms += OPEN_STEP_MS)
        nap();
    return name;
}

static bool wait_for_host(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    for (int ms = 0; ms < OPEN_WAIT_MS; ms += OPEN_STEP_MS) {
        if (poll(&p, 1, 0) > 0 && !(p.revents & POLLHUP))
            return true;
        nap();
    }
    return false;
}

struct port *port_open(const char *sys, const char *dev, struct err *e) {
    cleanup_free char *name = wait_for_port(sys);
    cleanup_free char *path = name ? mem_fmt("%s/%s", dev, name) : NULL;
    int fd;

    if (!path) {
        err_set(e, "no-port", "no single virtio-serial port named '%s'", PORT_NAME);
        return NULL;
    }
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        err_sys(e, errno, "cannot open %s", path);
        return NULL;
    }
    if (!wait_for_host(fd)) {
        close(fd);
        err_set(e, "no-port", "nobody listens at the other end of '%s'", PORT_NAME);
        return NULL;
    }
    return port_from_fd(fd);
}

struct port *port_from_fd(int fd) {
    struct port *p = mem_new(sizeof *p);

    p->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    chan_in_init(&p->in);
    buf_init(&p->out, PORT_QUEUE_MAX);
    return p;
}

void port_free(struct port *p) {
    if (!p)
        return;
    loop_fd_del(p->watch);
    chan_in_free(&p->in);
    buf_wipe(&p->out);
    close(p->fd);
    cleanup_free_fn(&p);
}

static void port_break(struct port *p, const struct err *e) {
    if (p->broken)
        return;
    p->broken = true;
    loop_fd_del(p->watch);
    p->watch = NULL;
    if (p->h.broken)
        p->h.broken(p->arg, e);
}

static void port_die(struct port *p, const struct err *e) {
    p->dead = true;
    port_break(p, e);
}

static void want(struct port *p) {
    if (p->watch)
        loop_fd_want(p->watch, LOOP_IN | (p->out.n ? LOOP_OUT : 0));
}

static void write_some(struct port *p) {
    struct err e;

    while (p->out.n && !p->dead) {
        ssize_t n = write(p->fd, p->out.p, p->out.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0) {
            err_sys(&e, errno, "cannot write to the channel");
            port_die(p, &e);
            return;
        }
        buf_drop(&p->out, (size_t)n);
    }
    want(p);
}

static void deliver(struct port *p) {
    struct chan_frame f;
    struct err e;
    int rc = 0;

    while (!p->broken && (rc = chan_next(&p->in, &f, &e)) == 1)
        p->h.frame(p->arg, &f);
    if (rc < 0)
        port_break(p, &e);
}

static void read_some(struct port *p) {
    static uint8_t chunk[READ_CHUNK];
    struct err e;

    for (int i = 0; i < READ_TURNS && !p->broken; i++) {
        ssize_t n = read(p->fd, chunk, sizeof chunk);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            err_set(&e, "hung-up", "the host closed the channel");
            port_die(p, &e);
            return;
        }
        chan_feed(&p->in, view_of(chunk, (size_t)n));
        deliver(p);
    }
}

static void on_ready(void *arg, unsigned ready) {
    struct port *p = arg;
    bool had = p->out.n > 0;

    if (ready & LOOP_OUT)
        write_some(p);
    if (!p->broken && had && !p->out.n && p->h.drained)
        p->h.drained(p->arg);
    if (!p->broken && ready & (LOOP_IN | LOOP_HUP))
        read_some(p);
}

void port_watch(struct port *p, struct loop *l, const struct port_handler *h, void *arg) {
    p->h = *h;
    p->arg = arg;
    p->watch = loop_fd_add(l, p->fd, LOOP_IN, on_ready, p);
    want(p);
}

void port_send(struct port *p, enum chan_type type, struct view payload) {
    cleanup_buf struct buf frame = {0};
    struct err e;

    if (chan_put(&frame, type, payload, &e))
        port_break(p, &e);
    else
        port_send_bytes(p, buf_view(&frame));
}

void port_state(struct port *p, enum chan_state state) {
    uint8_t code = (uint8_t)state;

    port_send(p, CHAN_STATE, view_of(&code, 1));
}

void port_send_bytes(struct port *p, struct view frames) {
    struct err e;

    if (p->dead)
        return;
    buf_add(&p->out, frames.p, frames.n);
    if (p->out.full) {
        err_set(&e, "stalled", "the host has stopped reading");
        port_die(p, &e);
        return;
    }
    write_some(p);
}

size_t port_queued(const struct port *p) {
    return p->out.n;
}

void port_flush(struct port *p, int ms) {
    struct pollfd want_out = {.fd = p->fd, .events = POLLOUT};
    int64_t end = loop_now() + ms, left;

    while (p->out.n && !p->dead && (left = end - loop_now()) > 0) {
        if (poll(&want_out, 1, (int)left) <= 0 || want_out.revents & POLLHUP)
            return;
        write_some(p);
    }
}
