/* What AMD and NVIDIA sign about the machines behind some evidence: under which name it lies in the
 * cache of collateral, where it is served, and whether an answer is it. Nothing is fetched here:
 * qemu-scripts/fetch-collateral.sh asks, this tells it what for and looks at what came.
 *
 * Evidence is hostile: only of what its makers signed anything is asked about. What is kept is
 * authentic and in force at the given time; verdicts are the customer's. */
#ifndef CDVM_NEEDS_H
#define CDVM_NEEDS_H

#include "core/gpu_list.h"
#include "kds.h"

#define NEEDS_MAX 64
#define NEED_FILE 240
#define NEED_URL 400
#define NEED_WHAT 160
#define NEED_ANSWER_MAX ((size_t)1 << 20)

struct need {
    char file[NEED_FILE]; /* below the cache: "Genoa.crl", "gpu/rim/NV_GPU_....xml" */
    char what[NEED_WHAT]; /* in words */
    char url[NEED_URL];   /* NUL-terminated, of printable ASCII without blanks */
    struct view post;     /* an OCSP question in DER; empty: to be got, not posted */
    bool optional;        /* something else can stand for it */
    bool have;            /* the cache has it, and it is good */
    struct err why;       /* else what is wrong with what lies there; code "": nothing does */
};

struct needs;
/* cache: the folder. now: Unix seconds, the time at which all has to be in force. */
struct needs *needs_new(const char *cache, int64_t now);
void needs_free(struct needs *n); /* NULL legal */
/* Of a chip: its certificate, the chain above it, the list. */
void needs_add_chip(struct needs *n, const struct kds_key *key);
/* Of the chip that signed an SEV-SNP report. kds_key_of's errors. */
int needs_add_report(struct needs *n, struct view report, struct err *e) WARN_UNUSED;
/* Of GPUs and switches: reference values, then words on their signers and on the devices' chains.
 * Which signers there are is known once the values are in the cache. "bad-gpu" with a sentence: a
 * device whose report is not authentic. */
int needs_add_gpus(struct needs *n, const struct gpu_evidence *gpu, size_t n_gpu,
                   struct err *e) WARN_UNUSED;
size_t needs_count(const struct needs *n);
const struct need *needs_at(const struct needs *n, size_t i);

/* An answer from the url of the need that has this file: decoded, judged, and put into the cache in
 * one step. "no-need", "bad-answer" with what is wrong with it; nothing is kept then. */
int needs_keep(struct needs *n, const char *file, struct view answer, struct err *e) WARN_UNUSED;

#endif
