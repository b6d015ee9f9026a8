/* Who holds the functions of a GPU's card: vfio-pci while guests may have it, the host's own driver
 * otherwise. A card's functions are those of its slot that share its IOMMU group (a GPU's sound
 * device); what else is in the group is never taken from its driver, for it may be a disk in use.
 */
#ifndef CDVM_GPU_BIND_H
#define CDVM_GPU_BIND_H

#include "gpu_sysfs.h"

/* "0000:41:00.0 nvidia\n0000:41:00.1 -\n": the functions that vfio-pci does not hold, and who does;
 * empty when it holds them all. */
void gpu_bind_record(const struct gpu *g, struct buf *out);
/* To vfio-pci, all of them: by driver_override, where new_id would take every card of its kind.
 * "gpu-bind", "gpu-in-use" with the process that has it open. proc: "/proc". */
int gpu_bind_take(const char *sys, const char *proc, const struct gpu *g,
                  struct err *e) WARN_UNUSED;
/* Back to those of a record. Functions that vfio-pci no longer holds are left alone. */
int gpu_bind_back(const char *sys, struct view record, struct err *e) WARN_UNUSED;
/* The process that has vfio-pci's node of it open: a guest that is not gone yet. 0: none. */
long gpu_bind_guest(const char *proc, const struct gpu *g);
/* method: "flr" or "bus", as reset_method in sysfs has them. */
int gpu_bind_reset(const char *sys, const char *bdf, const char *method, struct err *e) WARN_UNUSED;

#endif
