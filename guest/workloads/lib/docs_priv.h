/* What docs.c and docs_search.c share. */
#ifndef CDVM_WORKLOAD_DOCS_PRIV_H
#define CDVM_WORKLOAD_DOCS_PRIV_H

#include "docs.h"
#include "doctext.h"
#include "index.h"
#include "split.h"
#include "vectors.h"

#define DOCS_WINDOWS_MAX 100000 /* of all documents */
#define DOCS_HEADING 160        /* characters of a heading path */

struct doc {
    char *name;
    const char *format;
    struct doctext text;
    struct split split;
    size_t first_window, first_passage; /* their numbers among all documents' */
};

struct docs {
    struct docs_model model;
    size_t batch; /* windows for the model at a time */
    bool has_model;
    struct doc *doc;
    size_t n, cap;
    size_t n_windows, n_passages, bytes;
    struct index *index;
    struct vectors *vectors; /* of the first vectors_count windows */
    /* what the hits of the last search borrow */
    char **lent;
    size_t n_lent;
};

void docs_lend_nothing(struct docs *d);

#endif
