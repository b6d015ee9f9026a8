/* The terminal: started, suspended, and always given back as it was, also after a crash
 * (restore.h).
 *
 * Signals come as data from the loop (SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP). What is drawn
 * goes out without waiting (ttyout.h). One tui at a time. */
#ifndef CDVM_TUI_H
#define CDVM_TUI_H

#include "core/loop.h"
#include "tui/input.h"
#include "tui/theme.h"

struct tui;
#define TUI_REDRAW 30 /* frames a second, unless told otherwise */

struct tui_options {
    bool ascii; /* also when the locale is not UTF-8 */
    bool wheel; /* the mouse's wheel scrolls; otherwise the mouse is the terminal's */
    unsigned redraw;
    enum theme theme;
};
struct tui_handler {
    void (*key)(void *arg, uint32_t key);
    void (*paste)(void *arg, struct view text, bool cut);
    void (*resize)(void *arg, int rows, int cols); /* also once at the start */
    void (*focus)(void *arg, bool here);           /* the window has the person's keys, or not */
    void (*draw)(void *arg);                       /* a whole frame */
    void (*leave)(void *arg);                      /* the terminal hung up, or SIGTERM, SIGINT */
};

/* NULL on error: "no-terminal" when standard input or output is none, or TERM is unknown or cannot
 * place text. */
struct tui *tui_start(struct loop *l, const struct tui_options *o, const struct tui_handler *h,
                      void *arg, struct err *e);
void tui_words(char out[static 64]); /* "256 colours, bracketed paste"; after the start */
bool tui_utf8(void);                 /* sets the locale; can it be written in UTF-8? */
void tui_set(struct tui *t, const struct tui_options *o); /* other ones from now on */
void tui_stop(struct tui *t);   /* clears the screen, gives the terminal back; NULL legal */
void tui_dirty(struct tui *t);  /* something changed: draw soon */
void tui_redraw(struct tui *t); /* draw every cell again */
void tui_suspend(struct tui *t);
/* Bytes for the terminal itself, of which nothing is drawn: the bell, a notification. */
void tui_write(struct tui *t, struct view bytes);
/* The terminal to another program and back, while the loop goes on: nothing is read or drawn
 * meanwhile, and what interrupts or stops is that program's affair. */
void tui_lend(struct tui *t);
void tui_reclaim(struct tui *t);

#endif
