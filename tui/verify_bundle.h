/* A saved bundle, verified again: the same evidence, expectations and code as in the job itself. */
#ifndef CDVM_VERIFY_BUNDLE_H
#define CDVM_VERIFY_BUNDLE_H

#include "core/bundle.h"
#include "trust.h"

/* NULL when a part of the bundle does not parse ("bad-bundle" and the parsers' own codes). The
 * bundle's endorsements count beside t's only where t's pins name their keys. more: certificates
 * from elsewhere for what the bundle lacks; may be NULL. */
struct verdict *bundle_verify(const struct bundle *b, const struct trust *t, const struct policy *p,
                              int64_t now, const struct collateral *more, struct err *e);
/* When the customer accepted it: by the customer's own clock, but not before the newest revocation
 * list that it was judged with. False when there is no acceptance. */
bool bundle_then(const struct bundle *b, int64_t *then);
/* The report of its hello, appended. */
int bundle_report(const struct bundle *b, struct buf *out, struct err *e) WARN_UNUSED;

#endif
