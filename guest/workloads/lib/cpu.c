#include "cpu.h"

#include <cpuid.h>
#include <sched.h>
#include <string.h>

#define HYPERVISOR_BIT (1U << 31) /* of ECX, leaf 1 */
#define HYPERVISOR_LEAF 0x40000000U

bool cpu_emulated(void) {
    unsigned a, b, c, d;
    char vendor[12];

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & HYPERVISOR_BIT))
        return false;
    __cpuid(HYPERVISOR_LEAF, a, b, c, d);
    memcpy(vendor, &b, 4);
    memcpy(vendor + 4, &c, 4);
    memcpy(vendor + 8, &d, 4);
    return !memcmp(vendor, "TCGTCGTCGTCG", sizeof vendor);
}

unsigned cpu_count(void) {
    cpu_set_t set;
    int n;

    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
