/* What this user decided to believe, from files of their own (cdvm-protocol(7), "Verdict").
 *
 *   $XDG_CONFIG_HOME/cdvm/pins        one a line: release|workload|model <sha256> [name]
 *                                     or: endorser <npub or hex> [name]
 *                                     or: agree <how many endorsers must say the same; 1>
 *   $XDG_CONFIG_HOME/cdvm/sim-roots   one a line: <sha256 of DER> [name]; read only for policy demo
 *   $XDG_STATE_HOME/cdvm/memory       what was seen before (attest/memory.h); only ever grows
 *   $XDG_DATA_HOME/cdvm/manifests/<sha256>.json   manifests, content exactly as signed
 */
#ifndef CDVM_TRUST_H
#define CDVM_TRUST_H

#include "attest/evidence.h"

struct trust {
    struct pins pins; /* its arrays belong to this struct */
    uint8_t (*digest)[32], (*endorser)[32], (*sim_root)[32];
    size_t n_sim_roots;
    struct event **event; /* endorsements met on relays, verified */
    struct memory memory; /* pins.memory, once trust_load has read it */
};
/* Files that do not exist are empty; a line that is not understood is an error "bad-config" with
 * file and line. simulated: read sim-roots (only when --policy demo was given on this run). */
int trust_load(struct trust *t, bool simulated, struct err *e) WARN_UNUSED;
void trust_add(struct trust *t, const struct event *endorsement); /* copies; once per id */
void trust_free(struct trust *t);
/* Remembers what the pinned keys said. x, chip: also what this provider showed, first of all times;
 * NULL and an empty view: nothing of that. Nothing when t was not loaded from files. */
int trust_learn(struct trust *t, const struct expect *x, struct view chip, int64_t now,
                struct err *e) WARN_UNUSED;

/* Manifest contents at hand. -1 "absent" when there is none. */
int manifest_load(const uint8_t digest[static 32], struct buf *out, struct err *e) WARN_UNUSED;
/* The workload or model manifest that names this volume ("root:blocks"). Anybody may have published
 * one over it: one with the offer's name goes first, then one that is pinned or endorsed. */
struct wanted_volume {
    bool model;
    const char *name, *volume;
};
int manifest_load_volume(const struct pins *p, const struct wanted_volume *want, struct buf *out,
                         struct err *e) WARN_UNUSED;
/* Keeps content that came from a relay; its name is its hash. */
int manifest_save(struct view content, struct err *e) WARN_UNUSED;

#endif
