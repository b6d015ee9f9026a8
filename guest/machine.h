/* The bare machine under the agent: file systems, the kernel's switches, and the power. */
#ifndef CDVM_MACHINE_H
#define CDVM_MACHINE_H

#include "core/bytes.h"

/* Mounts proc, sysfs, cgroup2, devtmpfs and a tmpfs on /run; opens descriptors 0 to 2 on /dev/null
 * (with console=null the kernel gives none). Works once, as PID 1. */
int machine_mount(struct err *e) WARN_UNUSED;
/* configfs, when its module has been loaded. */
int machine_mount_configfs(struct err *e) WARN_UNUSED;
/* Where the kernel looks for firmware, beside its own places: a folder as the agent names it. */
int machine_firmware(const char *dir, struct err *e) WARN_UNUSED;
/* Makes an empty tmpfs the root, with proc, sys, dev and run in it, so that a sandbox can pivot
 * away from it. The files of the initrd are out of reach afterwards. */
int machine_leave_initrd(struct err *e) WARN_UNUSED;
/* Turns off what an intruder could use and this guest never does (kexec, user namespaces, ptrace,
 * the magic key ...). */
int machine_lock_down(struct err *e) WARN_UNUSED;
/* Sets the wall clock, which only dates events. Nonsense is ignored. */
void machine_set_clock(int64_t unix_seconds);
/* Ends the machine. Never returns. */
_Noreturn void machine_power_off(void);

#endif
