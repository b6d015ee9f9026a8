#include "watch.h"

#include <time.h>

int64_t watch_now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int watch_look(const struct docs_watch *w, struct err *e) {
    if (w && w->stop && w->stop(w->arg))
        return err_set(e, "cancelled", "stopped");
    if (w && w->deadline && watch_now() > w->deadline)
        return err_set(e, "timeout", "it took too long");
    return 0;
}

void watch_progress(const struct docs_watch *w, uint64_t done, uint64_t total) {
    if (w && w->progress)
        w->progress(w->arg, done, total);
}
