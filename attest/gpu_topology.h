/* Several devices as one machine: how they were passed through, and whether all that their links
 * lead to has shown itself.
 *
 *   SPT    each GPU alone; what goes between them goes through the guest
 *   MPT    several Blackwell GPUs, links between them encrypted
 *   PPCIE  Hopper GPUs over NVSwitches: links in the clear inside the board, so every device on it
 *          must be proven
 *
 * A GPU names the switch behind each link, byte-reversed; a switch names the GPUs that it serves.
 */
#ifndef CDVM_GPU_TOPOLOGY_H
#define CDVM_GPU_TOPOLOGY_H

#include "finding.h"
#include "gpu_device.h"

enum gpu_mode { GPU_SPT, GPU_MPT, GPU_PPCIE, GPU_MODE_UNKNOWN };
const char *gpu_mode_name(enum gpu_mode m); /* "SPT" */
/* What one report says, by its feature flag, or where that is absent by PROTECTED_PCIE. */
enum gpu_mode gpu_mode_of(const struct gpu_report *r);

/* Devices that cannot be read are passed over: other checks say so. */
void gpu_mode_check(const struct gpu_device *d, size_t n, struct finding *f);
void gpu_topology_check(const struct gpu_device *d, size_t n, struct finding *f);

#endif
