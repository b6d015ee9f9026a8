/* What a QEMU can do, asked of that very program and never guessed from its version: distributions
 * leave things out and put things in. */
#ifndef CDVM_QEMU_ABLE_H
#define CDVM_QEMU_ABLE_H

#include <cjson/cJSON.h>
#include "core/bytes.h"

struct qemu_able {
    char version[32];   /* "10.0.2": for sentences alone */
    bool snp;           /* object sev-snp-guest */
    bool kernel_hashes; /* and its property */
    bool gpu_memory;    /* type ram-block-attributes: private memory beside VFIO */
    bool iommufd;       /* object iommufd */
    bool vfio;          /* device vfio-pci */
    bool sev;           /* the host gives the two numbers below, under KVM */
    unsigned cbitpos, reduced_phys_bits;
    char why[200]; /* without sev: what QEMU said to the question */
};

/* Starts it twice, without a guest; at most 10 s. -1 when it does not answer ("no-qemu"). */
int qemu_probe(const char *qemu, struct qemu_able *out, struct err *e) WARN_UNUSED;
/* Enough for a confidential guest, with a GPU or without? Else "old-qemu", which names the version
 * that is needed, or "no-snp" where it is the host that cannot. */
int qemu_can(const struct qemu_able *q, bool gpu, struct err *e) WARN_UNUSED;
/* The program's half of qemu_can alone, and the host's. */
int qemu_knows(const struct qemu_able *q, bool gpu, struct err *e) WARN_UNUSED;
int qemu_host_can(const struct qemu_able *q, struct err *e) WARN_UNUSED;

/* Answers of QMP's qom-list-properties for type number i of the table (NULL: no such type) and
 * query-sev-capabilities; pure. */
void qemu_take_type(struct qemu_able *q, size_t i, const cJSON *properties);
void qemu_take_sev(struct qemu_able *q, const cJSON *answer);

#endif
