/* A line editor on code points, one line or several, with history and a kill buffer. No curses.
 *
 * What it holds is the person's own draft: buffers are wiped when freed. Only characters that the
 * screen can show get in (cp_width >= 0, and newlines when multi-line). */
#ifndef CDVM_EDIT_H
#define CDVM_EDIT_H

#include "core/text.h"

enum edit_op {
    EDIT_LEFT,
    EDIT_RIGHT,
    EDIT_WORD_LEFT,
    EDIT_WORD_RIGHT,
    EDIT_HOME, /* of the line */
    EDIT_END,
    EDIT_BACKSPACE,
    EDIT_DELETE,
    EDIT_KILL_END,
    EDIT_KILL_START,
    EDIT_KILL_WORD, /* the one before the cursor */
    EDIT_YANK,
    EDIT_UP, /* a line up; in the first line: the entry before in the history */
    EDIT_DOWN,
    EDIT_CLEAR,
};

struct edit;
/* max: code points. A one-line editor turns newlines into spaces. */
struct edit *edit_new(size_t max, bool multiline);
void edit_free(struct edit *e); /* NULL legal */

bool edit_insert(struct edit *e, uint32_t cp); /* false: not taken */
/* Takes what fits; returns the code points that went in. Invalid bytes become U+FFFD. */
size_t edit_paste(struct edit *e, struct view utf8);
void edit_do(struct edit *e, enum edit_op op);
void edit_set(struct edit *e, struct view utf8); /* replaces everything, cursor at the end */
void edit_remember(struct edit *e);              /* the text enters the history, and goes */

size_t edit_len(const struct edit *e);
bool edit_full(const struct edit *e); /* nothing more goes in */
size_t edit_pos(const struct edit *e);
uint32_t edit_at(const struct edit *e, size_t i);      /* i < edit_len */
void edit_text(const struct edit *e, struct buf *out); /* appends UTF-8 */

/* Layout in rows of `width` cells: characters [from, to) of row i, the newline that ends it left
 * out. */
struct edit_row {
    size_t from, to;
};
struct edit_place {
    size_t row; /* of the cursor */
    int col;
};
/* Rows altogether (at least 1); rows[first .. first+max) are written, where first is chosen so that
 * the cursor's row is among them: *first gets it. */
size_t edit_layout(const struct edit *e, int width, struct edit_row *rows, size_t max,
                   size_t *first, struct edit_place *cursor);

#endif
