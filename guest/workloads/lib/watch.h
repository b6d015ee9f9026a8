/* Asking a docs_watch, on one clock. */
#ifndef CDVM_WORKLOAD_WATCH_H
#define CDVM_WORKLOAD_WATCH_H

#include "docs.h"

int64_t watch_now(void); /* CLOCK_MONOTONIC milliseconds */
/* -1 with "cancelled" or "timeout" when the work is to be given up. w may be NULL. */
int watch_look(const struct docs_watch *w, struct err *e) WARN_UNUSED;
void watch_progress(const struct docs_watch *w, uint64_t done, uint64_t total);

#endif
