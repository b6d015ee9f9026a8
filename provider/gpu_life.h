/* One GPU from job to job: attach, attest, ready, use, unready, detach, reset, and free again; any
 * other order is refused. Whatever cannot be known to be well puts it in quarantine, until an
 * operator looks and clears it (`cdvm provider --clear-gpu`).
 *
 * A lease is a locked file of this host: one holder at a time, whichever provider, let go by the
 * kernel when the holder dies. A GPU whose holder died in the middle can be reset and nothing else.
 * CC mode is never set here. */
#ifndef CDVM_GPU_LIFE_H
#define CDVM_GPU_LIFE_H

#include "gpu_cc.h"

/* Where things stand; all borrowed.
 *   run/BDF.lease       locked while leased; who held its functions before vfio-pci did
 *   lib/BDF.step        the step it was last at
 *   lib/BDF.quarantine  why it is in quarantine */
struct gpu_places {
    const char *sys, *proc, *run, *lib;
};
extern const struct gpu_places gpu_host; /* /sys, /proc, /run/cdvm/gpu, /var/lib/cdvm/gpu */
/* The last two, for root alone. */
int gpu_places_make(const struct gpu_places *at, struct err *e) WARN_UNUSED;

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

struct gpu_life;
/* Leases it. NULL: "gpu-leased", "gpu-quarantined" with the reason, "no-gpu". */
struct gpu_life *gpu_life_new(const struct gpu_places *at, const char *bdf, struct err *e);
/* Ends the lease. One that is not free stays so for the next holder: it has to be reset. */
void gpu_life_free(struct gpu_life *l); /* NULL legal */
/* -1 "bad-order", "gpu-in-use": nothing was done. -1 otherwise: it failed, and the GPU is in
 * quarantine.
 * ATTACH and RESET take seconds; the others write one file. */
int gpu_life_act(struct gpu_life *l, enum gpu_act act, struct err *e) WARN_UNUSED;
/* Anything odd that others see: in quarantine, for that reason. */
void gpu_life_doubt(struct gpu_life *l, const char *why);
enum gpu_step gpu_life_step(const struct gpu_life *l);
const struct gpu *gpu_life_gpu(const struct gpu_life *l); /* as of the last attach or reset */
/* To the drivers that held it before the first attach. Only of a free one; without a record, and
 * for one in quarantine, nothing. */
int gpu_life_give_back(struct gpu_life *l, struct err *e) WARN_UNUSED;

/* An operator's word that it was seen to: it is reset and asked again, and free if that is well.
 * Else it stays in quarantine, for the new reason. */
int gpu_life_clear(const struct gpu_places *at, const char *bdf, struct err *e) WARN_UNUSED;

/* Without leasing it. */
enum gpu_standing {
    GPU_STANDS_FREE,
    GPU_STANDS_LEASED,
    GPU_STANDS_LEFT, /* its holder died: the next one resets it */
    GPU_STANDS_QUARANTINED
};
enum gpu_standing gpu_life_standing(const struct gpu_places *at, const char *bdf,
                                    char why[static GPU_CC_WHY]);
const char *gpu_standing_name(enum gpu_standing s);

#endif
