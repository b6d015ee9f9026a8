/* From a spec to QEMU's argument vector. Pure, so that a golden test can compare the whole list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm_argv_priv.h"

/* Nothing but what is named below exists in the guest. sata and smbus off: q35 would carry an AHCI
 * and an SMBus function that the agent's allow-list does not know. mem-merge and dump-guest-core
 * off: no page of the guest is shared with another process or written to a core file. */
static const char *const fixed[] = {
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
};
const char vm_machine[] =
    "q35,sata=off,smbus=off,usb=off,graphics=off,vmport=off,hpet=off,mem-merge=off,"
    "dump-guest-core=off";

void vm_argv_add(struct vm_argv *a, const char *s) {
    if (a->n < VM_ARGV_MAX)
        a->v[a->n] = mem_str(s);
    a->n++;
}

void vm_argv_addf(struct vm_argv *a, const char *fmt, ...) {
    char s[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(s, sizeof s, fmt, ap);
    va_end(ap);
    vm_argv_add(a, s);
}

static void add_machine(struct vm_argv *a, const struct vm_spec *s) {
    if (s->snp) {
        vm_argv_snp_machine(a, s);
    } else {
        vm_argv_add(a, "-machine");
        vm_argv_add(a, vm_machine);
    }
    vm_argv_add(a, "-accel");
    vm_argv_add(a, s->accel == VM_KVM ? "kvm" : "tcg,thread=multi");
    vm_argv_add(a, "-cpu");
    vm_argv_addf(a, "%s%s", s->cpu, s->snp && s->snp->gpu ? VM_CPU_WIDE : "");
    vm_argv_add(a, "-smp");
    vm_argv_addf(a, "%u", s->vcpus);
    vm_argv_add(a, "-m");
    vm_argv_addf(a, "%uM", s->memory_mib);
}

static void add_boot(struct vm_argv *a, const struct vm_spec *s) {
    vm_argv_add(a, "-kernel");
    vm_argv_addf(a, "/proc/self/fd/%d", VM_FD_KERNEL);
    vm_argv_add(a, "-initrd");
    vm_argv_addf(a, "/proc/self/fd/%d", VM_FD_INITRD);
    vm_argv_add(a, "-append");
    vm_argv_add(a, s->append);
}

/* A confidential guest's devices reach its memory through what it shares with them. */
static const char *shared(const struct vm_spec *s) {
    return s->snp ? ",iommu_platform=on" : "";
}

/* The guest's only door. */
static void add_port(struct vm_argv *a, const struct vm_spec *s) {
    vm_argv_add(a, "-chardev");
    vm_argv_addf(a, "socket,id=qmp,fd=%d", VM_FD_QMP);
    vm_argv_add(a, "-mon");
    vm_argv_add(a, "chardev=qmp,mode=control");
    vm_argv_add(a, "-chardev");
    vm_argv_addf(a, "socket,id=door,fd=%d", VM_FD_CHANNEL);
    vm_argv_add(a, "-device");
    vm_argv_addf(a, "virtio-serial-pci,id=port,max_ports=2,disable-legacy=on%s", shared(s));
    vm_argv_add(a, "-device");
    vm_argv_add(a, "virtserialport,bus=port.0,nr=1,chardev=door,name=cdvm.0");
}

static void add_disk(struct vm_argv *a, const struct vm_spec *s, size_t i) {
    const struct vm_disk *d = &s->disk[i];

    vm_argv_add(a, "-add-fd");
    vm_argv_addf(a, "fd=%d,set=%zu", VM_FD_DISK + (int)i, i + 1);
    vm_argv_add(a, "-blockdev");
    vm_argv_addf(a,
                 "driver=raw,node-name=%s,read-only=on,file.driver=file,file.locking=off,"
                 "file.filename=/dev/fdset/%zu",
                 d->serial, i + 1);
    vm_argv_add(a, "-device");
    vm_argv_addf(a, "virtio-blk-pci,drive=%s,serial=%s,disable-legacy=on%s", d->serial, d->serial,
                 shared(s));
}

static bool plain_word(const char *s, const char *more) {
    if (!s || !*s)
        return false;
    for (; *s; s++)
        if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') && !(*s >= '0' && *s <= '9') &&
            !strchr(more, *s))
            return false;
    return true;
}

static int check(const struct vm_spec *s, struct err *e) {
    if (!s->qemu || s->qemu[0] != '/')
        return err_set(e, "bad-vm", "QEMU is not named by an absolute path");
    if (!plain_word(s->cpu, "-+,_.") || strlen(s->cpu) > 120)
        return err_set(e, "bad-vm", "the CPU model is not a plain word");
    if (s->vcpus < 1 || s->vcpus > 512)
        return err_set(e, "bad-vm", "%u vCPUs: 1 to 512 are possible", s->vcpus);
    if (s->memory_mib < 128)
        return err_set(e, "bad-vm", "%u MiB of memory: at least 128 are needed", s->memory_mib);
    if (!s->append || s->n_disks > VM_DISKS_MAX)
        return err_set(e, "bad-vm", "the command line or the disks are not set");
    for (size_t i = 0; i < s->n_disks; i++)
        if (!plain_word(s->disk[i].serial, "") || strlen(s->disk[i].serial) > 16)
            return err_set(e, "bad-vm", "the serial of disk %zu is not a plain word", i);
    return s->snp ? vm_argv_snp_check(s, e) : 0;
}

int vm_argv(const struct vm_spec *s, struct vm_argv *out, struct err *e) {
    memset(out, 0, sizeof *out);
    if (check(s, e) < 0)
        return -1;
    vm_argv_add(out, s->qemu);
    for (size_t i = 0; i < COUNT(fixed); i++)
        vm_argv_add(out, fixed[i]);
    add_machine(out, s);
    add_boot(out, s);
    add_port(out, s);
    for (size_t i = 0; i < s->n_disks; i++)
        add_disk(out, s, i);
    if (s->snp)
        vm_argv_snp_gpu(out, s);
    if (out->n > VM_ARGV_MAX) {
        out->n = VM_ARGV_MAX;
        vm_argv_free(out);
        return err_set(e, "bad-vm", "the argument list has no room");
    }
    return 0;
}

void vm_argv_free(struct vm_argv *a) {
    for (size_t i = 0; i < a->n; i++)
        free(a->v[i]);
    memset(a, 0, sizeof *a);
}
