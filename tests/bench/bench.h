/* Timing for benchmarks: each prints one JSON object a line, with the fields name, unit, median,
 * p95, n and against (the same work done by bare library calls, timed in turn with ours; null where
 * there is nothing to compare with). */
#ifndef CDVM_BENCH_H
#define CDVM_BENCH_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef void bench_fn(void *arg);

static inline int64_t bench_now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t bench_time(bench_fn *f, void *arg) {
    int64_t start = bench_now();

    f(arg);
    return bench_now() - start;
}

static inline int bench_order(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Nanoseconds at a share (0.5, 0.95) of the sorted samples, as a rate per second. */
static inline double bench_rate(const int64_t *sorted, size_t n, double share) {
    int64_t t = sorted[(size_t)((double)(n - 1) * share)];

    return 1e9 / (double)(t ? t : 1);
}

/* Runs `f` n times in turn with `bare` (NULL: alone) and prints both as operations per second. p95
 * is the rate that 95 % of the runs reach. */
static inline void bench_pair(const char *name, size_t n, bench_fn *f, const char *against,
                              bench_fn *bare, void *arg) {
    int64_t *ours = calloc(n, sizeof *ours), *theirs = calloc(n, sizeof *theirs);

    if (!ours || !theirs)
        abort();
    for (size_t i = 0; i < n / 10; i++)
        f(arg); /* caches and branch predictors */
    for (size_t i = 0; i < n; i++) {
        ours[i] = bench_time(f, arg);
        theirs[i] = bare ? bench_time(bare, arg) : 0;
    }
    qsort(ours, n, sizeof *ours, bench_order);
    qsort(theirs, n, sizeof *theirs, bench_order);
    printf("{\"name\":\"%s\",\"unit\":\"1/s\",\"median\":%.0f,\"p95\":%.0f,\"n\":%zu,\"against\":",
           name, bench_rate(ours, n, 0.5), bench_rate(ours, n, 0.95), n);
    if (bare)
        printf("{\"name\":\"%s\",\"median\":%.0f,\"p95\":%.0f}}\n", against,
               bench_rate(theirs, n, 0.5), bench_rate(theirs, n, 0.95));
    else
        printf("null}\n");
    fflush(stdout);
    free(ours);
    free(theirs);
}

#endif
