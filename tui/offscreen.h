/* A screen as lines of text, for who does not see it drawn: the same code draws it where there is
 * no terminal, wide and high enough that little is cut, and what stands there is read back. Header,
 * rules, frames and empty rows go; columns that stand apart are parted by a comma. */
#ifndef CDVM_OFFSCREEN_H
#define CDVM_OFFSCREEN_H

#include "tui/app.h"

#define OFFSCREEN_ROWS 60
#define OFFSCREEN_COLS 160

/* Never while a tui is open: curses has one screen. The model has this size from then on. */
void offscreen_read(struct app *a, void (*line)(void *arg, struct safe_text t), void *arg);

#endif
