#include "kvm_guest.h"

#include <string.h>

#define PDPT 0x2000u
#define PD_LOW_AT 0x3000  /* 0 to 1 GiB: the first 2 MiB of it */
#define PD_HIGH 0x4000u   /* 3 to 4 GiB: the local APIC */
#define MARKED_AT 0x20000 /* where what is written through a new mapping has to turn up */
#define APIC_BASE 0xfee00000
#define TIMER_VECTOR 0x40
#define UD_VECTOR 6
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define SET(name, value) ".set " #name ", " TEXT(value) "\n"
#define CONSTANTS                                                                                  \
    SET(PORT, KVM_GUEST_PORT)                                                                      \
    SET(MARK, KVM_GUEST_MARK)                                                                      \
    SET(PD_LOW, PD_LOW_AT) SET(MARKED, MARKED_AT) SET(APIC, APIC_BASE) SET(VECTOR, TIMER_VECTOR)

const char *const kvm_guest_steps[KVM_GUEST_STEPS] = {"start",
                                                      "ask for CPUID",
                                                      "use the instructions that CPUID names",
                                                      "take an exception",
                                                      "change its page tables",
                                                      "wait for a timer's interrupt"};

/* Each step that is done goes out as its number; a wrong finding as 255. */
__asm__(".pushsection .rodata\n" CONSTANTS
        ".globl kvm_guest, kvm_guest_ud, kvm_guest_timer, kvm_guest_end\n"
        ".hidden kvm_guest, kvm_guest_ud, kvm_guest_timer, kvm_guest_end\n"
        "kvm_guest:\n"
        "  movb $1, %al\n"
        "  outb %al, $PORT\n"
        /* what KVM was told to say, not what the processor below says */
        "  movl $0x40000000, %eax\n"
        "  xorl %ecx, %ecx\n"
        "  cpuid\n"
        "  cmpl $MARK, %ebx\n"
        "  jne kvm_guest_wrong\n"
        "  movb $2, %al\n"
        "  outb %al, $PORT\n"
        /* BMI2 where CPUID has it, and SSE2 */
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
        "1:\n"
        "  movl $7, %ecx\n"
        "  movq %rcx, %xmm0\n"
        "  paddq %xmm0, %xmm0\n"
        "  movq %xmm0, %rdx\n"
        "  cmpq $14, %rdx\n"
        "  jne kvm_guest_wrong\n"
        "  movb $3, %al\n"
        "  outb %al, $PORT\n"
        /* an undefined instruction, whose handler steps over it */
        "  xorl %ebx, %ebx\n"
        "  ud2\n"
        "  cmpl $1, %ebx\n"
        "  jne kvm_guest_wrong\n"
        "  movb $4, %al\n"
        "  outb %al, $PORT\n"
        /* a second name for the first 2 MiB */
        "  movq $0x83, %rax\n"
        "  movq %rax, PD_LOW + 8\n"
        "  movl $0x200000 + MARKED, %esi\n"
        "  invlpg (%rsi)\n"
        "  movl $MARK, (%rsi)\n"
        "  cmpl $MARK, MARKED\n"
        "  jne kvm_guest_wrong\n"
        "  movb $5, %al\n"
        "  outb %al, $PORT\n"
        /* one shot of the local APIC's timer */
        "  movl $APIC, %esi\n"
        "  movl $0x1ff, 0xf0(%rsi)\n"
        "  movl $0x3, 0x3e0(%rsi)\n"
        "  movl $VECTOR, 0x320(%rsi)\n"
        "  xorl %ebx, %ebx\n"
        "  movl $100000, 0x380(%rsi)\n"
        "2:\n"
        "  sti\n"
        "  hlt\n"
        "  cli\n"
        "  testl %ebx, %ebx\n"
        "  jz 2b\n"
        "  movb $6, %al\n"
        "  outb %al, $PORT\n"
        "kvm_guest_wrong:\n"
        "  movb $0xff, %al\n"
        "  outb %al, $PORT\n"
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
    uint64_t at = KVM_GUEST_CODE + (uint64_t)(handler - kvm_guest);

    put64(memory, KVM_GUEST_IDT + vector * 16, at | 8u << 16 | (uint64_t)0x8e00 << 32);
}

void kvm_guest_fill(uint8_t *memory) {
    put64(memory, KVM_GUEST_PML4, PDPT | 3);
    put64(memory, PDPT, PD_LOW_AT | 3);
    put64(memory, PDPT + 3 * 8, PD_HIGH | 3);
    put64(memory, PD_LOW_AT, 0x83);
    put64(memory, PD_HIGH + (APIC_BASE >> 21 & 511) * 8, (APIC_BASE & ~0x1fffffu) | 0x9b);
    put64(memory, KVM_GUEST_GDT + 8, 0x00af9b000000ffff);
    put64(memory, KVM_GUEST_GDT + 16, 0x00cf93000000ffff);
    memcpy(memory + KVM_GUEST_CODE, kvm_guest, (size_t)(kvm_guest_end - kvm_guest));
    put_gate(memory, UD_VECTOR, kvm_guest_ud);
    put_gate(memory, TIMER_VECTOR, kvm_guest_timer);
}
