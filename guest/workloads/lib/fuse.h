/* Two measures of the same passages made one ranking. */
#ifndef CDVM_WORKLOAD_FUSE_H
#define CDVM_WORKLOAD_FUSE_H

#include <stdbool.h>
#include <stddef.h>

struct fuse_hit {
    size_t passage;
    float score; /* above 0, at most 1 */
    bool by_words, by_meaning;
};

/* words[i]: of passage i, 0 to 1, as index_search gives it. meaning[i]: cosine; 0 or less counts as
 * nothing. meaning NULL: the words alone. The score is the mean of the two: both are shares of a
 * perfect match, so neither needs the other's scale, and there is no weight to be tuned (ranks, as
 * in reciprocal rank fusion, would make a chance hit of one word the equal of a full one). The best
 * `max` go to hit, best first, equals in their order; returns how many. */
size_t fuse(const float *words, const float *meaning, size_t n, struct fuse_hit *hit, size_t max);

#endif
