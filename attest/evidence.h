/* From evidence to verdict. Pure: no clock, no files, no sockets, no printing; the same inputs give
 * the same verdict, today or in ten years.
 *
 * What is expected comes from the customer's request, the offer it names and manifests, never from
 * the evidence. Everything here is borrowed for the call and hostile, but policy, pins and
 * sim_roots. */
#ifndef CDVM_EVIDENCE_H
#define CDVM_EVIDENCE_H

#include "core/binding.h"
#include "core/dvm.h"
#include "core/offer.h"
#include "memory.h"
#include "policy.h"
#include "verdict.h"

#define COLLATERAL_CRLS 4

struct gpu_collateral; /* gpu_verify.h */

/* What a finished job left beside its hello. Each part may be absent. */
struct job_record {
    const struct event *receipt, *teardown;
    const struct rumor *accept;
    bool has_transcript; /* rumor ids in order, in = from the customer */
    const uint8_t (*in)[32], (*out)[32];
    size_t n_in, n_out;
};

/* What the guest said in hello. */
struct evidence {
    uint8_t guest[32]; /* G: the key that sealed the hello */
    uint8_t hello[32]; /* its rumor id */
    struct view report;
    const struct gpu_evidence *gpu; /* in the protocol's order (core/gpu_list.h) */
    size_t n_gpu;
    const char *gpu_unreadable; /* why what came of GPUs is not there; NULL: all of it is */
    /* hello's echo: used only to name a mismatch, never to accept anything. */
    bool has_echo;
    uint8_t echo_customer[32], echo_nonce[32], echo_job[32];
    const struct job_record *record; /* NULL while the job runs */
};

/* Certificates carried by anybody: all of it is signed. Empty views where absent; a certificate
 * table (GHCB extended report) fills what is absent. DER. */
struct snp_collateral {
    struct view vek, ask, ark;
    struct view cert_table;
    struct view crl[COLLATERAL_CRLS];
    size_t n_crl;
};

/* What the user decided to believe. Nothing is pinned by default. */
struct pins {
    const uint8_t (*digest)[32]; /* SHA-256 of manifests pinned one by one */
    size_t n_digests;
    const uint8_t (*endorser)[32]; /* keys whose endorsements count */
    size_t n_endorsers;
    unsigned k;                             /* how many of them must agree; 0 means 1 */
    const struct event *const *endorsement; /* kinds 31880 to 31882 at hand, verified events */
    size_t n_endorsements;
    const struct memory *memory; /* what was seen before; NULL: nothing is remembered */
    bool asked;                  /* relays were asked for news just now ... */
    unsigned n_answers;          /* ... and so many said that this is all they have */
};

struct expect {
    const struct job_request *request;    /* U's own: U, N, job id, the offer it names */
    const struct offer *offer;            /* the verified event that the request names */
    struct view release, workload, model; /* manifest contents as received; empty when absent */
    struct pins pins;
    const uint8_t (*sim_roots)[32]; /* SHA-256 of DER of simulator roots made here */
    size_t n_sim_roots;
};

/* A whole hello. Never NULL. gpu: what NVIDIA signs; NULL: nothing came. now: Unix seconds of the
 * customer's own clock. */
struct verdict *evidence_verify(const struct evidence *ev, const struct snp_collateral *c,
                                const struct gpu_collateral *gpu, const struct expect *x,
                                const struct policy *p, int64_t now);

/* A bare report. report_data (64) and measurement (48) may be NULL: then those two checks are NOT
 * CHECKED, and so is the verdict at best. */
struct expect_report {
    const uint8_t *report_data, *measurement;
    const uint8_t (*sim_roots)[32];
    size_t n_sim_roots;
};
struct verdict *evidence_verify_report(struct view report, const struct snp_collateral *c,
                                       const struct expect_report *x, const struct policy *p,
                                       int64_t now);

/* GPUs by themselves, of nobody's job: their reports, and what NVIDIA says of them (c; NULL:
 * nothing came). */
struct gpu_subject;
struct verdict *evidence_verify_gpu(const struct gpu_subject *gpu, size_t n,
                                    const struct gpu_collateral *c, const uint8_t *nonce,
                                    const struct policy *p, int64_t now);

#endif
