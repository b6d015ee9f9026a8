/* Complaints as they are reported in the wild, and what is made of them. */
#include "provider/vm_fault.c"
#include "tests/unit/unit.h"

static void each_complaint_has_its_cure(void **state) {
    static const struct {
        const char *complaint, *cure;
    } rows[] = {
        {"qemu-system-x86_64: -accel kvm: vm-type SEV-SNP not supported by KVM", "sev_snp=1"},
        {"vfio_container_dma_map failed, possibly running out of DMA mappings (65535)", "iommufd"},
        {"vfio 0000:41:00.0: Cannot set discarding of RAM broken", "QEMU 10.1"},
        {"Discarding RAM is currently blocked", "QEMU 10.1"},
        {"kvm_set_user_memory_region: KVM_SET_USER_MEMORY_REGION2 failed, slot=1", "Linux 6.11"},
        {"confComputeConstructEngine_IMPL: Confidential compute mode is not enabled", "cc-mode=on"},
        {"NVRM: RmInitAdapter failed! (0x22:0x56:884)", "protected-PCIe"},
        {"pci 0000:01:00.0: BAR 2: failed to assign [mem size 0x2000000000 64bit pref]", "window"},
        {"libspdm expects LKCA but found stubs", "ecdsa"},
        {"No devices were found", "persistence"},
        {"CUDA error: system not yet initialized", "accept"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *means = vm_fault(rows[i].complaint);

        if (!means || !strstr(means, rows[i].cure))
            fail_msg("'%s' became '%s'", rows[i].complaint, means ? means : "nothing");
    }
}

static void others_are_left_as_they_are(void **state) {
    (void)state;
    assert_null(vm_fault(""));
    assert_null(vm_fault("qemu: could not load kernel 'x': No such file or directory"));
    assert_null(vm_fault("RmInitAdapter failed! (0x11:0x45:1)"));
}

/* A row behind one that says less would never be reached. */
static void every_row_is_reached(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        cleanup_free char *s = mem_fmt("%s %s", faults[i].says, faults[i].and ? faults[i].and : "");

        assert_ptr_equal(vm_fault(s), faults[i].means);
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
