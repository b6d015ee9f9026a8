/* The device nodes of NVIDIA's driver. It makes none itself, and there is no udev here. */
#ifndef CDVM_GPUNODES_H
#define CDVM_GPUNODES_H

#include "core/bytes.h"

#define GPUNODE_PATH 32

/* Makes them under /dev. Code "gpu-driver" when the kernel has not got the driver. */
int gpunodes_make(unsigned gpus, struct err *e) WARN_UNUSED;
/* Node i of as many GPUs, by its whole path: "/dev/nvidiactl", "/dev/nvidia-uvm",
 * "/dev/nvidia-uvm-tools", "/dev/nvidia0" ...; false when there is none any more. */
bool gpunodes_path(unsigned i, unsigned gpus, char out[static GPUNODE_PATH]);
/* The major number of a driver in the text of /proc/devices; 0: it is not there. */
unsigned gpunodes_major(struct view devices, const char *driver);

#endif
