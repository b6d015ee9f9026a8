/* What lies behind the lines of a verdict: the bytes of the evidence with their names, where they
 * stand and what they say. Of a bundle, saved or live; for showing alone, nothing is judged here.
 */
#ifndef CDVM_EXHIBIT_H
#define CDVM_EXHIBIT_H

#include "core/bundle.h"

#define EXHIBIT_NOWHERE SIZE_MAX

struct exhibit_item {
    const char *section; /* "SEV-SNP report", "certificate of the chip's key (VCEK)" ... */
    const char *name;    /* "REPORTED_TCB" */
    size_t offset;       /* of its first byte in the section's bytes; EXHIBIT_NOWHERE without one */
    struct view bytes;   /* borrowed from the exhibit */
    const char *words;   /* what they say; "" where they speak for themselves. Not sanitised */
};

struct exhibit;
/* Never NULL: a part that does not parse is left out. */
struct exhibit *exhibit_new(const struct bundle *b);
void exhibit_free(struct exhibit *x); /* NULL legal */

size_t exhibit_count(const struct exhibit *x);
const struct exhibit_item *exhibit_at(const struct exhibit *x, size_t i);
/* The nth item, from 0, that the check of this id looks at; NULL when there is none. */
const struct exhibit_item *exhibit_behind(const struct exhibit *x, const char *check, size_t nth);
const struct exhibit_item *exhibit_named(const struct exhibit *x, const char *name);

/* The first bytes of an item as "0a 00 00 ...", at most max of them, appended. */
void exhibit_hex(const struct exhibit_item *it, size_t max, struct buf *out);
/* All of it as lines: sections, and under them each item with offset, name, words and its bytes,
 * `row` to a line. The text is not sanitised. */
enum exhibit_line { EXHIBIT_SECTION, EXHIBIT_ITEM, EXHIBIT_WORDS, EXHIBIT_BYTES };
typedef void exhibit_fn(void *arg, enum exhibit_line kind, const struct exhibit_item *it,
                        const char *text);
/* The same of one item. */
void exhibit_item_lines(const struct exhibit_item *it, size_t row, exhibit_fn *fn, void *arg);
void exhibit_lines(const struct exhibit *x, size_t row, exhibit_fn *fn, void *arg);

#endif
