/* The text of one document, and where its headings are. Extractors write it, the splitter reads it.
 *
 * Text is valid UTF-8. In text that was laid out by marks (html, docx) white space is folded: one
 * space between words, "\n" between lines, "\n\n" between paragraphs. */
#ifndef CDVM_WORKLOAD_DOCTEXT_H
#define CDVM_WORKLOAD_DOCTEXT_H

#include "core/bytes.h"

#define DOCTEXT_MAX ((size_t)16 << 20) /* bytes; the rest of a longer document is cut off */
#define DOCTEXT_HEADINGS 20000         /* further ones are ordinary text */
#define DOCTEXT_LEVELS 6

struct doctext_heading {
    size_t at, n;   /* its text within the whole: at + n <= text.n, one after the other */
    unsigned level; /* 1 .. DOCTEXT_LEVELS */
};

enum doctext_gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_PARAGRAPH };

struct doctext {
    struct buf text;
    struct doctext_heading *heading;
    size_t n_headings, heading_cap;
    struct buf title; /* that the document gives itself; empty = none */
    bool latin1;      /* see decode.h */
    bool cut;         /* longer than DOCTEXT_MAX, or given up half-way */
    /* while it is written */
    enum doctext_gap gap;
    unsigned open_level;
    size_t open_at;
};

void doctext_init(struct doctext *t);
void doctext_free(struct doctext *t); /* wipes */

/* Adds UTF-8, white space folded; it may end in the middle of a word. */
void doctext_add(struct doctext *t, struct view utf8);
/* The same with spaces and line ends as they are. */
void doctext_verbatim(struct doctext *t, struct view utf8);
void doctext_break(struct doctext *t, enum doctext_gap gap);
/* What is added between open and close is a heading; it stands in a paragraph of its own. */
void doctext_open(struct doctext *t, unsigned level);
void doctext_close(struct doctext *t);
/* A heading in text that is there already. */
void doctext_mark(struct doctext *t, size_t at, size_t n, unsigned level);

/* Between two processes. Reading checks everything the splitter relies on. */
void doctext_write(const struct doctext *t, struct buf *out);
int doctext_read(struct view in, struct doctext *t, struct err *e) WARN_UNUSED;

#endif
