#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 32

struct listener {
    int fd;
    struct loop_fd *watch;
    uint16_t port;
    bool loopback;
    listener_fn *fn;
    void *arg;
};

/* An address of either family, and its length. */
struct address {
    struct sockaddr_storage ss;
    socklen_t len;
    bool loopback;
};

static bool address_of(const char *numeric, uint16_t port, struct address *out) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->ss;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->ss;

    *out = (struct address){.len = sizeof *v4};
    if (inet_pton(AF_INET, numeric, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out->loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
        return true;
    }
    out->len = sizeof *v6;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    if (inet_pton(AF_INET6, numeric, &v6->sin6_addr) != 1)
        return false;
    out->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return true;
}

bool address_loopback(const char *numeric) {
    struct address a;

    return address_of(numeric, 0, &a) && a.loopback;
}

static void on_ready(void *arg, unsigned ready) {
    struct listener *s = arg;

    (void)ready;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return;
        s->fn(s->arg, fd);
    }
}

static int learn_port(struct listener *s, struct address *a, struct err *e) {
    if (getsockname(s->fd, (struct sockaddr *)&a->ss, &a->len) < 0)
        return err_sys(e, errno, "cannot learn the port");
    s->port = ntohs(a->ss.ss_family == AF_INET ? ((struct sockaddr_in *)&a->ss)->sin_port
                                               : ((struct sockaddr_in6 *)&a->ss)->sin6_port);
    return 0;
}

static int listen_on(struct listener *s, const char *bind_to, uint16_t port, struct err *e) {
    struct address a;
    int one = 1;

    if (!address_of(bind_to, port, &a))
        return err_set(e, "bad-address", "'%s' is not a numeric address to listen on", bind_to);
    s->loopback = a.loopback;
    s->fd = socket(a.ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return err_sys(e, errno, "cannot make a socket");
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a.ss.ss_family == AF_INET6)
        setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(s->fd, (struct sockaddr *)&a.ss, a.len) < 0 || listen(s->fd, 512) < 0)
        return err_sys(e, errno, "cannot listen on %s port %u", bind_to, port);
    return learn_port(s, &a, e);
}

struct listener *listener_new(struct loop *l, const char *bind_to, uint16_t port, listener_fn *fn,
                              void *arg, struct err *e) {
    struct listener *s = mem_new(sizeof *s);

    *s = (struct listener){.fd = -1, .fn = fn, .arg = arg};
    if (listen_on(s, bind_to, port, e)) {
        listener_free(s);
        return NULL;
    }
    s->watch = loop_fd_add(l, s->fd, LOOP_IN, on_ready, s);
    if (s->watch)
        return s;
    err_sys(e, errno, "cannot watch the socket");
    listener_free(s);
    return NULL;
}

void listener_free(struct listener *s) {
    if (!s)
        return;
    loop_fd_del(s->watch);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

uint16_t listener_port(const struct listener *s) {
    return s->port;
}

bool listener_loopback(const struct listener *s) {
    return s->loopback;
}
