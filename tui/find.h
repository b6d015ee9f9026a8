/* Words looked for in text, whatever their case. No curses.
 *
 * Case is folded letter by letter as the locale does; nothing else is: an accent counts. */
#ifndef CDVM_FIND_H
#define CDVM_FIND_H

#include "core/bytes.h"

struct needle {
    uint32_t *cp; /* folded; owned */
    size_t n;     /* 0: nothing is looked for */
};
void needle_set(struct needle *n, struct view words); /* UTF-8; empty legal */
void needle_free(struct needle *n);                   /* legal on {0} */

/* Where the words stand next: the first place that begins at or after byte `from`, and the last one
 * that begins before byte `before`. *len gets their length in bytes. SIZE_MAX: nowhere. */
size_t needle_next(const struct needle *n, struct view text, size_t from, size_t *len);
size_t needle_last(const struct needle *n, struct view text, size_t before, size_t *len);

#endif
