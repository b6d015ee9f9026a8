/* Which accelerator runs guests on this machine: found out by booting one, with a deadline, and
 * remembered. /dev/kvm may be there and still hang every guest. */
#ifndef CDVM_ACCEL_H
#define CDVM_ACCEL_H

#include "image.h"
#include "vm.h"

enum accel_want { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

struct accel {
    enum vm_accel accel;
    char cpu[64];     /* value of -cpu */
    char qemu[128];   /* program */
    char version[32]; /* "7.2.22" */
    char why[500];    /* one sentence for a person: what was chosen and why */
};
struct accel_probe {
    const char *cache;  /* path of the file that remembers; NULL: neither read nor written */
    const char *rundir; /* see vm_new */
    const char *qemu;   /* as accel_find_qemu */
    void (*slow)(void *arg, const char *what); /* told before the slow part; may be NULL */
    void *arg;
};
/* Only which program, and which version it says it is. named: NULL, where Debian puts it. */
int accel_find_qemu(struct accel *a, const char *named, unsigned *major, struct err *e) WARN_UNUSED;
/* Blocks for at most two deadlines of 15 s, on the first start of a kernel, QEMU and image only. -1
 * when there is no QEMU, or when ACCEL_KVM was asked for and does not work ("no-kvm"). */
int accel_choose(enum accel_want want, const struct image *m, const struct accel_probe *probe,
                 struct accel *out, struct err *e) WARN_UNUSED;

/* "QEMU emulator version 7.2.22 (Debian ...)" -> "7.2.22" and 7; false for anything else. */
bool accel_version(const char *text, char version[static 32], unsigned *major);
/* The emulated CPU: SSE4.2 class, since AVX is slow to emulate, with what the agent's entropy
 * needs. QEMU's TCG has RDSEED from 10.0 on. */
void accel_tcg_cpu(unsigned qemu_major, char out[static 64]);

#endif
