/* One epoll set for everything that is ours: fds, absolute deadlines, signals, children.
 *
 * Works alone (loop_run sleeps in epoll_wait) or adopted by libwebsockets (ws_attach: the epoll fd
 * is one raw file descriptor of the lws context, and loop_run calls lws_service). Single thread.
 * Callbacks may add and remove any source, their own included. */
#ifndef CDVM_LOOP_H
#define CDVM_LOOP_H

#include "bytes.h"

struct loop;
struct loop_fd; /* a watched descriptor; the descriptor itself stays the caller's */
struct loop_timer;
struct loop_child;

struct loop *loop_new(struct err *e);
void loop_free(struct loop *l); /* removes every source; NULL legal */

/* events: LOOP_IN, LOOP_OUT. The callback gets what is ready (LOOP_HUP is always reported). NULL
 * with errno when the descriptor cannot be watched (EPERM: a regular file is always ready). */
#define LOOP_IN 1u
#define LOOP_OUT 2u
#define LOOP_HUP 4u
typedef void loop_fd_fn(void *arg, unsigned ready);
struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events, loop_fd_fn *fn, void *arg);
void loop_fd_want(struct loop_fd *f, unsigned events);
void loop_fd_del(struct loop_fd *f); /* NULL legal; safe inside callbacks */

/* Deadlines are absolute milliseconds of loop_now (CLOCK_BOOTTIME). One shot. */
typedef void loop_timer_fn(void *arg);
int64_t loop_now(void);
int64_t unix_now(void); /* wall clock seconds */
struct loop_timer *loop_timer_add(struct loop *l, int64_t at, loop_timer_fn *fn, void *arg);
void loop_timer_set(struct loop_timer *t, int64_t at); /* re-arm; -1 disarms */
void loop_timer_del(struct loop_timer *t);             /* NULL legal */

/* Blocks the signal and delivers it as data (signalfd). A child made by fork inherits the blocked
 * mask and must reset it. */
typedef void loop_signal_fn(void *arg, int sig);
void loop_signal(struct loop *l, int sig, loop_signal_fn *fn, void *arg);

/* Watches a child by pidfd and reaps it; status as from waitpid. One call; the handle stays valid
 * until loop_child_del, which does not kill. NULL with errno when there is no such child. */
typedef void loop_child_fn(void *arg, int status);
struct loop_child *loop_child_add(struct loop *l, int pid, loop_child_fn *fn, void *arg);
int loop_child_kill(struct loop_child *c, int sig); /* pidfd_send_signal: never another process */
void loop_child_del(struct loop_child *c);

/* Runs until loop_quit. `idle` (may be NULL) is called once per turn, last: drawing goes there. */
typedef void loop_idle_fn(void *arg);
void loop_on_idle(struct loop *l, loop_idle_fn *fn, void *arg);
void loop_run(struct loop *l);
bool loop_turn(struct loop *l, int max_ms); /* one turn, for tests; false if it called loop_quit */
void loop_quit(struct loop *l);

/* For ws.c only: the epoll fd, dispatching without sleeping, and who sleeps instead of epoll_wait.
 */
int loop_epoll_fd(const struct loop *l);
void loop_dispatch(struct loop *l);
void loop_set_waiter(struct loop *l, void (*wait)(void *arg), void *arg);

#endif
