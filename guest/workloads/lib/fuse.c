#include "fuse.h"

#include <stdlib.h>
#include "core/bytes.h"

/* Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009): each ranking gives 1 / (K + rank). It
 * needs no common scale of the two scores and has no weight to be tuned. */
#define K 60.0f
#define DEPTH 1000 /* ranks below give nothing */

struct ranked {
    float score;
    size_t passage;
};

static int better(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->passage < y->passage ? -1 : x->passage > y->passage;
}

/* Adds each passage's share to its sum; marks those that were ranked. */
static void add_ranking(const float *score, float above, size_t n, struct ranked *order, float *sum,
                        bool *by) {
    size_t ranked = 0;

    for (size_t i = 0; i < n; i++)
        if (score[i] > above)
            order[ranked++] = (struct ranked){score[i], i};
    qsort(order, ranked, sizeof *order, better);
    for (size_t r = 0; r < ranked && r < DEPTH; r++) {
        sum[order[r].passage] += (K + 1) / (K + 1 + (float)r);
        by[order[r].passage] = true;
    }
}

size_t fuse(const float *words, const float *meaning, size_t n, struct fuse_hit *hit, size_t max) {
    cleanup_free struct ranked *order = mem_new((n + 1) * sizeof *order);
    cleanup_free float *sum = mem_new((n + 1) * sizeof *sum);
    cleanup_free bool *by_words = mem_new(n + 1), *by_meaning = mem_new(n + 1);
    const float full = meaning ? 2 : 1;
    size_t found = 0;

    add_ranking(words, 0, n, order, sum, by_words);
    if (meaning)
        add_ranking(meaning, 0, n, order, sum, by_meaning);
    for (size_t i = 0; i < n; i++)
        if (sum[i] > 0)
            order[found++] = (struct ranked){sum[i], i};
    qsort(order, found, sizeof *order, better);
    found = found < max ? found : max;
    for (size_t i = 0; i < found; i++) {
        size_t p = order[i].passage;

        hit[i] = (struct fuse_hit){p, order[i].score / full, by_words[p], by_meaning[p]};
    }
    return found;
}
