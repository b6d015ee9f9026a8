/* The agent's end of the NVML child (nvml_wire.h): made before the guest's key exists, another user
 * in namespaces of its own, with the base volume as its root, the GPUs' device nodes and no other.
 * Of root's powers it keeps CAP_SYS_ADMIN, which the driver asks of who sets the ready state; no
 * system call is left to it that needs that power for anything else. */
#ifndef CDVM_NVML_H
#define CDVM_NVML_H

#include <sys/types.h>

#include "core/loop.h"
#include "nvml_wire.h"

struct nvml_place {
    const char *root, *library; /* the mounted base volume; the library inside it */
    unsigned gpus;              /* device nodes that it is given */
};
struct nvml;
/* NULL on error: code "system". */
struct nvml *nvml_start(const struct nvml_place *p, struct err *e);
/* Takes over a child that runs already. */
struct nvml *nvml_from_fd(int fd, pid_t pid);
/* Ends the child, without waiting for one that the kernel does not let go. NULL legal. */
void nvml_free(struct nvml *n);

/* Asks, and waits at most `ms` for the answer, which is borrowed until the next question. Before
 * nvml_watch, or to end with. "gpu-driver": the driver refused, or was not done in time;
 * "bad-nvml": the child broke its rules, or is gone. */
int nvml_ask(struct nvml *n, enum nvml_op op, struct view payload, int ms, struct nvml_answer *out,
             struct err *e) WARN_UNUSED;

struct nvml_handler {
    void (*answer)(void *arg, enum nvml_op op, const struct nvml_answer *a); /* borrowed */
    void (*failed)(void *arg, const struct err *e); /* once, also of a child that just ends */
};
/* From now on answers, and the child's end, come through the loop. */
void nvml_watch(struct nvml *n, struct loop *l, const struct nvml_handler *h, void *arg);
void nvml_unwatch(struct nvml *n);
/* One question at a time; its answer, or `failed`, comes within `ms`. */
void nvml_send(struct nvml *n, enum nvml_op op, struct view payload, int ms);

#endif
