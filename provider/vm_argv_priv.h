/* What the two halves of vm_argv share: growing the list, and the backend's own words. */
#ifndef CDVM_VM_ARGV_PRIV_H
#define CDVM_VM_ARGV_PRIV_H

#include "vm.h"

void vm_argv_add(struct vm_argv *a, const char *s);
void vm_argv_addf(struct vm_argv *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* With a GPU: a named model has 40 address bits, which the windows outgrow. */
#define VM_CPU_WIDE ",host-phys-bits=on"

extern const char vm_machine[]; /* q35 without what the guest's allow-list does not know */

/* All for a spec with snp set. */
int vm_argv_snp_check(const struct vm_spec *s, struct err *e) WARN_UNUSED;
void vm_argv_snp_machine(struct vm_argv *a, const struct vm_spec *s);
/* QEMU's number of the firmware; behind it, with a GPU, /dev/iommu and the GPU. */
int vm_fd_firmware(const struct vm_spec *s);
void vm_argv_snp_gpu(struct vm_argv *a, const struct vm_spec *s);

#endif
