/* The guest of kvm_try.h: 64-bit code, identity-mapped, that does what the first moments of a
 * kernel do, one step after the other. */
#ifndef CDVM_KVM_GUEST_H
#define CDVM_KVM_GUEST_H

#include "core/bytes.h"

#define KVM_GUEST_MEMORY 0x200000u
#define KVM_GUEST_PML4 0x1000u
#define KVM_GUEST_IDT 0x5000u
#define KVM_GUEST_GDT 0x6000u /* code is selector 8, data 16 */
#define KVM_GUEST_CODE 0x8000u
#define KVM_GUEST_STACK 0x10000u
#define KVM_GUEST_PORT 0xe9       /* a byte there: the number of the step that has been done */
#define KVM_GUEST_MARK 0x6d766463 /* EBX of CPUID's leaf 40000000, as the guest is to be told */

enum { KVM_GUEST_STEPS = 6 };
/* [n]: what the guest is to do when n steps are done. */
extern const char *const kvm_guest_steps[KVM_GUEST_STEPS];
/* memory: KVM_GUEST_MEMORY bytes, zeroed. */
void kvm_guest_fill(uint8_t *memory);

#endif
