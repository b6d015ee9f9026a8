#include <stddef.h>
#include <string.h>

#include "core/bytes.h"
#include "vm_fault.h"

/* What several complaints mean. */
#define NO_SNP                                                                                     \
    "this host's KVM runs no SEV-SNP guests: switch SNP on in the firmware's setup, load "         \
    "kvm_amd with sev_snp=1, and use Linux 6.11 or newer"
#define OLD_QEMU "this QEMU cannot have a GPU beside private memory: QEMU 10.1 or newer can"
#define NO_ROOM                                                                                    \
    "the firmware found no room for the GPU's windows: the memory window above RAM is too"         \
    " small, or above-4G decoding is off"
#define BRANCH                                                                                     \
    "the GPU's driver does not start: its branch does not fit, or only a part of the GPUs"         \
    " of a protected-PCIe board was handed over"
#define NO_CRYPTO "the guest's kernel lacks the crypto that the GPU's driver needs (ecdsa, ecdh)"
#define NOT_LOCKED                                                                                 \
    "the GPU's memory could not be locked: raise the memlock limit of the provider "               \
    "(LimitMEMLOCK=infinity)"
#define NO_HASHES "this firmware has no place for the kernel's hashes: use the AmdSev build of OVMF"
#define CPU_FEATURES                                                                               \
    "the vCPU type has features that this processor does not give to confidential guests:"         \
    " set vcpu-type to the host's own generation, or an older one"
#define NO_ASID                                                                                    \
    "the processor has no address space left for another confidential guest: fewer slots,"         \
    " or more SEV-SNP ASIDs in the firmware's setup"
#define PSP_ASLEEP                                                                                 \
    "the secure processor is not initialised for SNP: see `dmesg | grep -i -e sev -e "             \
    "ccp`; mostly SNP memory coverage (RMP) or the IOMMU is off in the firmware's setup"
#define GROUP_SHARED                                                                               \
    "something in the GPU's IOMMU group is not held by vfio-pci: `cdvm provider --list-"           \
    "gpus` and qemu-scripts/bind-gpu.sh"

/* In order: the first whose words all occur, in any case. A second word tells apart what one alone
 * would not. Texts of QEMU's target/i386/sev.c and hw/vfio, and of NVIDIA's driver. */
static const struct {
    const char *says, *and;
    struct vm_fault fault;
} faults[] = {
    {"SEV-SNP not supported by KVM", NULL, {"no-snp", NO_SNP}},
    {"SEV is not enabled in KVM", NULL, {"no-snp", NO_SNP}},
    {"Could not access KVM kernel module",
     NULL,
     {"no-kvm", "QEMU may not open /dev/kvm: give it to the group kvm, or load kvm_amd"}},
    {"running out of DMA mappings",
     NULL,
     {"gpu-failed", "the old VFIO container ran out of mappings: use iommufd, or raise "
                    "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"}},
    {"Cannot set discarding of RAM broken", NULL, {"old-qemu", OLD_QEMU}},
    {"discard", "currently blocked", {"old-qemu", OLD_QEMU}},
    {"is not a valid object type", "ram-block-attributes", {"old-qemu", OLD_QEMU}},
    {"invalid object type",
     "sev-snp-guest",
     {"old-qemu", "this QEMU has no confidential guests: QEMU 9.1 or newer, built with SEV, has"}},
    {"KVM_SET_USER_MEMORY_REGION2",
     NULL,
     {"bad-host", "kernel, QEMU and firmware do not fit together: Linux 6.11 or newer, QEMU 9.1 or "
                  "newer, and the AmdSev firmware by -bios, not by pflash"}},
    {"creating kvm guest memfd",
     NULL,
     {"bad-host", "this host's kernel has no private memory for guests: Linux 6.11 or newer, with "
                  "CONFIG_KVM_PRIVATE_MEM"}},
    {"SNP_LAUNCH_START",
     "fw_error=7",
     {"bad-policy",
      "the processor's firmware refuses the guest's policy: SMT or another thing that "
      "the release forbids is on, or the SNP firmware is older than it asks for"}},
    {"CPUID validation failed", NULL, {"wrong-cpu", CPU_FEATURES}},
    {"failed update CPUID page", NULL, {"wrong-cpu", CPU_FEATURES}},
    {"unable to find CPU model",
     NULL,
     {"old-qemu", "this QEMU does not know the vCPU type: set another vcpu-type, or use a newer "
                  "QEMU (EPYC-Genoa from 8.1, EPYC-Turin from 10.1)"}},
    {"cbitpos check failed",
     NULL,
     {"bad-host", "the C-bit given to QEMU is not this processor's: restart the provider, which "
                  "asks QEMU for it again"}},
    {"failed to initialize", "ret=-16", {"no-capacity", NO_ASID}},
    {"failed to initialize", "ret=-28", {"no-capacity", NO_ASID}},
    {"failed to get platform status", NULL, {"no-snp", PSP_ASLEEP}},
    {"sev_common_kvm_init: failed to initialize", NULL, {"no-snp", PSP_ASLEEP}},
    {"SNP_LAUNCH_START", NULL, {"no-snp", PSP_ASLEEP}},
    {"PCI host bridge", "conflict", {"gpu-failed", NO_ROOM}},
    {"BAR ", "failed to assign", {"gpu-failed", NO_ROOM}},
    {"Address space limit",
     NULL,
     {"gpu-failed",
      "the guest's CPU has too few address bits for the GPU's windows: the IOMMU or the"
      " firmware of this host limits them"}},
    {"confComputeConstructEngine",
     "not enabled",
     {"gpu-failed", "the GPU is not in confidential mode: set it once with `nvidia_gpu_tools.py "
                    "--set-cc-mode=on --reset-after-cc-mode-switch`"}},
    {"RmInitAdapter failed", "0x22:0x56", {"gpu-failed", BRANCH}},
    {"Disabling GSP offload", NULL, {"gpu-failed", BRANCH}},
    {"Encryption FAILED", NULL, {"gpu-failed", NO_CRYPTO}},
    {"NV_ERR_INVALID_DATA", NULL, {"gpu-failed", NO_CRYPTO}},
    {"LKCA", "stubs", {"gpu-failed", NO_CRYPTO}},
    {"No devices were found",
     NULL,
     {"gpu-failed",
      "the GPU was opened and closed without persistence mode: it starts once for each "
      "reset"}},
    {"system not yet initialized",
     NULL,
     {"gpu-failed", "the GPU is not in the ready state: that comes after the customer's accept"}},
    {"GPU is in broken state",
     NULL,
     {"gpu-failed",
      "the GPU is stuck: `nvidia_gpu_tools.py --recover-broken-gpu`, else restart the "
      "host"}},
    {"failed to open /dev/sev",
     NULL,
     {"no-snp", "QEMU may not open /dev/sev: give it to the group that runs guests, or see "
                "whether the ccp module is loaded"}},
    {"cannot allocate memory", "vfio", {"gpu-failed", NOT_LOCKED}},
    {"IOMMU_IOAS_MAP", "cannot allocate memory", {"gpu-failed", NOT_LOCKED}},
    {"iommufd_backend_map_dma", "cannot allocate memory", {"gpu-failed", NOT_LOCKED}},
    {"cannot set up guest memory",
     NULL,
     {"no-memory", "this host has not the memory that the guest needs: fewer slots, or less memory "
                   "in the offer"}},
    {"is not viable", NULL, {"gpu-failed", GROUP_SHARED}},
    {"are bound to their vfio bus driver", NULL, {"gpu-failed", GROUP_SHARED}},
    {"error bind device",
     "iommufd",
     {"gpu-failed",
      "iommufd refuses the GPU: another process has it, or the IOMMU gives no domain of"
      " its own (see `dmesg | grep -i -e iommu -e vfio`)"}},
    {"iommufd",
     "not found",
     {"old-qemu", "this QEMU has no iommufd: QEMU 10.1 or newer, built with it, has"}},
    {"hashes table area is invalid", NULL, {"bad-firmware", NO_HASHES}},
    {"no hashes table", NULL, {"bad-firmware", NO_HASHES}},
    {"could not load",
     "bios",
     {"bad-firmware", "QEMU does not take the firmware: see that ovmf.fd of the image is whole"}},
};

const struct vm_fault *vm_fault(const char *complaint) {
    for (size_t i = 0; i < COUNT(faults); i++)
        if (strcasestr(complaint, faults[i].says) &&
            (!faults[i].and || strcasestr(complaint, faults[i].and)))
            return &faults[i].fault;
    return NULL;
}
