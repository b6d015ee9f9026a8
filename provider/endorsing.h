/* Making endorsements (cdvm-protocol(7), "Public events"); attest/endorse.c is who reads them. */
#ifndef CDVM_ENDORSING_H
#define CDVM_ENDORSING_H

#include "core/event.h"
#include "image.h"

/* One thing that is endorsed: a release, a workload or a model, by its manifest. */
struct endorsed {
    const char *type; /* "guest", "workload", "model" */
    const char *name, *version, *repo, *commit;
    struct view content; /* of the manifest */
    uint64_t seq;        /* of the manifest */
};
struct endorsed endorsed_release(const struct image *m);
struct endorsed endorsed_volume(const struct image_volume *v);

/* Kind 31880: seq stands above the endorser's earlier words on it; until: Unix seconds. */
struct event *endorsement_make(const struct endorsed *what, uint64_t seq, int64_t now,
                               int64_t until, const struct keypair *k);
/* The same address with nothing in it: whatever this key said of it is taken back. */
struct event *endorsement_revoke(const struct endorsed *what, uint64_t seq, int64_t now,
                                 const struct keypair *k);
/* Kind 31882: this key has seen the machine with that chip at that operator; operator NULL takes it
 * back. chip: 128 hex digits. */
struct event *chip_make(const char *chip, const char *operator_, uint64_t seq, int64_t now,
                        int64_t until, const struct keypair *k);

#endif
