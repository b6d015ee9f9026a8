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

/* --- the guest: 64-bit code at CODE, identity-mapped from 0 to 2 MiB --- */

#define MEMORY 0x200000u
#define PML4 0x1000u
#define PDPT 0x2000u
#define PD_LOW 0x3000u  /* 0 to 1 GiB: the first 2 MiB of it */
#define PD_HIGH 0x4000u /* 3 to 4 GiB: the local APIC */
#define IDT 0x5000u
#define CODE 0x8000u
#define STACK 0x10000u
#define MARKED 0x20000u /* where what is written through a new mapping has to turn up */
#define APIC_BASE 0xfee00000u
#define PORT 0xe9 /* a byte there: the step that has been done */
#define MARK 0x6d766463u
#define TIMER_VECTOR 0x40
#define UD_VECTOR 6
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

enum { STEP_NONE, STEP_STARTED, STEP_CPUID, STEP_WORKED, STEP_TRAPPED, STEP_MAPPED, STEP_WOKEN };
static const char *const steps[] = {"start",
                                    "ask for CPUID",
                                    "use the instructions that CPUID names",
                                    "take an exception",
                                    "change its page tables",
                                    "wait for a timer's interrupt"};

/* Ends with hlt after a wrong finding, interrupts being off: the host sees which step came last. */
__asm__(
    ".pushsection .rodata\n"
    ".balign 16\n"
    ".globl kvm_guest, kvm_guest_ud, kvm_guest_timer, kvm_guest_end\n"
    ".hidden kvm_guest, kvm_guest_ud, kvm_guest_timer, kvm_guest_end\n"
    "kvm_guest:\n"
    "  movb $1, %al\n"
    "  outb %al, $" TEXT(
        PORT) "\n"
              /* what KVM was told to say, not what the processor below says */
              "  movl $0x40000000, %eax\n"
              "  xorl %ecx, %ecx\n"
              "  cpuid\n"
              "  cmpl $" TEXT(
                  MARK) ", %ebx\n"
                        "  jne kvm_guest_wrong\n"
                        "  movb $2, %al\n"
                        "  outb %al, $" TEXT(
                            PORT) "\n"
                                  /* SSE2, and BMI2 where CPUID has it */
                                  "  movl $7, %eax\n"
                                  "  xorl %ecx, %ecx\n"
                                  "  cpuid\n"
                                  "  btl $8, %ebx\n"
                                  "  jnc 1f\n"
                                  "  movl $3, %ecx\n"
                                  "  movl $5, %edx\n"
                                  "  shlx %ecx, %edx, %edx\n"
                                  "  cmpl $40, %edx\n"
                                  "  jne kvm_guest_wrong\n"
                                  "1: movl $7, %ecx\n"
                                  "  movq %rcx, %xmm0\n"
                                  "  paddq %xmm0, %xmm0\n"
                                  "  movq %xmm0, %rdx\n"
                                  "  cmpq $14, %rdx\n"
                                  "  jne kvm_guest_wrong\n"
                                  "  movb $3, %al\n"
                                  "  outb %al, $" TEXT(
                                      PORT) "\n"
                                            /* #UD, whose handler steps over it */
                                            "  xorl %ebx, %ebx\n"
                                            "  ud2\n"
                                            "  cmpl $1, %ebx\n"
                                            "  jne kvm_guest_wrong\n"
                                            "  movb $4, %al\n"
                                            "  outb %al, $" TEXT(
                                                PORT) "\n"
                                                      /* a second name for the first 2 MiB, taken
                                                         away again */
                                                      "  movq $0x83, %rax\n"
                                                      "  movq %rax, " TEXT(
                                                          PD_LOW) " + 8\n"
                                                                  "  movl $0x200000 + " TEXT(
                                                                      MARKED) ", %esi\n"
                                                                              "  invlpg (%rsi)\n"
                                                                              "  movl $" TEXT(
                                                                                  MARK) ", (%rsi)\n"
                                                                                        "  cmpl "
                                                                                        "$" TEXT(MARK) ", " TEXT(
                                                                                            MARKED) "\n"
                                                                                                    "  jne kvm_guest_wrong\n"
                                                                                                    "  movb $5, %al\n"
                                                                                                    "  outb %al, $" TEXT(
                                                                                                        PORT) "\n"
                                                                                                              /* one shot of the local APIC's timer */
                                                                                                              "  movl $" TEXT(
                                                                                                                  APIC_BASE) ", %esi\n"
                                                                                                                             "  movl $0x1ff, 0xf0(%rsi)\n"
                                                                                                                             "  movl $0x3, 0x3e0(%rsi)\n"
                                                                                                                             "  movl $" TEXT(
                                                                                                                                 TIMER_VECTOR) ", 0x320(%rsi)\n"
                                                                                                                                               "  xorl %ebx, %ebx\n"
                                                                                                                                               "  movl $100000, 0x380(%rsi)\n"
                                                                                                                                               "2: sti\n"
                                                                                                                                               "  hlt\n"
                                                                                                                                               "  cli\n"
                                                                                                                                               "  testl %ebx, %ebx\n"
                                                                                                                                               "  jz 2b\n"
                                                                                                                                               "  movb $6, %al\n"
                                                                                                                                               "  outb %al, $" TEXT(
                                                                                                                                                   PORT) "\n"
                                                                                                                                                         "kvm_guest_wrong:\n"
                                                                                                                                                         "  movb $0xff, %al\n"
                                                                                                                                                         "  outb %al, $" TEXT(
                                                                                                                                                             PORT) "\n"
                                                                                                                                                                   "  jmp kvm_guest_wrong\n"
                                                                                                                                                                   "kvm_guest_ud:\n"
                                                                                                                                                                   "  incl %ebx\n"
                                                                                                                                                                   "  addq $2, (%rsp)\n"
                                                                                                                                                                   "  iretq\n"
                                                                                                                                                                   "kvm_guest_timer:\n"
                                                                                                                                                                   "  incl %ebx\n"
                                                                                                                                                                   "  movl $0, 0xb0(%rsi)\n"
                                                                                                                                                                   "  iretq\n"
                                                                                                                                                                   "kvm_guest_end:\n"
                                                                                                                                                                   ".popsection\n");
extern const uint8_t kvm_guest[], kvm_guest_ud[], kvm_guest_timer[], kvm_guest_end[];

static void put64(uint8_t *memory, uint32_t at, uint64_t v) {
    memcpy(memory + at, &v, 8);
}

/* An interrupt gate of code segment 8; all of ours lie in the first 64 KiB. */
static void put_gate(uint8_t *memory, unsigned vector, const uint8_t *handler) {
    uint64_t at = CODE + (uint64_t)(handler - kvm_guest);

    put64(memory, IDT + vector * 16, at | 8u << 16 | (uint64_t)0x8e00 << 32);
}

static void fill_memory(uint8_t *memory) {
    put64(memory, PML4, PDPT | 3);
    put64(memory, PDPT, PD_LOW | 3);
    put64(memory, PDPT + 3 * 8, PD_HIGH | 3);
    put64(memory, PD_LOW, 0x83);
    put64(memory, PD_HIGH + (APIC_BASE >> 21 & 511) * 8, (APIC_BASE & ~0x1fffffu) | 0x9b);
    memcpy(memory + CODE, kvm_guest, (size_t)(kvm_guest_end - kvm_guest));
    put_gate(memory, UD_VECTOR, kvm_guest_ud);
    put_gate(memory, TIMER_VECTOR, kvm_guest_timer);
}

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
    static struct {
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entry[256];
    } c = {.head.nent = 256};
    size_t i = 0;

    must(s, ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &c), "its list of CPUID leaves");
    while (i < c.head.nent && c.entry[i].function != 0x40000000)
        i++;
    if (i == c.head.nent)
        c.head.nent += i < COUNT(c.entry);
    if (i < COUNT(c.entry))
        c.entry[i] =
            (struct kvm_cpuid_entry2){.function = 0x40000000, .eax = 0x40000001, .ebx = MARK};
    must(s, ioctl(vcpu, KVM_SET_CPUID2, &c), "a CPUID for the guest");
}

static void set_registers(struct shared *s, int vcpu) {
    struct kvm_segment code = {
        .limit = ~0u, .selector = 8, .present = 1, .type = 11, .s = 1, .l = 1, .g = 1};
    struct kvm_segment data = {
        .limit = ~0u, .selector = 16, .present = 1, .type = 3, .s = 1, .db = 1, .g = 1};
    struct kvm_regs r = {.rflags = 2, .rip = CODE, .rsp = STACK};
    struct kvm_sregs q;

    must(s, ioctl(vcpu, KVM_GET_SREGS, &q), "the vCPU's registers");
    q.cs = code;
    q.ds = q.es = q.fs = q.gs = q.ss = data;
    q.idt = (struct kvm_dtable){.base = IDT, .limit = 0xfff};
    q.cr3 = PML4;
    q.cr4 = 0x620;      /* PAE, OSFXSR, OSXMMEXCPT */
    q.cr0 = 0x80010033; /* PG, WP, NE, ET, MP, PE */
    q.efer = 0x500;     /* LME, LMA */
    must(s, ioctl(vcpu, KVM_SET_SREGS, &q), "64-bit mode");
    must(s, ioctl(vcpu, KVM_SET_REGS, &r), "the vCPU's registers");
}

/* The GDT of the guest holds nothing: iretq loads CS 8 and SS 16 from it, so they have to be there.
 */
static void set_gdt(struct shared *s, int vcpu, uint8_t *memory) {
    struct kvm_sregs q;

    put64(memory, IDT + 0x1008, 0x00af9b000000ffff);
    put64(memory, IDT + 0x1010, 0x00cf93000000ffff);
    must(s, ioctl(vcpu, KVM_GET_SREGS, &q), "the vCPU's registers");
    q.gdt = (struct kvm_dtable){.base = IDT + 0x1000, .limit = 0x17};
    must(s, ioctl(vcpu, KVM_SET_SREGS, &q), "a descriptor table");
}

/* As QEMU makes them: interrupt controllers in the kernel, and Intel's two pages out of the way. */
static int make_guest(struct shared *s, int kvm) {
    uint64_t identity = 0xfffbc000;
    int vm = must(s, ioctl(kvm, KVM_CREATE_VM, 0), "a virtual machine"), vcpu;
    uint8_t *memory = map(s, MEMORY, MAP_SHARED | MAP_ANONYMOUS, -1);
    struct kvm_userspace_memory_region r = {.memory_size = MEMORY,
                                            .userspace_addr = (uint64_t)(uintptr_t)memory};

    (void)!ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000UL);
    (void)!ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    must(s, ioctl(vm, KVM_CREATE_IRQCHIP, 0), "interrupt controllers");
    must(s, ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r), "memory for the guest");
    vcpu = must(s, ioctl(vm, KVM_CREATE_VCPU, 0), "a vCPU");
    fill_memory(memory);
    set_cpuid(s, kvm, vcpu);
    set_registers(s, vcpu);
    set_gdt(s, vcpu, memory);
    return vcpu;
}

static void take_exit(struct shared *s, const struct kvm_run *run) {
    const uint8_t *data = (const uint8_t *)run + run->io.data_offset;
    char why[200];

    if (run->exit_reason == KVM_EXIT_IO && run->io.port == PORT && *data == s->step + 1) {
        s->step = *data;
        if (s->step == STEP_WOKEN)
            end_child(s, KVM_RUNS, "");
        return;
    }
    if (run->exit_reason == KVM_EXIT_IO)
        snprintf(why, sizeof why, "a small guest got a wrong result when it was to %s",
                 steps[s->step]);
    else
        snprintf(why, sizeof why,
                 "KVM gave up on a small guest that was to %s (exit %u, detail %u)", steps[s->step],
                 run->exit_reason,
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
    snprintf(s->why, sizeof s->why, "a small guest hangs when it is to %s (%d s)", steps[s->step],
             (limit_ms + 999) / 1000);
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
        return refuse(KVM_FAILS, "memory", errno);
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
