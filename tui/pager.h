/* Scrollback: entries as they came, rows as they fit. The entries are kept unbroken and flow again
 * when the width changes. The view follows new text only while it is at the bottom; otherwise it
 * stays, counts what came below, and keeps the newest rows in sight under it (split). No curses.
 *
 * All text passes the sanitiser on the way in. Oldest entries go when `max` of them, or PAGER_BYTES
 * of text, are reached. */
#ifndef CDVM_PAGER_H
#define CDVM_PAGER_H

#include "core/text.h"
#include "tui/list.h"
#include "tui/theme.h"

#define PAGER_BYTES ((size_t)16 << 20)
#define PAGER_FOUND_MAX 999 /* places that are counted */

struct pager;
struct pager *pager_new(size_t max);
void pager_free(struct pager *p); /* wipes; NULL legal */
void pager_clear(struct pager *p);

/* gutter: what stands before the first row ("12:04  you"); later rows are indented to the same
 * column. fixed: rows of a table, cut and never broken. Returns the entry's id, from 1. */
size_t pager_add(struct pager *p, const char *gutter, enum role role, bool fixed, struct view text);
/* One line of a page, formatted; and an empty one. */
void pager_line(struct pager *p, enum role role, const char *fmt, ...) PRINTF_LIKE(3, 4);
void pager_gap(struct pager *p);
void pager_extend(struct pager *p, size_t id, struct view more); /* a streamed answer */
void pager_replace(struct pager *p, size_t id, enum role role, struct view text);
/* A word at the right end of the entry's first row ("sent"): room for it is kept on every row. */
void pager_tag(struct pager *p, size_t id, const char *word);
#define PAGER_TAG 10 /* cells of the longest */

void pager_resize(struct pager *p, int width, int height, int indent);
void pager_move(struct pager *p, enum list_move m);
/* Scrolls so that the entry begins near the top. */
void pager_show(struct pager *p, size_t id);
/* Scrolls to the first row that has not been in sight; false when there is none. */
bool pager_unread(struct pager *p);

/* Split scroll: while reading above, the newest `tail` rows stay in sight below, behind one row for
 * a mark. 0 (at first): the view has all rows. */
void pager_split(struct pager *p, int tail);
int pager_view(const struct pager *p); /* rows of the view now */
int pager_tail(const struct pager *p); /* rows of the newest under it; 0 while following */

/* --- search --- */

/* Looks for words, whatever their case; empty ends the search. Returns the places found, at most
 * PAGER_FOUND_MAX. The view moves by pager_seek only. */
size_t pager_search(struct pager *p, struct view words);
/* To the place before the current one, or after it; without a current one from the bottom of the
 * view. False when there is none in that direction. */
bool pager_seek(struct pager *p, bool older);

struct pager_hit { /* cells [from, to) of a row */
    int from, to;
    bool current;
};
#define PAGER_HITS 16
size_t pager_hits(const struct pager *p, size_t row, struct pager_hit hits[static PAGER_HITS]);

/* --- reading --- */

struct pager_row {
    struct safe_text gutter, text, tag; /* gutter and tag empty on all but an entry's first row */
    enum role role;
};
/* A whole entry, unbroken, for who reads aloud instead of drawing: lines are parted by \n. False
 * when it has gone. Ids go from pager_oldest to pager_newest; there is none when the first is
 * greater. */
bool pager_read(const struct pager *p, size_t id, struct pager_row *out);
size_t pager_oldest(const struct pager *p);
size_t pager_newest(const struct pager *p);

size_t pager_rows(const struct pager *p);
size_t pager_top(const struct pager *p);
bool pager_row(const struct pager *p, size_t i, struct pager_row *out);
bool pager_following(const struct pager *p);
size_t pager_unseen(const struct pager *p); /* rows below the view that have not been in sight */
struct view pager_entry(const struct pager *p, size_t id); /* whole; empty when it is gone */
/* Everything as plain text: the gutter before each entry, further lines indented alike. */
void pager_text(const struct pager *p, struct buf *out);

#endif
