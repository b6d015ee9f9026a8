/* The processor of this host, against the vCPU type that a guest is measured with. */
#ifndef CDVM_HOST_CPU_H
#define CDVM_HOST_CPU_H

#include "core/bytes.h"

struct host_cpu {
    bool amd;
    uint32_t family, model; /* as CPUID has them, combined */
    char name[64];          /* "AMD EPYC 9354 32-Core Processor"; "" when not said */
};
/* Of the first processor in PROC/cpuinfo. -1 "no-cpuinfo". */
int host_cpu_read(const char *proc, struct host_cpu *out, struct err *e) WARN_UNUSED;
/* "Milan", "Genoa", "Turin": one with SEV-SNP; NULL for any other. */
const char *host_cpu_product(const struct host_cpu *c);
/* Its guests can have that vCPU type? One of an older generation runs on a newer processor, never
 * the other way: the firmware refuses features that the processor lacks. -1 "wrong-cpu", with the
 * types that fit. */
int host_cpu_runs(const struct host_cpu *c, const char *vcpu_type, struct err *e) WARN_UNUSED;
/* The newest type that runs there; NULL: none does. */
const char *host_cpu_best_type(const struct host_cpu *c);

#endif
