/* What a host has to have for confidential guests, asked once when a provider starts; and what each
 * guest is given of it. */
#ifndef CDVM_SNP_HOST_H
#define CDVM_SNP_HOST_H

#include "host_cpu.h"
#include "image.h"
#include "qemu_able.h"
#include "vm.h"

struct snp_want {
    const char *qemu, *vcpu_type;
    const char *proc, *dev; /* "/proc", "/dev" */
    uint32_t memory_mib;    /* of the largest guest */
    bool gpu;
};
struct snp_host {
    struct host_cpu cpu;
    struct qemu_able able;
    uint64_t memlock; /* bytes that a guest with a GPU may lock */
    const char *dev;
};
/* First what no reboot mends: processor, QEMU, device nodes and their rights, memory that may be
 * locked; last what QEMU says of the host. Codes of host_cpu_runs, qemu_probe, qemu_can; "no-kvm",
 * "no-snp", "no-iommufd", "memlock". */
int snp_host_open(const struct snp_want *w, struct snp_host *out, struct err *e) WARN_UNUSED;
/* The image's half: firmware with a place for the kernel's hashes, a vCPU type of the release, a
 * volume with the GPU's driver. "bad-image". */
int snp_image_fits(const struct image *m, const char *vcpu_type, bool gpu,
                   struct err *e) WARN_UNUSED;

/* For one guest; g NULL: without a GPU. Opens the GPU's nodes: snp_spec_close in any case. */
int snp_spec(const struct snp_host *h, const struct image *m, const struct gpu *g,
             struct vm_snp *out, struct err *e) WARN_UNUSED;
void snp_spec_close(struct vm_snp *s);

#endif
