/* Two rankings of the same passages made one. */
#ifndef CDVM_WORKLOAD_FUSE_H
#define CDVM_WORKLOAD_FUSE_H

#include <stdbool.h>
#include <stddef.h>

struct fuse_hit {
    size_t passage;
    float score; /* above 0, at most 1 */
    bool by_words, by_meaning;
};

/* words[i]: BM25 of passage i, 0 = none of the words. meaning[i]: cosine, -1 = no vector; NULL =
 * there are none at all. The best `max` go to hit, best first, equals in their order; returns how
 * many. */
size_t fuse(const float *words, const float *meaning, size_t n, struct fuse_hit *hit, size_t max);

#endif
