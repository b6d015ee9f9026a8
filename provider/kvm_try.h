/* Does KVM really run guests here? /dev/kvm can be there, open, and answer every question, and yet
 * no kernel comes up under it: nested set-ups do that. So a guest of some hundred bytes is run,
 * which does what the first moments of a kernel do: reads CPUID and uses the instructions found
 * there, takes an exception, changes its page tables, waits for a timer's interrupt. */
#ifndef CDVM_KVM_TRY_H
#define CDVM_KVM_TRY_H

#include "core/bytes.h"

enum kvm_outcome {
    KVM_RUNS,
    KVM_ABSENT, /* no such device, or it is not for this user */
    KVM_FAILS,  /* refused, gave up, or the guest found something wrong */
    KVM_HANGS,
    KVM_OUTCOMES
};
struct kvm_tried {
    enum kvm_outcome outcome;
    char why[240]; /* a sentence; "" with KVM_RUNS */
};
/* Blocks for at most limit_ms and 1 s more: the guest lives in a child, which is killed. */
struct kvm_tried kvm_try(const char *device, int limit_ms);

#endif
