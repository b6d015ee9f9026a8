#include "kvm_try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"
#include "kvm_guest.h"

#define LEAVES 256u
#define HYPERVISOR 0x40000000u /* the leaf in which one names itself */

/* --- the child --- */

/* Shared with the parent, who reads it when the child is gone or hangs. */
struct shared {
    volatile int step;
    volatile bool ended;
    volatile enum kvm_outcome outcome;
    char why[200];
};

static _Noreturn void end_child(struct shared *s, enum kvm_outcome outcome, const char *why) {
    snprintf(s->why, sizeof s->why, "%s", why);
    s->outcome = outcome;
    s->ended = true;
    _exit(0);
}

static int must(struct shared *s, int rc, const char *what) {
    char why[200];

    if (rc >= 0)
        return rc;
    snprintf(why, sizeof why, "KVM refuses %s: %s", what, strerror(errno));
    end_child(s, KVM_FAILS, why);
}

static void *map(struct shared *s, size_t n, int flags, int fd) {
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, flags, fd, 0);

    must(s, p == MAP_FAILED ? -1 : 0, "memory");
    return p;
}

/* Everything that KVM offers, and a mark where a hypervisor names itself. */
static void set_cpuid(struct shared *s, int kvm, int vcpu) {
    static union {
        struct kvm_cpuid2 head;
        uint8_t room[sizeof(struct kvm_cpuid2) + LEAVES * sizeof(struct kvm_cpuid_entry2)];
    } c = {.head.nent = LEAVES};
    uint32_t i = 0;

    must(s, ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &c), "its list of CPUID leaves");
    while (i < c.head.nent && c.head.entries[i].function != HYPERVISOR)
        i++;
    if (i == LEAVES)
        end_child(s, KVM_FAILS, "KVM's list of CPUID leaves has no end");
    if (i == c.head.nent)
        c.head.nent++;
    c.head.entries[i] =
        (struct kvm_cpuid_entry2){.function = HYPERVISOR, .eax = HYPERVISOR, .ebx = KVM_GUEST_MARK};
    must(s, ioctl(vcpu, KVM_SET_CPUID2, &c), "a CPUID for the guest");
}

static void set_registers(struct shared *s, int vcpu) {
    struct kvm_segment code = {
        .limit = ~0u, .selector = 8, .present = 1, .type = 11, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = ~0u, .selector = 16, .present = 1, .type = 3, .s = 1, .db = 1, .g = 1};
    struct kvm_regs r = {.rflags = 2, .rip = KVM_GUEST_CODE, .rsp = KVM_GUEST_STACK};
    struct kvm_sregs q;

    must(s, ioctl(vcpu, KVM_GET_SREGS, &q), "the vCPU's registers");
    q.cs = code;
    q.ds = q.es = q.fs = q.gs = q.ss = data;
    q.idt = (struct kvm_dtable){.base = KVM_GUEST_IDT, .limit = 0xfff};
    q.gdt = (struct kvm_dtable){.base = KVM_GUEST_GDT, .limit = 0x17};
    q.cr3 = KVM_GUEST_PML4;
    q.cr4 = 0x620;      /* PAE, OSFXSR, OSXMMEXCPT */
    q.cr0 = 0x80010033; /* PG, WP, NE, ET, MP, PE */
    q.efer = 0x500;     /* LME, LMA */
    must(s, ioctl(vcpu, KVM_SET_SREGS, &q), "64-bit mode");
    must(s, ioctl(vcpu, KVM_SET_REGS, &r), "the vCPU's registers");
}

/* As QEMU makes them: interrupt controllers in the kernel, and Intel's two pages out of the way. */
static int make_guest(struct shared *s, int kvm) {
    uint64_t identity = 0xfffbc000;
    int vm = must(s, ioctl(kvm, KVM_CREATE_VM, 0), "a virtual machine"), vcpu;
    uint8_t *memory = map(s, KVM_GUEST_MEMORY, MAP_SHARED | MAP_ANONYMOUS, -1);
    struct kvm_userspace_memory_region r = {.memory_size = KVM_GUEST_MEMORY,
                                            .userspace_addr = (uint64_t)(uintptr_t)memory};

    (void)!ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000UL);
    (void)!ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    must(s, ioctl(vm, KVM_CREATE_IRQCHIP, 0), "interrupt controllers");
    must(s, ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r), "memory for the guest");
    vcpu = must(s, ioctl(vm, KVM_CREATE_VCPU, 0), "a vCPU");
    kvm_guest_fill(memory);
    set_cpuid(s, kvm, vcpu);
    set_registers(s, vcpu);
    return vcpu;
}

static void take_exit(struct shared *s, const struct kvm_run *run) {
    const uint8_t *data = (const uint8_t *)run + run->io.data_offset;
    char why[200];

    if (run->exit_reason == KVM_EXIT_IO && run->io.port == KVM_GUEST_PORT && *data == s->step + 1) {
        s->step = *data;
        if (s->step == KVM_GUEST_STEPS)
            end_child(s, KVM_RUNS, "");
        return;
    }
    if (run->exit_reason == KVM_EXIT_IO)
        snprintf(why, sizeof why, "a small guest got a wrong result when it was to %s",
                 kvm_guest_steps[s->step]);
    else
        snprintf(why, sizeof why,
                 "KVM gave up on a small guest that was to %s (exit %u, detail %u)",
                 kvm_guest_steps[s->step], run->exit_reason,
                 run->exit_reason == KVM_EXIT_INTERNAL_ERROR ? run->internal.suberror : 0);
    end_child(s, KVM_FAILS, why);
}

static _Noreturn void child_main(struct shared *s, int kvm, pid_t parent) {
    int vcpu, size;
    const struct kvm_run *run;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        end_child(s, KVM_FAILS, "the device does not answer as KVM does");
    vcpu = make_guest(s, kvm);
    size = must(s, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "the vCPU's page");
    run = map(s, (size_t)size, MAP_SHARED, vcpu);
    for (;;) {
        must(s, ioctl(vcpu, KVM_RUN, 0), "to run the guest");
        take_exit(s, run);
    }
}

/* --- the parent --- */

/* Until the child has ended, at most ms. */
static bool wait_child(int pid, int pidfd, int ms) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    int64_t until = loop_now() + ms;

    while (loop_now() < until)
        if (poll(&p, 1, (int)(until - loop_now())) > 0)
            return waitpid(pid, NULL, 0) == pid;
    return false;
}

/* One that even SIGKILL does not end is left to the kernel, which reaps it with us. */
static void watch_child(int pid, struct shared *s, int limit_ms) {
    cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (pidfd >= 0 && wait_child(pid, pidfd, limit_ms))
        return;
    kill(pid, SIGKILL);
    if (pidfd >= 0)
        (void)wait_child(pid, pidfd, 1000);
    else
        waitpid(pid, NULL, 0);
    if (s->ended)
        return;
    s->outcome = KVM_HANGS;
    snprintf(s->why, sizeof s->why, "a small guest hangs when it is to %s (%d s)",
             kvm_guest_steps[s->step], (limit_ms + 999) / 1000);
}

static struct kvm_tried refuse(enum kvm_outcome outcome, const char *what, int sysno) {
    struct kvm_tried t = {.outcome = outcome};

    snprintf(t.why, sizeof t.why, "%.150s: %s", what, strerror(sysno));
    return t;
}

struct kvm_tried kvm_try(const char *device, int limit_ms) {
    cleanup_fd int kvm = open(device, O_RDWR | O_CLOEXEC);
    struct kvm_tried t;
    struct shared *s;
    pid_t parent = getpid(), pid;

    if (kvm < 0)
        return refuse(KVM_ABSENT, device, errno);
    s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return refuse(KVM_FAILS, "its memory", errno);
    s->outcome = KVM_FAILS;
    snprintf(s->why, sizeof s->why, "the process that tried a small guest died");
    pid = fork();
    if (pid == 0)
        child_main(s, kvm, parent);
    if (pid > 0)
        watch_child(pid, s, limit_ms);
    t = (struct kvm_tried){.outcome = s->outcome};
    snprintf(t.why, sizeof t.why, "%s", s->why);
    munmap(s, sizeof *s);
    return t;
}
