#include "duckdb_watch.h"

#include <errno.h>
#include <time.h>

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Again at every look: a statement that only now begins clears the flag. */
static void interrupt(struct duckdb_watch *d) {
    struct err e;

    for (size_t i = 0; i < COUNT(d->con); i++)
        duckdb_interrupt(d->con[i]);
    if (now_ms() - d->stopped_ms < DUCKDB_STUCK_MS || !d->w->stuck)
        return;
    table_stopped(d->stopped, &e);
    d->w->stuck(d->w->arg, &e);
}

static void tell(struct duckdb_watch *d) {
    uint64_t total = atomic_load(&d->total);
    duckdb_query_progress_type p;

    if (!d->w->progress)
        return;
    if (total) {
        d->w->progress(d->w->arg, atomic_load(&d->done), total, atomic_load(&d->rows));
        return;
    }
    p = duckdb_query_progress(d->con[0]);
    if (p.percentage > 0 && p.percentage <= 100)
        d->w->progress(d->w->arg, (uint64_t)(p.percentage * 10), 1000, p.rows_processed);
}

static void look(struct duckdb_watch *d) {
    if (!d->stopped && (d->stopped = table_watch_ask(d->w)))
        d->stopped_ms = now_ms();
    if (d->stopped)
        interrupt(d);
    else
        tell(d);
}

static struct timespec next_look(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += DUCKDB_LOOK_MS * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void *run(void *arg) {
    struct duckdb_watch *d = arg;
    struct timespec until = next_look();

    pthread_mutex_lock(&d->lock);
    while (!d->over) {
        if (pthread_cond_timedwait(&d->wake, &d->lock, &until) != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&d->lock);
        look(d);
        until = next_look();
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

int watch_start(struct duckdb_watch *d, const struct table_watch *w, duckdb_connection a,
                duckdb_connection b, struct err *e) {
    pthread_condattr_t clock;
    int rc;

    *d = (struct duckdb_watch){.w = w, .con = {a, b}};
    if (!w)
        return 0;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->wake, &clock);
    pthread_condattr_destroy(&clock);
    rc = pthread_create(&d->thread, NULL, run, d);
    return rc ? err_sys(e, rc, "cannot start a thread") : 0;
}

int watch_end(struct duckdb_watch *d, int rc, struct err *e) {
    if (!d->w)
        return rc;
    pthread_mutex_lock(&d->lock);
    d->over = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->wake);
    pthread_mutex_destroy(&d->lock);
    return rc && d->stopped ? table_stopped(d->stopped, e) : rc;
}
