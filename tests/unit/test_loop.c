#include "core/loop.c"
#include "tests/unit/unit.h"

static struct loop *fresh(void) {
    struct err e;
    struct loop *l = loop_new(&e);

    assert_non_null(l);
    return l;
}

/* ---- timers ---- */

struct order {
    struct loop *l;
    char seen[16];
    size_t n;
    struct loop_timer *t[4];
};
struct mark {
    struct order *o;
    char name;
};

static void note(void *arg) {
    struct mark *m = arg;

    m->o->seen[m->o->n++] = m->name;
}

static void timers_fire_in_order_of_deadline(void **state) {
    struct order o = {.l = fresh()};
    struct mark m[] = {{&o, 'c'}, {&o, 'a'}, {&o, 'b'}, {&o, 'x'}};
    int64_t now = loop_now();

    (void)state;
    loop_timer_add(o.l, now + 30, note, &m[0]);
    loop_timer_add(o.l, now + 10, note, &m[1]);
    loop_timer_add(o.l, now + 20, note, &m[2]);
    loop_timer_del(loop_timer_add(o.l, now + 15, note, &m[3]));
    while (o.n < 3)
        loop_turn(o.l, 100);
    assert_string_equal(o.seen, "abc");
    assert_true(loop_now() - now >= 30);
    loop_free(o.l);
}

static void delete_all(void *arg) {
    struct order *o = arg;

    o->n++;
    for (size_t i = 0; i < COUNT(o->t); i++)
        loop_timer_del(o->t[i]);
}

static void a_timer_may_delete_itself_and_others(void **state) {
    struct order o = {.l = fresh()};

    (void)state;
    for (size_t i = 0; i < COUNT(o.t); i++)
        o.t[i] = loop_timer_add(o.l, loop_now(), delete_all, &o);
    for (int i = 0; i < 3; i++)
        loop_turn(o.l, 5);
    assert_int_equal(o.n, 1);
    loop_free(o.l);
}

static void again_at_once(void *arg) {
    struct order *o = arg;

    o->n++;
    loop_timer_set(o->t[0], loop_now() - 5);
}

static void a_timer_set_to_the_past_fires_once_a_turn(void **state) {
    struct order o = {.l = fresh()};

    (void)state;
    o.t[0] = loop_timer_add(o.l, loop_now() - 5, again_at_once, &o);
    for (int i = 0; i < 4; i++)
        loop_turn(o.l, 100);
    assert_int_equal(o.n, 4);
    loop_timer_set(o.t[0], -1);
    loop_turn(o.l, 5);
    assert_int_equal(o.n, 4);
    loop_free(o.l);
}

static void many_timers_keep_their_order(void **state) {
    struct order o = {.l = fresh()};
    struct loop_timer *t[500];
    int64_t last = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++)
        t[i] = loop_timer_add(o.l, 1000 + (int64_t)(i * 7919 % 500), note, NULL);
    for (size_t i = 0; i < COUNT(t); i += 3)
        loop_timer_set(t[i], 2000 - (int64_t)i);
    for (size_t i = 1; i < COUNT(t); i += 3)
        loop_timer_del(t[i]);
    while (o.l->heap_n) {
        assert_true(o.l->heap[0]->at >= last);
        last = o.l->heap[0]->at;
        heap_remove(o.l, o.l->heap[0]);
    }
    loop_free(o.l);
}

/* ---- descriptors ---- */

struct pair {
    struct loop *l;
    int fd[2];
    struct loop_fd *watch;
    unsigned ready;
    int calls;
    struct pair *other;
};

static void pair_up(struct pair *p, struct loop *l) {
    *p = (struct pair){.l = l};
    assert_int_equal(pipe(p->fd), 0);
}

static void take(void *arg, unsigned ready) {
    struct pair *p = arg;
    char c;

    p->ready = ready;
    p->calls++;
    if (ready & LOOP_IN)
        assert_int_equal(read(p->fd[0], &c, 1), 1);
    else
        loop_fd_del(p->watch);
}

static void reports_input_and_hangup(void **state) {
    struct loop *l = fresh();
    struct pair p;

    (void)state;
    pair_up(&p, l);
    p.watch = loop_fd_add(l, p.fd[0], LOOP_IN, take, &p);
    assert_int_equal(write(p.fd[1], "x", 1), 1);
    loop_turn(l, 1000);
    assert_int_equal(p.ready, LOOP_IN);
    close(p.fd[1]);
    loop_turn(l, 1000);
    assert_int_equal(p.ready, LOOP_HUP);
    loop_turn(l, 0);
    assert_int_equal(p.calls, 2);
    close(p.fd[0]);
    loop_free(l);
}

static void delete_both(void *arg, unsigned ready) {
    struct pair *p = arg;

    (void)ready;
    p->calls++;
    loop_fd_del(p->watch);
    loop_fd_del(p->other->watch);
}

/* Both are ready in one turn: the first callback deletes both, the second must not run. */
static void a_deleted_descriptor_is_not_served_in_the_same_turn(void **state) {
    struct loop *l = fresh();
    struct pair a, b;

    (void)state;
    pair_up(&a, l);
    pair_up(&b, l);
    a.other = &b;
    b.other = &a;
    a.watch = loop_fd_add(l, a.fd[0], LOOP_IN, delete_both, &a);
    b.watch = loop_fd_add(l, b.fd[0], LOOP_IN, delete_both, &b);
    assert_int_equal(write(a.fd[1], "x", 1), 1);
    assert_int_equal(write(b.fd[1], "x", 1), 1);
    loop_turn(l, 1000);
    loop_turn(l, 0);
    assert_int_equal(a.calls + b.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(a.fd[i]);
        close(b.fd[i]);
    }
    loop_free(l);
}

static void wanting_nothing_silences_a_descriptor(void **state) {
    struct loop *l = fresh();
    struct pair p;

    (void)state;
    pair_up(&p, l);
    p.watch = loop_fd_add(l, p.fd[0], LOOP_IN, take, &p);
    assert_int_equal(write(p.fd[1], "xy", 2), 2);
    loop_fd_want(p.watch, 0);
    loop_turn(l, 0);
    assert_int_equal(p.calls, 0);
    loop_fd_want(p.watch, LOOP_IN);
    loop_turn(l, 0);
    assert_int_equal(p.calls, 1);
    loop_fd_del(p.watch);
    close(p.fd[0]);
    close(p.fd[1]);
    loop_free(l);
}

static void a_regular_file_cannot_be_watched(void **state) {
    struct loop *l = fresh();
    FILE *f = tmpfile();

    (void)state;
    assert_null(loop_fd_add(l, fileno(f), LOOP_IN, take, NULL));
    assert_int_equal(errno, EPERM);
    fclose(f);
    loop_free(l);
}

/* ---- signals and children ---- */

static void on_sig(void *arg, int sig) {
    *(int *)arg = sig;
}

static void signals_arrive_as_data(void **state) {
    struct loop *l = fresh();
    int sig = 0;

    (void)state;
    loop_signal(l, SIGUSR1, on_sig, &sig);
    raise(SIGUSR1);
    loop_turn(l, 1000);
    assert_int_equal(sig, SIGUSR1);
    loop_free(l);
}

struct kid {
    struct loop_child *c;
    int status;
    bool done, del;
};

static void on_exit_of(void *arg, int status) {
    struct kid *k = arg;

    k->status = status;
    k->done = true;
    if (k->del)
        loop_child_del(k->c);
}

static int spawn(int code) {
    int pid = fork();

    if (pid == 0) {
        if (code < 0)
            pause();
        _exit(code);
    }
    return pid;
}

static void children_are_reaped(void **state) {
    struct loop *l = fresh();
    struct kid a = {.del = true}, b = {0};

    (void)state;
    a.c = loop_child_add(l, spawn(7), on_exit_of, &a);
    b.c = loop_child_add(l, spawn(-1), on_exit_of, &b);
    assert_int_equal(loop_child_kill(b.c, SIGKILL), 0);
    while (!a.done || !b.done)
        loop_turn(l, 1000);
    assert_true(WIFEXITED(a.status) && WEXITSTATUS(a.status) == 7);
    assert_true(WIFSIGNALED(b.status) && WTERMSIG(b.status) == SIGKILL);
    assert_int_equal(loop_child_kill(b.c, SIGKILL), -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_null(loop_child_add(l, 0x7ffffff0, on_exit_of, &b));
    loop_free(l);
}

/* ---- the loop ---- */

static void count(void *arg) {
    ++*(int *)arg;
}

static void quit(void *arg) {
    loop_quit(arg);
}

static void idle_runs_once_a_turn_and_quit_ends_the_run(void **state) {
    struct loop *l = fresh();
    int turns = 0;

    (void)state;
    loop_on_idle(l, count, &turns);
    loop_timer_add(l, loop_now() + 5, quit, l);
    loop_run(l);
    assert_int_equal(turns, 1);
    loop_timer_add(l, loop_now(), quit, l);
    assert_false(loop_turn(l, 100));
    assert_true(loop_turn(l, 0));
    assert_int_equal(turns, 3);
    loop_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_of_deadline),
        cmocka_unit_test(a_timer_may_delete_itself_and_others),
        cmocka_unit_test(a_timer_set_to_the_past_fires_once_a_turn),
        cmocka_unit_test(many_timers_keep_their_order),
        cmocka_unit_test(reports_input_and_hangup),
        cmocka_unit_test(a_deleted_descriptor_is_not_served_in_the_same_turn),
        cmocka_unit_test(wanting_nothing_silences_a_descriptor),
        cmocka_unit_test(a_regular_file_cannot_be_watched),
        cmocka_unit_test(signals_arrive_as_data),
        cmocka_unit_test(children_are_reaped),
        cmocka_unit_test(idle_runs_once_a_turn_and_quit_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
