#include <stddef.h>
#include <string.h>

#include "core/bytes.h"
#include "vm_fault.h"

/* In order: the first whose words all occur, in any case. A second word tells apart what one alone
 * would not. */
static const struct {
    const char *says, *and, *means;
} faults[] = {
    {"SEV-SNP not supported by KVM", NULL,
     "this host's KVM runs no SEV-SNP guests: switch SNP on in the firmware's setup, load kvm_amd "
     "with sev_snp=1, and use Linux 6.11 or newer"},
    {"running out of DMA mappings", NULL,
     "the old VFIO container ran out of mappings: use iommufd, or raise "
     "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"},
    {"Cannot set discarding of RAM broken", NULL,
     "this QEMU cannot have a GPU beside private memory: QEMU 10.1 or newer can"},
    {"discard", "currently blocked",
     "this QEMU cannot have a GPU beside private memory: QEMU 10.1 or newer can"},
    {"KVM_SET_USER_MEMORY_REGION2", NULL,
     "kernel, QEMU and firmware do not fit together: Linux 6.11 or newer, QEMU 9.1 or newer, and "
     "the AmdSev firmware by -bios, not by pflash"},
    {"PCI host bridge", NULL,
     "the firmware found no room for the GPU's windows: the memory window above RAM is too small, "
     "or above-4G decoding is off"},
    {"BAR", "assign",
     "the firmware found no room for the GPU's windows: the memory window above RAM is too small, "
     "or above-4G decoding is off"},
    {"confComputeConstructEngine", "not enabled",
     "the GPU is not in confidential mode: set it once with `nvidia_gpu_tools.py "
     "--set-cc-mode=on --reset-after-cc-mode-switch`"},
    {"RmInitAdapter failed", "0x22:0x56",
     "the GPU's driver does not start: its branch does not fit, or only a part of the GPUs of a "
     "protected-PCIe board was handed over"},
    {"Disabling GSP offload", NULL,
     "the GPU's driver does not start: its branch does not fit, or only a part of the GPUs of a "
     "protected-PCIe board was handed over"},
    {"Encryption FAILED", NULL,
     "the guest's kernel lacks the crypto that the GPU's driver needs (ecdsa, ecdh)"},
    {"NV_ERR_INVALID_DATA", NULL,
     "the guest's kernel lacks the crypto that the GPU's driver needs (ecdsa, ecdh)"},
    {"LKCA", "stubs",
     "the guest's kernel lacks the crypto that the GPU's driver needs (ecdsa, ecdh)"},
    {"No devices were found", NULL,
     "the GPU was opened and closed without persistence mode: it starts once for each reset"},
    {"system not yet initialized", NULL,
     "the GPU is not in the ready state: that comes after the customer's accept"},
    {"GPU is in broken state", NULL,
     "the GPU is stuck: `nvidia_gpu_tools.py --recover-broken-gpu`, else restart the host"},
    {"failed to open /dev/sev", NULL,
     "QEMU may not open /dev/sev: give it to the group that runs guests, or see whether the ccp "
     "module is loaded"},
    {"cannot allocate memory", "vfio",
     "the GPU's memory could not be locked: raise the memlock limit of the provider "
     "(LimitMEMLOCK=infinity)"},
    {"hash table", NULL,
     "this firmware has no place for the kernel's hashes: use the AmdSev build of OVMF"},
    {"doesn't have", "hashes",
     "this firmware has no place for the kernel's hashes: use the AmdSev build of OVMF"},
};

const char *vm_fault(const char *complaint) {
    for (size_t i = 0; i < COUNT(faults); i++)
        if (strcasestr(complaint, faults[i].says) &&
            (!faults[i].and || strcasestr(complaint, faults[i].and)))
            return faults[i].means;
    return NULL;
}
