/* How fast something goes on and how long the rest will take, from counts and times. No clock. */
#ifndef CDVM_PACE_H
#define CDVM_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {                    /* {0} to begin with */
    uint64_t first, done, total; /* counts; total 0 = unknown */
    int64_t began, moved;        /* milliseconds of one clock */
};
/* A count that went back, or another total, begins anew. */
void pace_at(struct pace *p, int64_t now, uint64_t done, uint64_t total);
/* "12 of 240 tokens, 3.1/s, left 1 m 14 s"; rate and rest only where they are known. unit may be
 * "". */
void pace_words(const struct pace *p, const char *unit, char *out, size_t n);

#endif
