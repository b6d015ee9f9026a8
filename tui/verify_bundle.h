/* A saved bundle, verified again: the same evidence, expectations and code as in the job itself. */
#ifndef CDVM_VERIFY_BUNDLE_H
#define CDVM_VERIFY_BUNDLE_H

#include "core/bundle.h"
#include "trust.h"

/* NULL when a part of the bundle does not parse ("bad-bundle" and the parsers' own codes). The
 * bundle's endorsements count beside t's only where t's pins name their keys. */
struct verdict *bundle_verify(const struct bundle *b, const struct trust *t, const struct policy *p,
                              int64_t now, struct err *e);

#endif
