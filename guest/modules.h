/* Kernel modules: loaded from the initrd in the order of their names, then none any more. */
#ifndef CDVM_MODULES_H
#define CDVM_MODULES_H

#include "core/bytes.h"

/* Loads every file of `dir` in byte order of the names. Only the SEV-SNP driver may find no device,
 * and the one of the CPU's AES instructions no instructions. */
int modules_load(const char *dir, struct err *e) WARN_UNUSED;
/* No module can be loaded until the power is off (/proc/sys/kernel/modules_disabled). */
int modules_lock(struct err *e) WARN_UNUSED;

#endif
