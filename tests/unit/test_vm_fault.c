/* Complaints as they are reported in the wild, and what is made of them. */
#include "provider/vm_fault.c"
#include "tests/unit/unit.h"

static void each_complaint_has_its_cure(void **state) {
    static const struct {
        const char *complaint, *code, *cure;
    } rows[] = {
        {"qemu-system-x86_64: -accel kvm: vm-type SEV-SNP not supported by KVM", "no-snp",
         "sev_snp=1"},
        {"SEV is not enabled in KVM", "no-snp", "sev_snp=1"},
        {"qemu-system-x86_64: -accel kvm: Could not access KVM kernel module: Permission denied",
         "no-kvm", "group kvm"},
        {"vfio_container_dma_map failed, possibly running out of DMA mappings (65535)",
         "gpu-failed", "iommufd"},
        {"vfio 0000:41:00.0: Cannot set discarding of RAM broken", "old-qemu", "QEMU 10.1"},
        {"Discarding RAM is currently blocked", "old-qemu", "QEMU 10.1"},
        {"qemu-system-x86_64: -object sev-snp-guest,id=sev0: invalid object type: sev-snp-guest",
         "old-qemu", "QEMU 9.1"},
        {"kvm_set_user_memory_region: KVM_SET_USER_MEMORY_REGION2 failed, slot=1", "bad-host",
         "Linux 6.11"},
        {"kvm_create_guest_memfd: error creating kvm guest memfd: Invalid argument", "bad-host",
         "Linux 6.11"},
        {"sev_snp_launch_start: SNP_LAUNCH_START ret=-5 fw_error=7 'Policy is not allowed'",
         "bad-policy", "SMT"},
        {"sev_snp_launch_start: SNP_LAUNCH_START ret=-22 fw_error=0 ''", "no-snp", "dmesg"},
        {"SEV-SNP: CPUID validation failed for function 0x7, index: 0x0, provided: eax:0x0",
         "wrong-cpu", "vcpu-type"},
        {"SEV-SNP: failed update CPUID page", "wrong-cpu", "vcpu-type"},
        {"qemu-system-x86_64: unable to find CPU model 'EPYC-Turin'", "old-qemu", "10.1"},
        {"sev_common_kvm_init: cbitpos check failed, host '51' requested '47'", "bad-host",
         "restart"},
        {"sev_common_kvm_init: failed to initialize ret=-16 fw_error=0 ''", "no-capacity",
         "fewer slots"},
        {"sev_common_kvm_init: failed to initialize ret=-19 fw_error=0 ''", "no-snp", "dmesg"},
        {"sev_common_kvm_init: failed to get platform status ret=-5 fw_error='0: '", "no-snp",
         "dmesg"},
        {"sev_common_kvm_init: Failed to open /dev/sev 'Permission denied'", "no-snp", "group"},
        {"PciHostBridgeDxe: PCI host bridge resource conflict", "gpu-failed", "window"},
        {"qemu-system-x86_64: Address space limit 0xffffffffff < 0x7fffffffff phys-bits too low",
         "gpu-failed", "address bits"},
        {"confComputeConstructEngine_IMPL: Confidential compute mode is not enabled", "gpu-failed",
         "cc-mode=on"},
        {"NVRM: RmInitAdapter failed! (0x22:0x56:884)", "gpu-failed", "protected-PCIe"},
        {"NVRM: Disabling GSP offload -- GPU not supported", "gpu-failed", "branch"},
        {"NVRM: Encryption FAILED", "gpu-failed", "ecdsa"},
        {"NVRM: nvAssertOkFailedNoLog: NV_ERR_INVALID_DATA", "gpu-failed", "ecdsa"},
        {"pci 0000:01:00.0: BAR 2: failed to assign [mem size 0x2000000000 64bit pref]",
         "gpu-failed", "window"},
        {"libspdm expects LKCA but found stubs", "gpu-failed", "ecdsa"},
        {"No devices were found", "gpu-failed", "persistence"},
        {"CUDA error: system not yet initialized", "gpu-failed", "accept"},
        {"GPU is in broken state", "gpu-failed", "--recover-broken-gpu"},
        {"vfio 0000:41:00.0: failed to setup container: Cannot allocate memory", "gpu-failed",
         "LimitMEMLOCK"},
        {"iommufd_backend_map_dma: IOMMU_IOAS_MAP failed: Cannot allocate memory", "gpu-failed",
         "LimitMEMLOCK"},
        {"qemu-system-x86_64: cannot set up guest memory 'ram1': Cannot allocate memory",
         "no-memory", "memory"},
        {"vfio 0000:41:00.0: group 30 is not viable", "gpu-failed", "vfio-pci"},
        {"Please ensure all devices within the iommu_group are bound to their vfio bus driver.",
         "gpu-failed", "vfio-pci"},
        {"vfio VFIO_FD11: error bind device fd=11 to iommufd=10: Device or resource busy",
         "gpu-failed", "another process"},
        {"Property 'vfio-pci.iommufd' not found", "old-qemu", "iommufd"},
        {"qemu-system-x86_64: SEV: guest firmware hashes table area is invalid (base=0x0 size=0x0)",
         "bad-firmware", "AmdSev"},
        {"SEV: kernel specified but guest firmware has no hashes table GUID", "bad-firmware",
         "AmdSev"},
        {"qemu-system-x86_64: could not load PC BIOS '/proc/self/fd/9'", "bad-firmware", "ovmf.fd"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct vm_fault *f = vm_fault(rows[i].complaint);

        if (!f || strcmp(f->code, rows[i].code) != 0 || !strstr(f->means, rows[i].cure))
            fail_msg("'%s' became %s '%s'", rows[i].complaint, f ? f->code : "",
                     f ? f->means : "nothing");
    }
}

static void others_are_left_as_they_are(void **state) {
    (void)state;
    assert_null(vm_fault(""));
    assert_null(vm_fault("qemu: could not load kernel 'x': No such file or directory"));
    assert_null(vm_fault("RmInitAdapter failed! (0x11:0x45:1)"));
    assert_null(vm_fault("PCI host bridge to bus 0000:00"));
    assert_null(vm_fault("qemu-system-x86_64: -device vfio-pci,fd=11,bus=rp1,iommufd=iommufd0,"
                         "rombar=0: device cannot be assigned"));
}

/* A row behind one that says less would never be reached. */
static void every_row_is_reached(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        cleanup_free char *s = mem_fmt("%s %s", faults[i].says, faults[i].and ? faults[i].and : "");

        assert_ptr_equal(vm_fault(s), &faults[i].fault);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_complaint_has_its_cure),
        cmocka_unit_test(others_are_left_as_they_are),
        cmocka_unit_test(every_row_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
