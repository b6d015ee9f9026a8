/* The SEV-SNP launch digest, computed as QEMU/KVM and the secure processor do (cdvm-attestation(7),
 * "Launch digest").
 */
#ifndef CDVM_SNP_MEASURE_H
#define CDVM_SNP_MEASURE_H

#include "core/release.h"

#define VCPUS_MAX 512

/* Reads a firmware file: its digest, its measured sections, its hash table. Errors "bad-firmware".
 */
int ovmf_parse(struct view file, struct ovmf *out, struct err *e) WARN_UNUSED;

/* The launch digest after the firmware's own pages (a multiple of 4096 bytes, ending at 4 GiB). */
void snp_digest_firmware(struct view file, uint8_t out[static 48]);

/* vCPU signature (CPUID 1 EAX) of a QEMU CPU model name; false when unknown. */
bool vcpu_type_signature(const char *type, uint32_t *out);
const char *vcpu_type_name(size_t i); /* known names in order, NULL after the last */

struct launch {
    const struct ovmf *ovmf;
    bool kernel_hashes; /* direct boot: the three below are in the hash table */
    uint8_t kernel[32], initrd[32];
    const char *append; /* command line; NULL and "" are the same */
    uint32_t vcpus;     /* 1..VCPUS_MAX */
    uint32_t vcpu_signature;
    uint64_t features; /* SEV_FEATURES of the VMSA */
    bool old_kernel;   /* host before Linux 6.10: MXCSR and FCW of the VMSA are zero */
};
/* Errors "bad-launch": a kernel with a firmware that has no place for its hashes, 0 vCPUs. */
int launch_digest(const struct launch *l, uint8_t out[static 48], struct err *e) WARN_UNUSED;

/* The two halves of launch_digest, for trying many machines over one firmware and kernel. */
void launch_sections(const struct launch *l, uint8_t digest[static 48]);
void launch_vmsa(const struct launch *l, bool first, uint8_t hash[static 48]);
void launch_vcpu(uint8_t digest[static 48], const uint8_t vmsa[static 48]);

/* When `got` is not l's digest: tries the variants that are known to happen (vCPU count and type,
 * features, host kernel before 6.10, no kernel hashes) and writes a sentence about the one that
 * matches. False when none does. */
bool launch_explain(const struct launch *l, const uint8_t got[static 48], char *out, size_t n);

#endif
