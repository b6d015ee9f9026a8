#include "unixhttp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct exchange {
    const struct unixhttp_request *q;
    const struct unixhttp_watch *w;
    struct httpin *in;
    bool stopped; /* by piece */
    int fd;
};

int64_t unixhttp_now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int gone(struct err *e, int sysno, const char *what) {
    return err_set(e, "engine-gone", "the engine %s: %s", what, strerror(sysno));
}

static int open_socket(const char *path, struct err *e) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd;

    if ((size_t)snprintf(a.sun_path, sizeof a.sun_path, "%s", path) >= sizeof a.sun_path)
        return err_set(e, "engine-gone", "the engine's socket has too long a name");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return gone(e, errno, "has no socket");
    if (!connect(fd, (const struct sockaddr *)&a, sizeof a))
        return fd;
    gone(e, errno, "does not answer");
    close(fd);
    return -1;
}

static void write_head(const struct unixhttp_request *q, struct buf *out) {
    buf_fmt(out, "%s %s HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n",
            q->body.n ? "POST" : "GET", q->path);
    if (q->body.n)
        buf_fmt(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", q->body.n);
    buf_str(out, "\r\n");
    buf_add(out, q->body.p, q->body.n);
}

static int send_all(int fd, struct view v, struct err *e) {
    while (v.n) {
        ssize_t n = send(fd, v.p, v.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gone(e, errno, "takes no request");
        v = view_of(v.p + n, v.n - (size_t)n);
    }
    return 0;
}

static void on_body(void *arg, struct view piece) {
    struct exchange *x = arg;

    if (x->q->piece && !x->stopped)
        x->stopped = !x->q->piece(x->q->arg, httpin_status(x->in), piece);
}

static int look(const struct unixhttp_watch *w, struct err *e) {
    if (w && w->stop && w->stop(w->arg))
        return err_set(e, "cancelled", "cancelled");
    if (w && w->deadline && unixhttp_now() >= w->deadline)
        return err_set(e, "engine-slow", "the engine did not answer in time");
    return 0;
}

/* 1 = the socket has something, 0 = not yet. */
static int wait_for(const struct exchange *x, struct err *e) {
    struct pollfd p[2] = {{.fd = x->fd, .events = POLLIN},
                          {.fd = x->w ? x->w->wake : -1, .events = POLLIN}};

    if (poll(p, COUNT(p), UNIXHTTP_LOOK_MS) < 0 && errno != EINTR)
        return err_sys(e, errno, "cannot wait for the engine");
    if (look(x->w, e))
        return -1;
    return p[0].revents != 0;
}

static int read_some(struct exchange *x, struct err *e) {
    uint8_t chunk[16384];
    ssize_t n = recv(x->fd, chunk, sizeof chunk, 0);

    if (n < 0)
        return errno == EINTR ? 0 : gone(e, errno, "broke off");
    if (!n)
        return httpin_end(x->in, e);
    if (httpin_feed(x->in, view_of(chunk, (size_t)n), e))
        return -1;
    return x->stopped ? err_set(e, "stopped", "the answer was stopped") : 0;
}

static int exchange(struct exchange *x, struct err *e) {
    cleanup_buf struct buf out = {0};

    write_head(x->q, &out);
    if (send_all(x->fd, buf_view(&out), e))
        return -1;
    while (!httpin_done(x->in)) {
        int rc = wait_for(x, e);

        if (rc < 0 || (rc && read_some(x, e)))
            return -1;
    }
    return 0;
}

int unixhttp_ask(const struct unixhttp_request *q, const struct unixhttp_watch *w, int *status,
                 struct err *e) {
    struct exchange x = {.q = q, .w = w, .fd = open_socket(q->socket, e)};
    int rc;

    *status = 0;
    if (x.fd < 0)
        return -1;
    x.in = httpin_new(on_body, &x);
    rc = exchange(&x, e);
    *status = httpin_status(x.in);
    httpin_free(x.in);
    close(x.fd);
    return rc;
}

static bool collect(void *arg, int status, struct view piece) {
    struct buf *out = arg;

    (void)status;
    buf_add(out, piece.p, piece.n);
    return !out->full;
}

int unixhttp_fetch(const char *socket, const char *path, struct view body, size_t max,
                   const struct unixhttp_watch *w, int *status, struct buf *out, struct err *e) {
    const struct unixhttp_request q = {socket, path, body, collect, out};
    int rc;

    buf_init(out, max);
    rc = unixhttp_ask(&q, w, status, e);
    return rc && out->full ? err_set(e, "bad-engine", "the engine's answer has over %zu bytes", max)
                           : rc;
}
