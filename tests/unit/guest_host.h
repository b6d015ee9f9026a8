/* The host of a guest's session: the other end of its channel, and a customer's request. */
#ifndef CDVM_TEST_GUEST_HOST_H
#define CDVM_TEST_GUEST_HOST_H

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/channel.h"
#include "tests/unit/guest_job.h"
#include "tests/unit/unit.h"

#define WAIT_MS 20000

struct host {
    int fd;
    pid_t child;
    struct chan_in in;
    struct made_job job;
};

/* Runs `guest` on the other end of the channel, in a child, as it will be in the guest: alone. */
static inline void host_start(struct host *h, void (*guest)(int fd)) {
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    h->child = fork();
    if (!h->child) {
        close(fds[0]);
        guest(fds[1]);
        _exit(255);
    }
    close(fds[1]);
    h->fd = fds[0];
    chan_in_init(&h->in);
    job_make(&h->job);
}

static inline void send_bytes(struct host *h, struct view v) {
    assert_int_equal(write(h->fd, v.p, v.n), v.n);
}

static inline void send_frame(struct host *h, enum chan_type type, struct view payload) {
    cleanup_buf struct buf b = {0};

    assert_int_equal(chan_put(&b, type, payload, NULL), 0);
    send_bytes(h, buf_view(&b));
}

static inline void send_job(struct host *h) {
    cleanup_buf struct buf json = {0};

    job_frame(&h->job, NULL, &json);
    send_frame(h, CHAN_JOB, buf_view(&json));
}

static inline bool fill(struct host *h) {
    struct pollfd p = {.fd = h->fd, .events = POLLIN};
    uint8_t chunk[4096];
    ssize_t n;

    if (poll(&p, 1, WAIT_MS) <= 0)
        fail_msg("the guest says nothing");
    n = read(h->fd, chunk, sizeof chunk);
    if (n <= 0)
        return false;
    chan_feed(&h->in, view_of(chunk, (size_t)n));
    return true;
}

/* The next frame; false at the end. */
static inline bool next(struct host *h, struct chan_frame *f) {
    int rc;

    while (!(rc = chan_next(&h->in, f, NULL)))
        if (!fill(h))
            return false;
    assert_int_equal(rc, 1);
    return true;
}

/* Skips to a frame of that type. */
static inline struct view expect(struct host *h, enum chan_type type) {
    struct chan_frame f;

    do
        if (!next(h, &f))
            fail_msg("the guest hung up before a frame of type %d", (int)type);
    while (f.type != type);
    return f.payload;
}

/* The last STATE, after which the guest is gone with it as its status. */
static inline void expect_end(struct host *h, uint8_t want) {
    struct chan_frame f;
    uint8_t last = 0;
    int status;

    while (next(h, &f))
        if (f.type == CHAN_STATE)
            last = f.payload.p[0];
    assert_string_equal(chan_state_name(last), chan_state_name(want ? want : CHAN_WIPING));
    waitpid(h->child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), want);
    chan_in_free(&h->in);
    close(h->fd);
    job_drop(&h->job);
}

#endif
