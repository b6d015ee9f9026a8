/* The whole argument vector, word for word: a device that is not listed here does not exist. */
#include "provider/vm_argv.c"
#include "provider/vm_argv_snp.c"
#include "tests/unit/unit.h"

static const struct vm_spec plain = {.qemu = "/usr/bin/qemu-system-x86_64",
                                     .accel = VM_TCG,
                                     .cpu = "Nehalem,+rdrand",
                                     .vcpus = 2,
                                     .memory_mib = 768,
                                     .append = "console=null a,b",
                                     .disk = {{"work", 9}, {"model", 10}},
                                     .n_disks = 2};

static const char *const golden[] = {
    "/usr/bin/qemu-system-x86_64",
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    "-display",
    "none",
    "-vga",
    "none",
    "-nic",
    "none",
    "-serial",
    "none",
    "-parallel",
    "none",
    "-monitor",
    "none",
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    "-machine",
    "q35,sata=off,smbus=off,usb=off,graphics=off,vmport=off,hpet=off,mem-merge=off,dump-guest-core="
    "off",
    "-accel",
    "tcg,thread=multi",
    "-cpu",
    "Nehalem,+rdrand",
    "-smp",
    "2",
    "-m",
    "768M",
    "-kernel",
    "/proc/self/fd/5",
    "-initrd",
    "/proc/self/fd/6",
    "-append",
    "console=null a,b",
    "-chardev",
    "socket,id=qmp,fd=4",
    "-mon",
    "chardev=qmp,mode=control",
    "-chardev",
    "socket,id=door,fd=3",
    "-device",
    "virtio-serial-pci,id=port,max_ports=2,disable-legacy=on",
    "-device",
    "virtserialport,bus=port.0,nr=1,chardev=door,name=cdvm.0",
    "-add-fd",
    "fd=7,set=1",
    "-blockdev",
    "driver=raw,node-name=work,read-only=on,file.driver=file,file.locking=off,file.filename=/dev/"
    "fdset/1",
    "-device",
    "virtio-blk-pci,drive=work,serial=work,disable-legacy=on",
    "-add-fd",
    "fd=8,set=2",
    "-blockdev",
    "driver=raw,node-name=model,read-only=on,file.driver=file,file.locking=off,file.filename=/dev/"
    "fdset/2",
    "-device",
    "virtio-blk-pci,drive=model,serial=model,disable-legacy=on",
};

static void the_vector_is_exactly_the_allow_list(void **state) {
    struct vm_argv a;
    struct err e;

    (void)state;
    assert_int_equal(vm_argv(&plain, &a, &e), 0);
    for (size_t i = 0; i < a.n && i < COUNT(golden); i++)
        assert_string_equal(a.v[i], golden[i]);
    assert_int_equal(a.n, COUNT(golden));
    assert_null(a.v[a.n]);
    vm_argv_free(&a);
}

static void kvm_changes_only_the_accelerator(void **state) {
    struct vm_spec s = plain;
    struct vm_argv a, b;
    struct err e;
    size_t differences = 0;

    (void)state;
    s.accel = VM_KVM;
    assert_int_equal(vm_argv(&plain, &a, &e), 0);
    assert_int_equal(vm_argv(&s, &b, &e), 0);
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++)
        differences += strcmp(a.v[i], b.v[i]) != 0;
    assert_int_equal(differences, 1);
    vm_argv_free(&a);
    vm_argv_free(&b);
}

/* Of a release for GPUs: its base stands behind the others. */
static void a_third_disk_is_one_more_of_the_same(void **state) {
    static const char *const more[] = {
        "-add-fd",
        "fd=9,set=3",
        "-blockdev",
        "driver=raw,node-name=base,read-only=on,file.driver=file,file.locking=off,"
        "file.filename=/dev/fdset/3",
        "-device",
        "virtio-blk-pci,drive=base,serial=base,disable-legacy=on",
    };
    struct vm_spec s = plain;
    struct vm_argv a, b;
    struct err e;

    (void)state;
    s.disk[s.n_disks++] = (struct vm_disk){"base", 11};
    assert_int_equal(vm_argv(&plain, &a, &e), 0);
    assert_int_equal(vm_argv(&s, &b, &e), 0);
    assert_int_equal(b.n, a.n + COUNT(more));
    for (size_t i = 0; i < b.n; i++)
        assert_string_equal(b.v[i], i < a.n ? a.v[i] : more[i - a.n]);
    vm_argv_free(&a);
    vm_argv_free(&b);
}

static void refused(const struct vm_spec *s) {
    struct vm_argv a;
    struct err e = {0};

    assert_int_equal(vm_argv(s, &a, &e), -1);
    assert_string_equal(e.code, "bad-vm");
}

/* None of these may smuggle a second option into a value of QEMU's. */
static void values_that_mean_more_are_refused(void **state) {
    struct vm_spec s = plain;

    (void)state;
    s.disk[0].serial = "work,drive=x";
    refused(&s);
    s = plain;
    s.disk[1].serial = "";
    refused(&s);
    s = plain;
    s.cpu = "Nehalem -device virtio-net";
    refused(&s);
    s.cpu = "host=x";
    refused(&s);
    s = plain;
    s.qemu = "qemu-system-x86_64";
    refused(&s);
    s = plain;
    s.vcpus = 0;
    refused(&s);
    s = plain;
    s.memory_mib = 64;
    refused(&s);
    s = plain;
    s.append = NULL;
    refused(&s);
    s = plain;
    s.n_disks = VM_DISKS_MAX + 1;
    refused(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_is_exactly_the_allow_list),
        cmocka_unit_test(kvm_changes_only_the_accelerator),
        cmocka_unit_test(a_third_disk_is_one_more_of_the_same),
        cmocka_unit_test(values_that_mean_more_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
