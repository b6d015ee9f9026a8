#include "fuse.h"

#include <stdlib.h>
#include "core/bytes.h"

static int better(const void *a, const void *b) {
    const struct fuse_hit *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->passage < y->passage ? -1 : x->passage > y->passage;
}

static struct fuse_hit judge(const float *words, const float *meaning, size_t i) {
    struct fuse_hit h = {.passage = i, .by_words = words[i] > 0};
    float share = meaning ? meaning[i] : 0;

    h.by_meaning = share > 0;
    h.score = h.by_meaning ? words[i] + share : words[i];
    if (meaning)
        h.score /= 2;
    return h;
}

size_t fuse(const float *words, const float *meaning, size_t n, struct fuse_hit *hit, size_t max) {
    cleanup_free struct fuse_hit *all = mem_new((n + 1) * sizeof *all);
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        all[found] = judge(words, meaning, i);
        found += all[found].score > 0;
    }
    qsort(all, found, sizeof *all, better);
    found = found < max ? found : max;
    for (size_t i = 0; i < found; i++)
        hit[i] = all[i];
    return found;
}
