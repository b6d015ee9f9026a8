/* A thread that looks after a statement while the one that runs it is inside DuckDB: asks whether
 * to go on, tells progress, interrupts, and at last gives up on an engine that does not stop. While
 * it runs, the callbacks of the watch are its own. */
#ifndef CDVM_WORKLOAD_DUCKDB_WATCH_H
#define CDVM_WORKLOAD_DUCKDB_WATCH_H

#include <duckdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include "table_engine.h"

#define DUCKDB_LOOK_MS 50
#define DUCKDB_STUCK_MS 10000 /* between the interrupt and giving up on the engine */

struct duckdb_watch {
    const struct table_watch *w;
    duckdb_connection con[2];           /* both are interrupted; the first one's progress is told */
    _Atomic uint64_t done, total, rows; /* told instead, while total is not 0 */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool over; /* under the lock */
    const char *stopped;
    int64_t stopped_ms;
};
/* A watch of NULL needs no thread. Code "system". */
int watch_start(struct duckdb_watch *d, const struct table_watch *w, duckdb_connection a,
                duckdb_connection b, struct err *e) WARN_UNUSED;
/* Ends the thread. `rc` and `e` are what the work came to: when it failed because it was stopped,
 * that is what is said instead. */
int watch_end(struct duckdb_watch *d, int rc, struct err *e);

#endif
