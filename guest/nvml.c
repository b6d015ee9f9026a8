#include "nvml.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_TRIES 50 /* times 2 ms, for the child to be gone */

struct nvml {
    int fd;
    pid_t pid;
    struct buf in;
    enum nvml_op asked; /* 0: nothing */
    bool failed;
    struct loop *loop;
    struct loop_fd *watch;
    struct loop_timer *timer;
    struct nvml_handler h;
    void *arg;
    struct nvml_answer answer;
};

struct nvml *nvml_from_fd(int fd, pid_t pid) {
    struct nvml *n = mem_new(sizeof *n);

    *n = (struct nvml){.fd = fd, .pid = pid};
    buf_init(&n->in, NVML_ANSWER_MAX + 8);
    return n;
}

void nvml_free(struct nvml *n) {
    if (!n)
        return;
    nvml_unwatch(n);
    kill(n->pid, SIGKILL);
    for (int i = 0; i < END_TRIES && !waitpid(n->pid, NULL, WNOHANG); i++)
        usleep(2000);
    close(n->fd);
    buf_free(&n->in);
    free(n);
}

static int gone(struct err *e) {
    return err_set(e, "bad-nvml", "the NVML child has ended");
}

static int ask(struct nvml *n, enum nvml_op op, struct view payload, struct err *e) {
    cleanup_buf struct buf frame = {0};

    n->asked = op;
    buf_reset(&n->in);
    nvml_ask_put(&frame, op, payload);
    return send(n->fd, frame.p, frame.n, MSG_NOSIGNAL) == (ssize_t)frame.n ? 0 : gone(e);
}

/* What there is to be read, once. */
static int fill(struct nvml *n, struct err *e) {
    uint8_t chunk[16384];
    const ssize_t got = recv(n->fd, chunk, sizeof chunk, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return gone(e);
    buf_add(&n->in, chunk, (size_t)got);
    if (!n->asked || n->in.full)
        return err_set(e, "bad-nvml", "the NVML child says what it was not asked");
    return 0;
}

/* 1: the answer is there. 0: not yet. -1: there will be none that counts. */
static int take(struct nvml *n, struct err *e) {
    size_t whole;
    const int rc = nvml_answer_whole(buf_view(&n->in), &whole, e);

    if (rc <= 0)
        return rc;
    if (whole != n->in.n)
        return err_set(e, "bad-nvml", "the NVML child says more than one answer");
    return nvml_answer_parse(buf_view(&n->in), n->asked, &n->answer, e) ? -1 : 1;
}

static int late(struct err *e) {
    return err_set(e, "gpu-driver", "the GPU's driver did not answer in time");
}

static int wait_answer(struct nvml *n, int64_t until, struct err *e) {
    struct pollfd p = {.fd = n->fd, .events = POLLIN};
    int64_t left;
    int rc;

    while (!(rc = take(n, e))) {
        left = until - loop_now();
        if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
            return late(e);
        if (p.revents && fill(n, e))
            return -1;
    }
    return rc < 0 ? -1 : 0;
}

int nvml_ask(struct nvml *n, enum nvml_op op, struct view payload, int ms, struct nvml_answer *out,
             struct err *e) {
    if (n->failed)
        return gone(e);
    if (ask(n, op, payload, e) || wait_answer(n, loop_now() + ms, e)) {
        n->failed = true;
        return -1;
    }
    n->asked = (enum nvml_op)0;
    *out = n->answer;
    return 0;
}

/* --- through the loop --- */

void nvml_unwatch(struct nvml *n) {
    loop_fd_del(n->watch);
    loop_timer_del(n->timer);
    n->watch = NULL;
    n->timer = NULL;
}

static void fail(struct nvml *n, const struct err *e) {
    if (n->failed)
        return;
    n->failed = true;
    nvml_unwatch(n);
    n->h.failed(n->arg, e);
}

static void on_late(void *arg) {
    struct err e;

    (void)!late(&e);
    fail(arg, &e);
}

static void on_readable(void *arg, unsigned ready) {
    struct nvml *n = arg;
    enum nvml_op op;
    struct err e;
    int rc = fill(n, &e);

    (void)ready;
    if (!rc)
        rc = take(n, &e);
    if (rc < 0) {
        fail(n, &e);
        return;
    }
    if (!rc)
        return;
    op = n->asked;
    n->asked = (enum nvml_op)0;
    loop_timer_set(n->timer, -1);
    n->h.answer(n->arg, op, &n->answer);
}

void nvml_watch(struct nvml *n, struct loop *l, const struct nvml_handler *h, void *arg) {
    n->loop = l;
    n->h = *h;
    n->arg = arg;
    n->watch = loop_fd_add(l, n->fd, LOOP_IN, on_readable, n);
    n->timer = loop_timer_add(l, -1, on_late, n);
}

/* A question that cannot be sent fails as one without an answer does: from the loop. */
void nvml_send(struct nvml *n, enum nvml_op op, struct view payload, int ms) {
    struct err e;

    if (!n->failed)
        loop_timer_set(n->timer, loop_now() + (ask(n, op, payload, &e) ? 0 : ms));
}
