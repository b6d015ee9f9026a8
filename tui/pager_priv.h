/* The inside of a pager, shared by pager.c and pager_find.c. */
#ifndef CDVM_PAGER_PRIV_H
#define CDVM_PAGER_PRIV_H

#include "tui/find.h"
#include "tui/pager.h"

#define GUTTER_MAX 24

struct entry {
    uint8_t *text; /* sanitised, owned */
    uint32_t n, cap;
    uint32_t gutter, tag; /* in the pager's words */
    uint8_t role;
    bool fixed;
};

/* One row: bytes [from, from + n) of an entry. */
struct row {
    uint32_t entry, from, n;
};

struct place {
    size_t id; /* of an entry; 0: nowhere */
    size_t from;
};

struct pager {
    struct entry *entry; /* a ring would save the shift; entries go a tenth at a time instead */
    size_t n, cap, max;
    size_t dropped;           /* entries gone: id of entry[0] is dropped + 1 */
    size_t bytes;             /* of all texts */
    char (*word)[GUTTER_MAX]; /* gutters and tags, which many entries share; the first is "" */
    size_t n_words, cap_words;
    struct row *row;
    size_t n_rows, cap_rows;
    int width, height, indent, tail;
    size_t top;
    bool follow;
    size_t seen; /* rows that have been in sight, from the first */
    struct needle needle;
    struct place hit; /* where the search stands */
    struct buf scratch;
};

/* The row in which byte `from` of entry `entry` (from 0) stands. */
size_t pager_row_of(const struct pager *p, size_t entry, size_t from);
void pager_settle(struct pager *p);

#endif
