/* A websocket server that does exactly what a test tells it to, however wrong: bare sockets on the
 * test's loop, one client at a time. */
#ifndef CDVM_TEST_HOSTILE_H
#define CDVM_TEST_HOSTILE_H

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/loop.h"

struct hostile {
    struct loop *loop;
    int listener, fd; /* fd -1: no client */
    struct loop_fd *lwatch, *watch;
    char url[64];
    struct buf in, out, heard; /* heard: every text of the client, one a line */
    bool shaken;
    unsigned conns;
    void (*on_text)(struct hostile *h, const char *text);
    void (*on_drained)(struct hostile *h); /* everything is written: for floods */
    void *arg;
};

static inline void hostile_hang_up(struct hostile *h) {
    loop_fd_del(h->watch);
    h->watch = NULL;
    if (h->fd >= 0)
        close(h->fd);
    h->fd = -1;
    h->shaken = false;
    buf_reset(&h->in);
    buf_reset(&h->out);
}

static inline void hostile_raw(struct hostile *h, const void *p, size_t n) {
    buf_add(&h->out, p, n);
    if (h->watch)
        loop_fd_want(h->watch, LOOP_IN | LOOP_OUT);
}

/* One unmasked text frame, as servers send. */
static inline void hostile_say(struct hostile *h, const char *text) {
    size_t n = strlen(text);
    uint8_t head[10] = {0x81};
    size_t head_n = n < 126 ? 2 : n < 65536 ? 4 : 10;

    head[1] = (uint8_t)(n < 126 ? n : n < 65536 ? 126 : 127);
    for (size_t i = 2; i < head_n; i++)
        head[i] = (uint8_t)(n >> 8 * (head_n - 1 - i));
    hostile_raw(h, head, head_n);
    hostile_raw(h, text, n);
}

static inline void hostile_shake(struct hostile *h) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char *key = strcasestr((char *)h->in.p, "sec-websocket-key:"), *end;
    cleanup_buf struct buf accept = {0};
    cleanup_free char *text = NULL, *joined = NULL;
    uint8_t digest[20];

    if (!key || !(end = strstr((char *)h->in.p, "\r\n\r\n")))
        return;
    key += strcspn(key, ":") + 1;
    key += strspn(key, " ");
    joined = mem_fmt("%.*s%s", (int)strcspn(key, "\r"), key, guid);
    SHA1((const uint8_t *)joined, strlen(joined), digest);
    base64_encode(view_of(digest, sizeof digest), &accept);
    text = mem_fmt("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   (char *)accept.p);
    buf_drop(&h->in, (size_t)(end + 4 - (char *)h->in.p));
    h->shaken = true;
    hostile_raw(h, text, strlen(text));
}

/* Takes one masked frame off h->in; false when it is not whole yet. */
static inline bool hostile_frame(struct hostile *h) {
    const uint8_t *p = h->in.p;
    size_t head = 2, n;
    cleanup_free char *text = NULL;

    if (h->in.n < 2)
        return false;
    n = p[1] & 127;
    head += n == 126 ? 2 : n == 127 ? 8 : 0;
    if (h->in.n < head + 4)
        return false;
    if (head > 2)
        n = 0;
    for (size_t i = 2; i < head; i++)
        n = n << 8 | p[i];
    if (h->in.n < head + 4 + n)
        return false;
    text = mem_new(n + 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(p[head + 4 + i] ^ p[head + i % 4]);
    n += head + 4;
    if ((p[0] & 15) == 1) {
        buf_fmt(&h->heard, "%s\n", text);
        buf_drop(&h->in, n);
        if (h->on_text)
            h->on_text(h, text);
    } else {
        buf_drop(&h->in, n);
    }
    return true;
}

static inline void hostile_read(struct hostile *h) {
    uint8_t chunk[65536];
    ssize_t n = read(h->fd, chunk, sizeof chunk);

    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            hostile_hang_up(h);
        return;
    }
    buf_add(&h->in, chunk, (size_t)n);
    if (!h->shaken)
        hostile_shake(h);
    while (h->fd >= 0 && h->shaken && hostile_frame(h))
        ;
}

static inline void hostile_write(struct hostile *h) {
    ssize_t n = h->out.n ? send(h->fd, h->out.p, h->out.n, MSG_NOSIGNAL) : 0;

    if (n < 0) {
        if (errno != EAGAIN)
            hostile_hang_up(h);
        return;
    }
    buf_drop(&h->out, (size_t)n);
    if (!h->out.n && h->on_drained && h->shaken)
        h->on_drained(h);
    if (h->watch)
        loop_fd_want(h->watch, LOOP_IN | (h->out.n ? LOOP_OUT : 0));
}

static inline void hostile_ready(void *arg, unsigned ready) {
    struct hostile *h = arg;

    if (ready & (LOOP_IN | LOOP_HUP))
        hostile_read(h);
    if (h->fd >= 0 && (ready & LOOP_OUT))
        hostile_write(h);
}

static inline void hostile_accept(void *arg, unsigned ready) {
    struct hostile *h = arg;

    (void)ready;
    hostile_hang_up(h);
    h->fd = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    h->conns++;
    h->watch = loop_fd_add(h->loop, h->fd, LOOP_IN, hostile_ready, h);
}

static inline void hostile_up(struct hostile *h, struct loop *l) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    *h = (struct hostile){.loop = l, .fd = -1};
    h->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(h->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(h->listener, 8), 0);
    assert_int_equal(getsockname(h->listener, (struct sockaddr *)&a, &n), 0);
    snprintf(h->url, sizeof h->url, "ws://127.0.0.1:%u", ntohs(a.sin_port));
    h->lwatch = loop_fd_add(l, h->listener, LOOP_IN, hostile_accept, h);
}

static inline void hostile_down(struct hostile *h) {
    hostile_hang_up(h);
    loop_fd_del(h->lwatch);
    close(h->listener);
    buf_free(&h->in);
    buf_free(&h->out);
    buf_free(&h->heard);
}

static inline size_t hostile_heard(const struct hostile *h, const char *what) {
    size_t n = 0;

    for (const char *p = (const char *)h->heard.p; p && (p = strstr(p, what)); p++)
        n++;
    return n;
}

#endif
