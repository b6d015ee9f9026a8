/* One message of a finished job shown to somebody, with the path from it to a root that the guest
 * signed (cdvm-protocol(7), "Receipt"; RFC 9162): {"v":1, "direction":"in"/"out", "index":i,
 * "size":n, "path":[hex, from the leaf up], "rumor": the message}. Its neighbours stay secret: each
 * of them carries 16 random bytes, so that their hashes cannot be guessed. */
#ifndef CDVM_DISCLOSURE_H
#define CDVM_DISCLOSURE_H

#include "bundle.h"
#include "hash.h"
#include "receipt.h"

struct disclosure {
    bool out; /* from the guest */
    uint64_t index, size;
    uint8_t path[MERKLE_PATH_MAX][32];
    size_t n_path;
    struct rumor *rumor; /* owned */
};
/* From a bundle with its transcript and the message; appends JSON. "not-covered" when the receipt
 * does not count it, "no-transcript", "no-receipt". */
int disclosure_make(const struct bundle *b, const struct rumor *r, struct buf *out,
                    struct err *e) WARN_UNUSED;
/* "bad-disclosure" */
int disclosure_parse(struct view json, struct disclosure *out, struct err *e) WARN_UNUSED;
void disclosure_free(struct disclosure *d); /* legal on {0} */
/* The receipt proves it: the message, at this place, by the one of customer and guest whose
 * direction it is. "not-proven" says what does not fit. */
int disclosure_check(const struct disclosure *d, const struct receipt *r,
                     const uint8_t customer[static 32], const uint8_t guest[static 32],
                     struct err *e) WARN_UNUSED;

#endif
