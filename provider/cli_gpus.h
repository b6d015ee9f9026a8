/* cdvm provider --list-gpus, --clear-gpu: what an operator asks and says of this host's GPUs. */
#ifndef CDVM_CLI_GPUS_H
#define CDVM_CLI_GPUS_H

#include "gpu_life.h"

/* One line a GPU: address, architecture, driver, how it stands and why. */
int gpus_print(const struct gpu_places *at, struct err *e) WARN_UNUSED;
int gpus_clear(const struct gpu_places *at, const char *bdf, struct err *e) WARN_UNUSED;

#endif
