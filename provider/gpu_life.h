/* One GPU from job to job: attach, attest, ready, use, unready, detach, reset, and free again; any
 * other order is refused. Whatever cannot be known to be well puts it in quarantine, until an
 * operator looks and removes the file.
 *
 * A lease is a locked file: one holder at a time, let go by the kernel when the holder dies. A GPU
 * whose holder died in the middle can be reset and nothing else. CC mode is never set here. */
#ifndef CDVM_GPU_LIFE_H
#define CDVM_GPU_LIFE_H

#include "gpu_sysfs.h"

enum gpu_step {
    GPU_FREE,
    GPU_ATTACHED,
    GPU_ATTESTED,
    GPU_READY,
    GPU_USED,
    GPU_UNREADY,
    GPU_DETACHED,
    GPU_QUARANTINED,
    GPU_STEPS
};
enum gpu_act {
    GPU_ATTACH,    /* bound to vfio-pci, fit for a guest, CC mode is on */
    GPU_ATTEST,    /* the guest has sent its evidence */
    GPU_GET_READY, /* the customer accepted */
    GPU_USE,       /* the workload runs */
    GPU_UNUSE,     /* it has ended */
    GPU_DETACH,    /* QEMU is reaped */
    GPU_RESET,     /* function reset, else bus reset; it answers, CC mode is still on */
    GPU_ACTS
};

/* FLR and bus reset, CC mode: what touches the device, under the sysfs root. */
enum gpu_cc { GPU_CC_OFF, GPU_CC_ON, GPU_CC_DEVTOOLS, GPU_CC_UNKNOWN };
/* Read from the device itself; UNKNOWN for a chip whose register is not known here, and for one
 * that does not answer. */
enum gpu_cc gpu_cc_query(const char *sys, const struct gpu *g);

struct gpu_life;
/* Leases it. dir: leases and quarantines, made by the caller. NULL: "gpu-leased",
 * "gpu-quarantined" with the reason, "no-gpu". */
struct gpu_life *gpu_life_new(const char *sys, const char *dir, const char *bdf, struct err *e);
/* Ends the lease. One that is not free stays so for the next holder: it has to be reset. */
void gpu_life_free(struct gpu_life *l); /* NULL legal */
/* -1 "bad-order": nothing was done. -1 otherwise: the act failed, and the GPU is in quarantine. */
int gpu_life_act(struct gpu_life *l, enum gpu_act act, struct err *e) WARN_UNUSED;
/* Anything odd that others see: in quarantine, for that reason. */
void gpu_life_doubt(struct gpu_life *l, const char *why);
enum gpu_step gpu_life_step(const struct gpu_life *l);
const struct gpu *gpu_life_gpu(const struct gpu_life *l); /* as of the last attach or reset */

#endif
