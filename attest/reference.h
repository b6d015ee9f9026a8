/* What ought to run: offer and manifests, turned into the expected launch digest, and who vouches
 * for them. */
#ifndef CDVM_REFERENCE_H
#define CDVM_REFERENCE_H

#include "advice.h"
#include "evidence.h"
#include "finding.h"
#include "snp_measure.h"

struct reference {
    struct release *release;
    struct manifest *workload, *model; /* model NULL when the offer has none */
    struct buf cmdline;
    struct launch launch;
    bool has_digest;
    uint8_t digest[48];
    struct finding match; /* offer.match */
};
/* Borrows x; never fails: what is wrong is in r->match. */
void reference_build(struct reference *r, const struct expect *x);
void reference_free(struct reference *r);
/* Adds the group "reference". chip: CHIP_ID of an authentic report, else empty. */
void reference_verify(struct verdict *v, const struct reference *r, const struct expect *x,
                      const struct advice *advice, struct view chip, int64_t now);

/* What the release says, without its vCPU type and command line. Borrows rel. */
struct launch reference_launch(const struct release *rel, uint32_t vcpus, uint64_t features);
/* The leaves that customers and model owners look at alike: what the release says of itself (rel
 * may be NULL), who vouches for the machine's place, news. */
void reference_common(struct verdict *v, struct node *g, const struct release *rel,
                      const struct pins *pins, const struct advice *advice, struct view chip,
                      int64_t now);

/* What memory keeps about a provider; empty views where there is nothing. digest: room for three.
 */
void provider_values(const struct expect *x, struct view chip, uint8_t digest[static 3][32],
                     struct view out[static SEEN_KINDS]);

/* Who vouches for one manifest: pinned by digest, or endorsed by k of the pinned keys. */
enum manifest_kind { MANIFEST_RELEASE, MANIFEST_WORKLOAD, MANIFEST_MODEL };
void endorsement_check(const struct pins *pins, const struct advice *advice,
                       enum manifest_kind kind, struct view content, const char *name,
                       const char *version, int64_t now, struct finding *f);
/* Who vouches for the place of one machine. */
void chip_check(const struct pins *pins, struct view chip, int64_t now, struct finding *f);

#endif
