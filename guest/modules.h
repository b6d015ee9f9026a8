/* Kernel modules: loaded from the initrd and the base volume in the order of their names, then none
 * any more. */
#ifndef CDVM_MODULES_H
#define CDVM_MODULES_H

#include "core/bytes.h"

/* Loads every file of `dir` in byte order of the names. Only the drivers of SEV-SNP and of GPUs may
 * find no device, and the one of the CPU's AES instructions no instructions; one that is there
 * already is no error. */
int modules_load(const char *dir, struct err *e) WARN_UNUSED;
/* No module can be loaded until the power is off (/proc/sys/kernel/modules_disabled). */
int modules_lock(struct err *e) WARN_UNUSED;

#endif
