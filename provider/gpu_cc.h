/* The confidential mode of a GPU, read from its own registers: asked before and after each guest.
 * Never set here: an operator sets it once (cdvm.conf(5)).
 *
 * Where it stands: GH100 as NVIDIA's gpu-admin-tools read it, GB100, GB102, GB110 and GB112 as
 * NVIDIA's open kernel modules do (NV_PMC_SCRATCH_RESET_2_CC). Of GB20x neither says it. */
#ifndef CDVM_GPU_CC_H
#define CDVM_GPU_CC_H

#include "gpu_sysfs.h"

enum gpu_cc { GPU_CC_OFF, GPU_CC_ON, GPU_CC_DEVTOOLS, GPU_CC_UNKNOWN };
const char *gpu_cc_name(enum gpu_cc mode); /* "off", "on", "devtools", "not known" */

/* UNKNOWN for a chip whose register is not known here, and for one that does not answer or has not
 * started within wait_ms: why then says which. Wakes the function for as long as it takes. */
#define GPU_CC_WHY 200
enum gpu_cc gpu_cc_query(const char *sys, const struct gpu *g, int wait_ms,
                         char why[static GPU_CC_WHY]);
/* "HOPPER", "BLACKWELL", as evidence has it; "" for a chip that is not known. */
const char *gpu_arch(const struct gpu *g);
/* Its configuration space answers, with the ids that Linux saw at start. */
bool gpu_answers(const char *sys, const struct gpu *g);

#endif
