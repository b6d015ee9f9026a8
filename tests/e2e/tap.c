/* A listener on the wire: a TCP proxy that writes down what passes, one file a connection and
 * direction, with websocket frames taken apart and unmasked, so that a test can grep what a relay
 * sent and received.
 *
 * usage: tap TARGET_PORT DIR      prints the port it listens on (127.0.0.1) */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/bytes.h"

#define PAIRS 64

enum phase { HEAD, RAW, FRAME_HEAD, FRAME_BODY };

struct stream { /* one direction */
    int from, to, log;
    enum phase phase;
    struct buf head; /* HTTP header, or the header of a frame */
    uint64_t left;   /* of the frame's payload */
    uint8_t mask[4];
    bool masked;
    size_t at; /* in the payload, for the mask */
};
struct pair {
    bool used;
    struct stream up, down;
};
static struct pair pairs[PAIRS];

static void write_all(int fd, const void *p, size_t n) {
    if (fd_write_all(fd, view_of(p, n), NULL) < 0)
        errno = 0; /* the other side has gone: poll will say so */
}

/* Header bytes of a frame (RFC 6455, 5.2) that are known to be there: 2, then more. */
static size_t frame_head_size(const struct buf *h) {
    size_t n = 2;

    if (h->n < 2)
        return 2;
    if ((h->p[1] & 0x7f) == 126)
        n += 2;
    if ((h->p[1] & 0x7f) == 127)
        n += 8;
    return n + ((h->p[1] & 0x80) ? 4 : 0);
}

static void begin_frame(struct stream *s) {
    const uint8_t *p = s->head.p;
    size_t extra = (p[1] & 0x7f) == 126 ? 2 : (p[1] & 0x7f) == 127 ? 8 : 0;

    s->left = extra ? 0 : p[1] & 0x7fU;
    for (size_t i = 0; i < extra; i++)
        s->left = s->left << 8 | p[2 + i];
    s->masked = p[1] & 0x80;
    s->at = 0;
    if (s->masked)
        memcpy(s->mask, p + 2 + extra, 4);
    buf_reset(&s->head);
    s->phase = s->left ? FRAME_BODY : FRAME_HEAD;
}

static void log_body(struct stream *s, uint8_t *p, size_t n) {
    for (size_t i = 0; i < n && s->masked; i++)
        p[i] ^= s->mask[s->at++ & 3];
    write_all(s->log, p, n);
}

static bool upgraded(const struct buf *head) {
    return strstr((const char *)head->p, "websocket") || strstr((const char *)head->p, "WebSocket");
}

/* Takes some of the bytes; returns how many. */
static size_t take(struct stream *s, uint8_t *p, size_t n) {
    size_t want = 1;

    switch (s->phase) {
    case HEAD:
        buf_add(&s->head, p, 1);
        write_all(s->log, p, 1);
        if (s->head.n >= 4 && !memcmp(s->head.p + s->head.n - 4, "\r\n\r\n", 4)) {
            s->phase = upgraded(&s->head) ? FRAME_HEAD : RAW;
            buf_reset(&s->head);
        }
        return 1;
    case RAW:
        write_all(s->log, p, n);
        return n;
    case FRAME_HEAD:
        buf_add(&s->head, p, 1);
        if (s->head.n == frame_head_size(&s->head))
            begin_frame(s);
        return 1;
    case FRAME_BODY:
        want = n < s->left ? n : (size_t)s->left;
        log_body(s, p, want);
        s->left -= want;
        if (!s->left)
            s->phase = FRAME_HEAD;
        return want;
    }
    return n;
}

static bool pump(struct stream *s) {
    uint8_t b[65536];
    ssize_t n = read(s->from, b, sizeof b);

    if (n <= 0)
        return false;
    write_all(s->to, b, (size_t)n);
    for (size_t at = 0; at < (size_t)n;)
        at += take(s, b + at, (size_t)n - at);
    return true;
}

static int open_log(const char *dir, unsigned conn, const char *which) {
    cleanup_free char *path = mem_fmt("%s/%u.%s", dir, conn, which);

    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void end_pair(struct pair *p) {
    close(p->up.from);
    close(p->down.from);
    close(p->up.log);
    close(p->down.log);
    buf_free(&p->up.head);
    buf_free(&p->down.head);
    *p = (struct pair){0};
}

static void begin_pair(int client, uint16_t target, const char *dir) {
    static unsigned conn;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(target),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = connect(server, (void *)&a, sizeof a) == 0;

    for (size_t i = 0; i < PAIRS && up; i++)
        if (!pairs[i].used) {
            pairs[i] = (struct pair){
                .used = true,
                .up = {.from = client, .to = server, .log = open_log(dir, conn, "up")},
                .down = {.from = server, .to = client, .log = open_log(dir, conn, "down")}};
            conn++;
            return;
        }
    close(client);
    close(server);
}

static int listen_somewhere(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (void *)&a, sizeof a) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (void *)&a, &n) < 0)
        return -1;
    printf("%u\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

static void turn(int listener, uint16_t target, const char *dir) {
    struct pollfd p[1 + 2 * PAIRS] = {{.fd = listener, .events = POLLIN}};

    for (size_t i = 0; i < PAIRS; i++) {
        p[1 + 2 * i] = (struct pollfd){pairs[i].used ? pairs[i].up.from : -1, POLLIN, 0};
        p[2 + 2 * i] = (struct pollfd){pairs[i].used ? pairs[i].down.from : -1, POLLIN, 0};
    }
    if (poll(p, COUNT(p), -1) < 0)
        return;
    for (size_t i = 0; i < PAIRS; i++)
        if ((p[1 + 2 * i].revents && !pump(&pairs[i].up)) ||
            (pairs[i].used && p[2 + 2 * i].revents && !pump(&pairs[i].down)))
            end_pair(&pairs[i]);
    if (p[0].revents)
        begin_pair(accept4(listener, NULL, NULL, SOCK_CLOEXEC), target, dir);
}

int main(int argc, char **argv) {
    int listener = listen_somewhere();
    long target = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

    signal(SIGPIPE, SIG_IGN);
    if (listener < 0 || target < 1 || target > 65535)
        return 64;
    for (;;)
        turn(listener, (uint16_t)target, argv[2]);
}
