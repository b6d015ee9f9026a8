/* What changed between two verdicts: the last one about a provider and today's, or one bundle as of
 * then and as of now. */
#ifndef CDVM_COMPARE_H
#define CDVM_COMPARE_H

#include "verdict.h"

/* One leaf that differs in state or value. Borrowed from the two verdicts; a leaf that only one of
 * them has: "" and NOT CHECKED on the other side. What differs between any two jobs (nonce, keys,
 * report data) is passed over. */
struct change {
    const char *id, *title;
    enum check_state was, is;
    const char *before, *after;
};
/* In tree order, at most max; returns how many there are. */
size_t verdict_changes(const struct verdict *before, const struct verdict *after,
                       struct change *out, size_t max);

#endif
