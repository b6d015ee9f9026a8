/* receipt.json: everything about one job that can be checked again later, offline
 * (cdvm-protocol(7), "Receipt"). One JSON object: {"v":1, "receipt": event, "request": rumor,
 * "offer": event, "manifests": [content as a string, byte for byte as signed], "endorsements":
 * [events], "hello": rumor, "accept": rumor, "collateral": [rumors], "gpu": the list of GPUs
 * that hello names by its hash (gpu_list.h), as a string, "teardown": event, "transcript": {"in":
 * [rumor ids], "out": [rumor ids]}}; what did not come is absent.
 *
 * The transcript is the customer's own: ids of numbered rumors in order, in = sent to the guest.
 * They tell nothing about the messages, which are not in it. */
#ifndef CDVM_BUNDLE_H
#define CDVM_BUNDLE_H

#include "collateral.h"
#include "hello.h"

#define BUNDLE_MAX ((size_t)4 << 20) /* bytes of the file */
#define BUNDLE_LIST_MAX 64
#define BUNDLE_IDS_MAX ((size_t)20000) /* of one direction */

struct bundle {
    struct event *receipt, *offer, *teardown; /* verified; NULL when absent */
    struct rumor *request, *hello, *accept;
    struct rumor **collateral; /* the parts that came, in order (collateral.h) */
    size_t n_collateral;
    char *gpu; /* NULL when hello has it all, or it did not come */
    char **manifest;
    size_t n_manifests;
    struct event **endorsement;
    size_t n_endorsements;
    bool has_transcript;
    uint8_t (*in)[32], (*out)[32];
    size_t n_in, n_out;
};
/* request, offer and hello must be there ("bad-bundle"); ids and signatures of all events and ids
 * of all rumors are checked. Owned by *out, which is emptied on error. */
int bundle_parse(struct view json, struct bundle *out, struct err *e) WARN_UNUSED;
void bundle_json(const struct bundle *b, struct buf *out);
/* Its hello, with the list of GPUs where that came apart. job: that it must be of; may be NULL.
 * hello_free(out) in any case. */
int bundle_hello(const struct bundle *b, const uint8_t *job, struct hello *out,
                 struct err *e) WARN_UNUSED;
void bundle_free(struct bundle *b); /* legal on {0} */

#endif
