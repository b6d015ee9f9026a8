/* Advisories (kind 31881) by the keys that the user pinned: floors and revoked digests
 * (cdvm-protocol(7), "Public events"). Content, a JSON object with these arrays and no other key:
 *
 *   "driver", "vbios"   floors of GPUs: "GH100 550.54.15", "GH100 96.00.9F"
 *   "floors"            as in a policy file: "19:10-1f/1-2 bl=10 snp=27 ucode=84"
 *   "revoked"           SHA-256 of manifests that nobody should run any more
 *
 * What a key once raised stays raised: a later word that says less is shown, and does not count. */
#ifndef CDVM_ADVICE_H
#define CDVM_ADVICE_H

#include "evidence.h"
#include "finding.h"

#define ADVICE_DAYS 30 /* an advisory older than this tells nothing about today */
#define ADVISORY_REVOKED 128
#define ADVICE_FLOORS 64
#define ADVICE_REVOKED 512

struct advisory {
    struct tcb_floor floor[POLICY_FLOORS_MAX];
    size_t n_floors;
    uint8_t revoked[ADVISORY_REVOKED][32];
    size_t n_revoked;
    struct gpu_floor gpu_floor[2 * GPU_FLOORS_MAX];
    size_t n_gpu_floors;
};
/* "bad-advisory" */
int advisory_parse(const struct event *ev, struct advisory *out, struct err *e) WARN_UNUSED;

/* All that holds: of events at hand, each key's newest under each name, and of memory. */
struct advice {
    struct tcb_floor floor[ADVICE_FLOORS];
    size_t n_floors;
    uint8_t revoked[ADVICE_REVOKED][32];
    size_t n_revoked;
    struct gpu_floor gpu_floor[ADVICE_FLOORS];
    size_t n_gpu_floors;
    bool overfull;
    struct finding fresh; /* advisory.fresh */
};
void advice_gather(struct advice *a, const struct pins *p, int64_t now);
bool advice_revokes(const struct advice *a, const uint8_t digest[static 32]);

/* The number of an endorser's word: tag "seq"; 0 without one. */
uint64_t event_seq(const struct event *ev);
/* By a pinned key, and not older than what that key said before under this name. */
bool event_counts(const struct pins *p, const struct event *ev);
/* Takes what the pinned keys' events say into m; appends the new lines. */
void advice_learn(const struct pins *p, struct memory *m, struct buf *lines);

#endif
