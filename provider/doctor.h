/* Is this host able to run confidential guests, and what does it lack? One table of requirements
 * over the facts of host.h: each line says ok, missing or not checked, what was found, why it
 * matters and how to mend it: firmware, kernel, KVM, secure processor, IOMMU, QEMU, GPUs.
 *
 * A host proves nothing to a customer by this: it tells its own operator. */
#ifndef CDVM_DOCTOR_H
#define CDVM_DOCTOR_H

#include "console.h"
#include "host.h"

/* What a requirement is required for. */
enum doctor_level {
    DOCTOR_CPU,    /* every confidential offer */
    DOCTOR_GPU,    /* those with a GPU besides */
    DOCTOR_ADVICE, /* none: it serves worse without */
    DOCTOR_LEVELS
};
enum doctor_state { DOCTOR_OK, DOCTOR_UNKNOWN, DOCTOR_MISSING, DOCTOR_STATES }; /* ascending */
const char *doctor_state_name(enum doctor_state s); /* "ok", "not checked", "missing" */

struct doctor_line;
struct doctor_check {
    const char *id; /* stable: "cpu.snp" */
    enum doctor_level level;
    const char *wants; /* the requirement in a few words */
    const char *after; /* id of the check that has to be ok before this can be asked; NULL */
    void (*look)(const struct host *h, size_t i, struct doctor_line *l);
    size_t (*each)(const struct host *h); /* how many lines; NULL: one */
    const char *why;                      /* what goes wrong without */
    const char *mend; /* a sentence; lines that begin with a blank are commands; BDF: the subject */
};
struct doctor_line {
    const struct doctor_check *check;
    enum doctor_state state;
    bool waits;       /* not asked, because of check->after */
    char subject[64]; /* a GPU's address, a relay; "" */
    char found[300];
    const char *mend; /* another cure than the table's; NULL: that one */
};

#define DOCTOR_LINES_MAX 512
struct doctor {
    struct doctor_line *line; /* in the order of the table */
    size_t n;
};
/* Pure. The host outlives nothing of it. */
struct doctor doctor_examine(const struct host *h);
void doctor_free(struct doctor *d);
/* How to mend it, with the GPU's own address; owned. */
char *doctor_mend(const struct doctor_line *l);
/* The worst line of a level; OK for one without lines. Of the lines about one GPU each those of the
 * best GPU count: an offer needs one. */
enum doctor_state doctor_worst(const struct doctor *d, enum doctor_level level);
size_t doctor_count(const struct doctor *d, enum doctor_level level, enum doctor_state s);

/* 0 all required lines are ok (doctor_worst), 1 one for every confidential offer is missing, 2 one
 * for GPU offers alone is (only on a host that has a GPU, or whose settings name one), 3 none is
 * missing and one could not be checked. */
int doctor_exit(const struct doctor *d, const struct host *h);

/* doctor_text.c: columns of at most 80; `colour`: the states in colour. And one JSON object. */
void doctor_text(const struct doctor *d, const struct host *h, bool colour, struct buf *out);
void doctor_json(const struct doctor *d, const struct host *h, struct buf *out);

/* What a provider with the backend snp may publish here. Says on the console what is missing and
 * how to mend it. -1 "unfit-host": no confidential offer. *gpu false: none with a GPU. image: the
 * one that will be served. */
int doctor_gate(const struct provider_conf *c, const struct image *image, struct console *out,
                bool *gpu, struct err *e) WARN_UNUSED;

/* How several cures begin. */
#define DOCTOR_PREPARE "`sudo qemu-scripts/prepare-host.sh` does it; by hand:\n"
/* The table, in four parts. */
extern const struct doctor_check doctor_cpu[], doctor_sev[], doctor_gpu[], doctor_rest[];
extern const size_t n_doctor_cpu, n_doctor_sev, n_doctor_gpu, n_doctor_rest;
void doctor_say(struct doctor_line *l, enum doctor_state s, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* ok or missing. */
void doctor_want(struct doctor_line *l, bool ok, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
