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

/* score[p] = BM25 of passage p < n, above 0; 0 for one with none of the words. */
int index_search(struct index *x, const struct query *q, float *score, size_t n,
                 struct err *e) WARN_UNUSED;

#endif
