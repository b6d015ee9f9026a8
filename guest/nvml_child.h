/* The child in which NVIDIA's library runs (nvml_wire.h): it holds the GPUs open, so that none is
 * shut down between two clients, and answers the agent's questions by the library's calls, each
 * under a time limit of its own. */
#ifndef CDVM_NVML_CHILD_H
#define CDVM_NVML_CHILD_H

#include "nvml_wire.h"

/* library: a path, or a name that the dynamic linker finds. dev: the folder of the device nodes.
 * Ends when the other end of fd does, or when a call does not return. */
_Noreturn void nvml_child_run(int fd, const char *library, const char *dev);

#endif
