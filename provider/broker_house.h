/* What the owner of sealed models decided, read from files once: the list, the keys, the releases
 * that rows name, and whom to believe about machines and firmware. Then the one question: does this
 * evidence get that key? Pure but for the book, which the caller keeps. */
#ifndef CDVM_BROKER_HOUSE_H
#define CDVM_BROKER_HOUSE_H

#include "attest/evidence_key.h"
#include "broker_list.h"
#include "core/collateral.h"
#include "core/modelkey.h"
#include "core/secret.h"

struct broker_files {
    const char *list;
    const char *const *manifests; /* folders with *.manifest, or such files */
    size_t n_manifests;
    const char *const *endorsers; /* npub or hex: keys whose word counts */
    size_t n_endorsers;
    const char *const *endorsements; /* files of events of kinds 31880 to 31882, one a line */
    size_t n_endorsements;
    const char *memory; /* what endorsers said before (attest/memory.h): only ever grows */
};
struct broker_house;
/* Paths of keys are relative to the list's folder. NULL on error: "bad-list", "bad-config",
 * "unsafe-key", "bad-key", "bad-memory". */
struct broker_house *broker_house_open(const struct broker_files *f, struct err *e);
void broker_house_free(struct broker_house *h); /* wipes; NULL legal */
size_t broker_house_rows(const struct broker_house *h);
bool broker_house_has_model(const struct broker_house *h, const uint8_t root[static 32]);
const struct secret *broker_house_key(const struct broker_house *h, const struct broker_row *row);
/* The endorsers, and adding what they say on relays: copied, once per id, remembered; others are
 * ignored. */
const uint8_t (*broker_house_endorsers(const struct broker_house *h, size_t *n))[32];
void broker_house_hear(struct broker_house *h, const struct event *ev);

/* One guest that showed evidence. Borrowed. */
struct broker_claim {
    const uint8_t *broker, *nonce; /* K, Nk */
    const uint8_t *guest;          /* G: who sealed it */
    const uint8_t *job;            /* of its messages */
    const uint8_t *model;          /* root of its key_ask */
    const struct key_evidence *evidence;
    const struct collateral *collateral; /* of anybody's making; NULL: none came */
    bool asked;                          /* relays were asked for advisories ... */
    unsigned n_answers;                  /* ... and so many have answered */
};
/* pass: row is the one that it fits, chip its CHIP_ID. Otherwise a stable code:
 *   "release-unknown"      no listed release gives this launch digest
 *   "workload-not-listed"  a listed release, but started with another workload
 *   "gpu-missing"          fewer GPUs are shown than the row demands
 *   "no-collateral"        the processor's certificates did not come
 *   "evidence"             not PASS under strict: text names the checks */
struct broker_decision {
    bool pass;
    const char *code;
    char text[400];
    const struct broker_row *row;
    uint8_t chip[64];
    size_t chip_len;
};
void broker_judge(const struct broker_house *h, const struct broker_claim *c, int64_t now,
                  struct broker_decision *out);

#endif
