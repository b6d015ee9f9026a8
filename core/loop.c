#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64 /* descriptors served per turn */
#define NOT_ARMED SIZE_MAX
#define SIGNALS 65

struct loop_fd {
    struct loop *loop;
    int fd;
    unsigned events;
    loop_fd_fn *fn;
    void *arg;
    bool dead; /* deleted; freed when no dispatch can still hold a pointer to it */
    struct loop_fd *next;
};

struct loop_timer {
    struct loop *loop;
    int64_t at;
    size_t slot; /* index in the heap, or NOT_ARMED */
    loop_timer_fn *fn;
    void *arg;
    struct loop_timer *prev, *next; /* all timers, armed or not */
};

struct loop_child {
    struct loop *loop;
    int pid, pidfd;
    struct loop_fd *watch; /* NULL once reaped */
    loop_child_fn *fn;
    void *arg;
    struct loop_child *next;
};

struct loop {
    int epoll, timerfd, sigfd;
    bool quit;
    int depth; /* dispatch nesting: graves are cleared at 0 only */
    struct loop_fd *fds, *graves;
    struct loop_timer *timers;
    struct loop_timer **heap; /* binary heap by deadline */
    size_t heap_n, heap_cap;
    int64_t armed; /* what the timerfd is set to; -1 = disarmed */
    struct loop_child *children;
    sigset_t signals;
    struct {
        loop_signal_fn *fn;
        void *arg;
    } on_signal[SIGNALS];
    loop_idle_fn *idle;
    void *idle_arg;
    void (*wait)(void *arg);
    void *wait_arg;
};

int64_t loop_now(void) {
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t unix_now(void) {
    return (int64_t)time(NULL);
}

static void fd_close(int fd) {
    if (fd >= 0)
        close(fd);
}

/* ---- descriptors ---- */

static uint32_t to_epoll(unsigned events) {
    return (events & LOOP_IN ? (uint32_t)EPOLLIN : 0) |
           (events & LOOP_OUT ? (uint32_t)EPOLLOUT : 0);
}

static unsigned from_epoll(uint32_t events) {
    return (events & EPOLLIN ? LOOP_IN : 0) | (events & EPOLLOUT ? LOOP_OUT : 0) |
           (events & (EPOLLHUP | EPOLLERR) ? LOOP_HUP : 0);
}

struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *arg) {
    struct loop_fd *f = mem_new(sizeof *f);
    struct epoll_event ev = {.events = to_epoll(events), .data.ptr = f};

    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
        free(f);
        return NULL;
    }
    *f = (struct loop_fd){
        .loop = l, .fd = fd, .events = events, .fn = fn, .arg = arg, .next = l->fds};
    l->fds = f;
    return f;
}

void loop_fd_want(struct loop_fd *f, unsigned events) {
    struct epoll_event ev = {.events = to_epoll(events), .data.ptr = f};

    if (f->events == events)
        return;
    f->events = events;
    epoll_ctl(f->loop->epoll, EPOLL_CTL_MOD, f->fd, &ev);
}

static void graves_clear(struct loop *l) {
    while (l->graves) {
        struct loop_fd *f = l->graves;

        l->graves = f->next;
        free(f);
    }
}

void loop_fd_del(struct loop_fd *f) {
    struct loop *l;

    if (!f || f->dead)
        return;
    l = f->loop;
    f->dead = true;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL);
    for (struct loop_fd **p = &l->fds; *p; p = &(*p)->next)
        if (*p == f) {
            *p = f->next;
            break;
        }
    f->next = l->graves;
    l->graves = f;
    if (!l->depth)
        graves_clear(l);
}

/* ---- timers: a binary heap under one timerfd ---- */

static void heap_put(struct loop *l, size_t i, struct loop_timer *t) {
    l->heap[i] = t;
    t->slot = i;
}

static void heap_up(struct loop *l, size_t i) {
    struct loop_timer *t = l->heap[i];

    while (i && l->heap[(i - 1) / 2]->at > t->at) {
        heap_put(l, i, l->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i) {
    struct loop_timer *t = l->heap[i];

    for (;;) {
        size_t kid = 2 * i + 1;

        if (kid >= l->heap_n)
            break;
        if (kid + 1 < l->heap_n && l->heap[kid + 1]->at < l->heap[kid]->at)
            kid++;
        if (l->heap[kid]->at >= t->at)
            break;
        heap_put(l, i, l->heap[kid]);
        i = kid;
    }
    heap_put(l, i, t);
}

static void heap_remove(struct loop *l, struct loop_timer *t) {
    struct loop_timer *last;
    size_t i = t->slot;

    if (i == NOT_ARMED)
        return;
    t->slot = NOT_ARMED;
    last = l->heap[--l->heap_n];
    if (last == t)
        return;
    heap_put(l, i, last);
    heap_down(l, i);
    heap_up(l, last->slot);
}

static void heap_insert(struct loop *l, struct loop_timer *t) {
    if (l->heap_n == l->heap_cap) {
        l->heap_cap = l->heap_cap ? l->heap_cap * 2 : 16;
        l->heap = mem_grow(l->heap, l->heap_cap * sizeof(struct loop_timer *));
    }
    heap_put(l, l->heap_n++, t);
    heap_up(l, t->slot);
}

static void timerfd_arm(struct loop *l) {
    int64_t at = l->heap_n ? l->heap[0]->at : -1;
    struct itimerspec its = {0};

    if (at == l->armed)
        return;
    l->armed = at;
    if (at >= 0) {
        its.it_value.tv_sec = at / 1000;
        its.it_value.tv_nsec = at % 1000 * 1000000;
        if (at == 0)
            its.it_value.tv_nsec = 1; /* an all-zero value would disarm */
    }
    timerfd_settime(l->timerfd, TFD_TIMER_ABSTIME, &its, NULL);
}

struct loop_timer *loop_timer_add(struct loop *l, int64_t at, loop_timer_fn *fn, void *arg) {
    struct loop_timer *t = mem_new(sizeof *t);

    *t = (struct loop_timer){.loop = l, .slot = NOT_ARMED, .fn = fn, .arg = arg, .next = l->timers};
    if (l->timers)
        l->timers->prev = t;
    l->timers = t;
    loop_timer_set(t, at);
    return t;
}

void loop_timer_set(struct loop_timer *t, int64_t at) {
    heap_remove(t->loop, t);
    t->at = at;
    if (at >= 0)
        heap_insert(t->loop, t);
    timerfd_arm(t->loop);
}

void loop_timer_del(struct loop_timer *t) {
    if (!t)
        return;
    heap_remove(t->loop, t);
    timerfd_arm(t->loop);
    if (t->prev)
        t->prev->next = t->next;
    else
        t->loop->timers = t->next;
    if (t->next)
        t->next->prev = t->prev;
    free(t);
}

/* A timer that its callback re-arms for the past waits for the next turn: at most as many calls as
 * timers were armed when the turn began. */
static void timers_fire(struct loop *l) {
    int64_t now = loop_now();

    for (size_t n = l->heap_n; n && l->heap_n && l->heap[0]->at <= now; n--) {
        struct loop_timer *t = l->heap[0];

        heap_remove(l, t);
        t->fn(t->arg);
    }
    l->armed = -2; /* the descriptor has gone off: set it again whatever the value */
    timerfd_arm(l);
}

static void on_timerfd(void *arg, unsigned ready) {
    struct loop *l = arg;
    uint64_t ticks;

    (void)ready;
    if (read(l->timerfd, &ticks, sizeof ticks) == (ssize_t)sizeof ticks)
        timers_fire(l);
}

/* ---- signals ---- */

static void on_sigfd(void *arg, unsigned ready) {
    struct loop *l = arg;
    struct signalfd_siginfo si;

    (void)ready;
    while (read(l->sigfd, &si, sizeof si) == (ssize_t)sizeof si)
        if (si.ssi_signo < SIGNALS && l->on_signal[si.ssi_signo].fn)
            l->on_signal[si.ssi_signo].fn(l->on_signal[si.ssi_signo].arg, (int)si.ssi_signo);
}

void loop_signal(struct loop *l, int sig, loop_signal_fn *fn, void *arg) {
    l->on_signal[sig].fn = fn;
    l->on_signal[sig].arg = arg;
    sigaddset(&l->signals, sig);
    pthread_sigmask(SIG_BLOCK, &l->signals, NULL);
    signalfd(l->sigfd, &l->signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* ---- children ---- */

static void on_pidfd(void *arg, unsigned ready) {
    struct loop_child *c = arg;
    int status = 0;

    (void)ready;
    if (waitpid(c->pid, &status, WNOHANG) != c->pid)
        return;
    loop_fd_del(c->watch);
    c->watch = NULL;
    c->fn(c->arg, status);
}

struct loop_child *loop_child_add(struct loop *l, int pid, loop_child_fn *fn, void *arg) {
    struct loop_child *c = mem_new(sizeof *c);

    *c = (struct loop_child){.loop = l, .pid = pid, .fn = fn, .arg = arg, .next = l->children};
    c->pidfd = pidfd_open(pid, 0);
    if (c->pidfd >= 0)
        c->watch = loop_fd_add(l, c->pidfd, LOOP_IN, on_pidfd, c);
    if (!c->watch) {
        fd_close(c->pidfd);
        free(c);
        return NULL;
    }
    l->children = c;
    return c;
}

int loop_child_kill(struct loop_child *c, int sig) {
    return c->watch ? pidfd_send_signal(c->pidfd, sig, NULL, 0) : (errno = ESRCH, -1);
}

void loop_child_del(struct loop_child *c) {
    if (!c)
        return;
    for (struct loop_child **p = &c->loop->children; *p; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    loop_fd_del(c->watch);
    close(c->pidfd);
    free(c);
}

/* ---- the loop itself ---- */

static int loop_open(struct loop *l, struct err *e) {
    sigemptyset(&l->signals);
    l->armed = -1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->timerfd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    l->sigfd = signalfd(-1, &l->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (l->epoll < 0 || l->timerfd < 0 || l->sigfd < 0)
        return err_sys(e, errno, "cannot make the event loop's descriptors");
    if (!loop_fd_add(l, l->timerfd, LOOP_IN, on_timerfd, l) ||
        !loop_fd_add(l, l->sigfd, LOOP_IN, on_sigfd, l))
        return err_sys(e, errno, "cannot watch the event loop's descriptors");
    return 0;
}

struct loop *loop_new(struct err *e) {
    struct loop *l = mem_new(sizeof *l);

    if (loop_open(l, e) == 0)
        return l;
    loop_free(l);
    return NULL;
}

void loop_free(struct loop *l) {
    if (!l)
        return;
    while (l->children)
        loop_child_del(l->children);
    while (l->timers)
        loop_timer_del(l->timers);
    while (l->fds)
        loop_fd_del(l->fds);
    graves_clear(l);
    fd_close(l->epoll);
    fd_close(l->timerfd);
    fd_close(l->sigfd);
    pthread_sigmask(SIG_UNBLOCK, &l->signals, NULL);
    free(l->heap);
    free(l);
}

static void dispatch(struct loop *l, int timeout_ms) {
    struct epoll_event ev[BATCH];
    int n = epoll_wait(l->epoll, ev, BATCH, timeout_ms);

    l->depth++;
    for (int i = 0; i < n; i++) {
        struct loop_fd *f = ev[i].data.ptr;

        if (!f->dead)
            f->fn(f->arg, from_epoll(ev[i].events));
    }
    if (--l->depth == 0)
        graves_clear(l);
}

void loop_dispatch(struct loop *l) {
    dispatch(l, 0);
}

int loop_epoll_fd(const struct loop *l) {
    return l->epoll;
}

void loop_set_waiter(struct loop *l, void (*wait)(void *arg), void *arg) {
    l->wait = wait;
    l->wait_arg = arg;
}

void loop_on_idle(struct loop *l, loop_idle_fn *fn, void *arg) {
    l->idle = fn;
    l->idle_arg = arg;
}

static void turn(struct loop *l, int max_ms) {
    if (l->wait)
        l->wait(l->wait_arg);
    else
        dispatch(l, max_ms);
    if (l->idle)
        l->idle(l->idle_arg);
}

void loop_run(struct loop *l) {
    while (!l->quit)
        turn(l, -1);
    l->quit = false;
}

static void nothing(void *arg) {
    (void)arg;
}

/* The waiter takes no timeout, so a timer of our own ends its sleep. */
bool loop_turn(struct loop *l, int max_ms) {
    struct loop_timer *limit = NULL;
    bool more;

    if (l->wait && max_ms >= 0)
        limit = loop_timer_add(l, loop_now() + max_ms, nothing, NULL);
    turn(l, max_ms);
    loop_timer_del(limit);
    more = !l->quit;
    l->quit = false;
    return more;
}

void loop_quit(struct loop *l) {
    l->quit = true;
}
