/* The only file that writes to the screen. It takes safe_text and nothing else; what it formats
 * itself passes the sanitiser on the way.
 *
 * Coordinates are cells from the top left corner. Everything is clipped, to the width given and to
 * the screen. A character goes out only when libc and utf8proc agree on its width (curses trusts
 * libc, our columns trust utf8proc), otherwise a replacement of the right width does. In ASCII mode
 * nothing above 0x7e goes out at all. */
#ifndef CDVM_DRAW_H
#define CDVM_DRAW_H

#include "core/text.h"
#include "tui/theme.h"

struct rect {
    int y, x, h, w;
};

void draw_start(bool ascii, enum theme t); /* after the terminal has started */

void draw_clear(void);                      /* a new frame: everything blank */
void draw_show(int cursor_y, int cursor_x); /* sends the differences; y < 0 hides the cursor */
void draw_redraw(void);                     /* the next draw_show repaints every cell */

/* Draws one line of text in at most w cells; a longer one ends in an ellipsis. Returns the cells
 * used. A newline in the text ends it. */
int draw_text(int y, int x, int w, enum role r, struct safe_text t);
int draw_fmt(int y, int x, int w, enum role r, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The same, so that it ends before column `right`. Returns the column where it starts. */
int draw_right(int y, int right, int w, enum role r, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Breaks prose between words into at most `max` rows of `w` cells; returns the rows used. */
int draw_wrap(int y, int x, int w, int max, enum role r, struct safe_text t);

enum rule { RULE_THIN, RULE_THICK };
void draw_rule(int y, int x, int w, enum rule kind);
void draw_bar(int y, int x, int w, uint64_t done, uint64_t total); /* [####----] */
void draw_look(int y, int x, int w, enum role r); /* gives cells already drawn another look */
/* Blanks and frames an area for something modal; returns the inside. */
struct rect draw_box(struct rect r, struct safe_text title);

#endif
