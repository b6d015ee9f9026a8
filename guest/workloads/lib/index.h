/* Passages in an SQLite FTS5 index that exists in memory only, ranked by BM25. It holds the words
 * and not the text. */
#ifndef CDVM_WORKLOAD_INDEX_H
#define CDVM_WORKLOAD_INDEX_H

#include "query.h"

struct index;
struct index *index_new(struct err *e);
void index_free(struct index *x);

/* Adds are grouped: everything after index_begin is undone by index_end(x, false). "system" (no
 * memory). */
int index_begin(struct index *x, struct err *e) WARN_UNUSED;
int index_add(struct index *x, size_t passage, const char *heading, struct view text,
              struct err *e) WARN_UNUSED;
int index_end(struct index *x, bool keep, struct err *e) WARN_UNUSED;

/* score[p], p < n: BM25 of the passage as a share, 0 to 1, of the most that any passage could get
 * for this question (each of its words without end). So a passage that has one word of ten scores
 * low even where no other has more; words that stand nowhere count in the most. 0 = none of the
 * words. */
int index_search(struct index *x, const struct query *q, float *score, size_t n,
                 struct err *e) WARN_UNUSED;

#endif
