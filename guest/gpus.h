/* The GPUs of this guest: brought up before its key exists, proved by evidence over its nonce, open
 * for work only after the customer's accept (cdvm-protocol(7), "Binding").
 *
 * What is known of them comes from the NVML child and is not trusted beyond its form: the
 * customer's program verifies what NVIDIA signed, and what NVML merely says is bound into the
 * report as this guest's word. The number of PCI functions, of GPUs that NVML knows and of pieces
 * of evidence must be one. */
#ifndef CDVM_GPUS_H
#define CDVM_GPUS_H

#include "nvml.h"

/* For n of them together: the first to open a GPU boots its firmware and exchanges keys with it. */
#define GPUS_START_MS(n) (60000 + 60000 * (int)(n))
#define GPUS_EVIDENCE_MS(n) (20000 + 15000 * (int)(n))
#define GPUS_READY_MS 30000
#define GPUS_CLOSE_MS 5000 /* at the end, when nothing else is left to do */

struct gpus;
/* Makes the driver's device nodes under /dev, starts the child in the base volume `base`, and holds
 * NVML's count against that of the PCI functions. NULL on error: "gpu-driver", "bad-nvml",
 * "gpu-count", "system". */
struct gpus *gpus_start(const char *base, unsigned pci, struct err *e);
/* With a child that runs already. */
struct gpus *gpus_with(struct nvml *child, unsigned pci, struct err *e);
void gpus_free(struct gpus *g); /* NULL legal */
unsigned gpus_count(const struct gpus *g);

struct gpus_handler {
    void (*proved)(void *arg);
    void (*opened)(void *arg);
    void (*failed)(void *arg, const struct err *e); /* once; also when the child just ends */
};
void gpus_watch(struct gpus *g, struct loop *l, const struct gpus_handler *h, void *arg);
/* Evidence with this nonce: `proved` follows, and then the two below. Codes also "gpu-evidence". */
void gpus_prove(struct gpus *g, const uint8_t nonce[static 32]);
struct view gpus_json(const struct gpus *g);   /* the list for hello (core/gpu_list.h) */
struct view gpus_digest(const struct gpus *g); /* E: 32 bytes */
/* The ready state: until then a GPU refuses work. `opened` follows. */
void gpus_open(struct gpus *g);
/* Takes the ready state back, if it was given, and waits for that; nothing comes through the loop
 * any more. */
void gpus_close(struct gpus *g);

#endif
