/* The GPUs that one provider rents out: which are free and good, who has one, and back to the
 * host's drivers when the last provider that has it ends.
 *
 * Attaching and resetting take seconds, so each runs in a thread of its own; answers come from the
 * loop. What an earlier run left in the middle is reset when the pool opens. */
#ifndef CDVM_GPU_POOL_H
#define CDVM_GPU_POOL_H

#include "core/loop.h"
#include "gpu_life.h"

#define GPU_POOL_MAX 16

struct gpu_pool;
/* How many are free has changed, or why one is not (said: a sentence; NULL: nothing to say). */
typedef void gpu_pool_fn(void *arg, const char *said);
/* at is borrowed. NULL: "no-gpu", or folders that cannot be made. */
struct gpu_pool *gpu_pool_new(struct loop *l, const struct gpu_places *at, const char *const *bdf,
                              size_t n, gpu_pool_fn *changed, void *arg, struct err *e);
/* Waits for what is under way, resets what a guest still had, gives drivers back. All uses are gone
 * before. NULL legal. */
void gpu_pool_free(struct gpu_pool *p);

/* good: neither in quarantine nor lost; free: good, and nobody's now. Looks at the host's files. */
struct gpu_count {
    size_t good, free;
};
struct gpu_count gpu_pool_count(const struct gpu_pool *p); /* NULL: none */
const char *gpu_pool_arch(const struct gpu_pool *p);       /* of the first; "" unknown */
/* Every sentence is about one GPU: "0000:41:00.0 in quarantine: ...". */
void gpu_pool_each(const struct gpu_pool *p, void (*fn)(void *arg, const char *line), void *arg);

/* One job's GPU. */
struct gpu_use;
typedef void gpu_use_fn(void *arg, const struct err *e); /* e NULL: done; else why not */
/* Leases a free one and attaches it. "no-gpu": none is good; "gpu-busy": none is free. After an
 * error in `attached` the use still has to be ended. */
struct gpu_use *gpu_use_new(struct gpu_pool *p, gpu_use_fn *attached, void *arg, struct err *e);
/* After such an error: another free one is leased and attached, and u is ended and nobody's. NULL:
 * there is none that was not tried yet, and u still has to be ended. */
struct gpu_use *gpu_use_next(struct gpu_use *u, gpu_use_fn *attached, void *arg);
const struct gpu *gpu_use_gpu(const struct gpu_use *u);
enum gpu_step gpu_use_step(const struct gpu_use *u);
/* GPU_ATTEST to GPU_UNUSE. One out of order is doubt. */
void gpu_use_act(struct gpu_use *u, enum gpu_act act);
void gpu_use_doubt(struct gpu_use *u, const char *why);
/* QEMU is reaped, or never ran. Detaches and resets; `done` is the last word, and u is nobody's
 * after it. NULL: nobody asks, and u is not the caller's any more from here on. May be called
 * again. */
void gpu_use_end(struct gpu_use *u, gpu_use_fn *done, void *arg);

#endif
