/* Scrollback: entries as they came, rows as they fit. The entries are kept unbroken and flow again
 * when the width changes. The view follows new text only while it is at the bottom; otherwise it
 * stays and counts what came below. No curses.
 *
 * All text passes the sanitiser on the way in. Oldest entries go when `max` is reached. */
#ifndef CDVM_PAGER_H
#define CDVM_PAGER_H

#include "core/text.h"
#include "tui/list.h"
#include "tui/theme.h"

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

void pager_resize(struct pager *p, int width, int height, int indent);
void pager_move(struct pager *p, enum list_move m);
/* Scrolls to the next entry that holds `needle` (ASCII case ignored), upwards from the view; false
 * when there is none. */
bool pager_find(struct pager *p, struct view needle);

/* Scrolls so that the entry begins near the top. */
void pager_show(struct pager *p, size_t id);

struct pager_row {
    struct safe_text gutter, text; /* gutter empty on all but an entry's first row */
    enum role role;
};
size_t pager_rows(const struct pager *p);
size_t pager_top(const struct pager *p);
bool pager_row(const struct pager *p, size_t i, struct pager_row *out);
bool pager_following(const struct pager *p);
size_t pager_unseen(const struct pager *p); /* rows below the view that have not been in sight */

#endif
