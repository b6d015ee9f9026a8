/* The terminal: started, suspended, and always given back as it was, also after a crash.
 *
 * Signals come as data from the loop (SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGTSTP). SIGSEGV,
 * SIGABRT, SIGBUS, SIGFPE and SIGILL restore the terminal with write() and tcsetattr() alone, then
 * take their default course. One tui at a time. */
#ifndef CDVM_TUI_H
#define CDVM_TUI_H

#include "core/loop.h"
#include "tui/input.h"
#include "tui/theme.h"

struct tui;
struct tui_options {
    bool ascii; /* also when the locale is not UTF-8 */
    enum theme theme;
};
struct tui_handler {
    void (*key)(void *arg, uint32_t key);
    void (*paste)(void *arg, struct view text, bool cut);
    void (*resize)(void *arg, int rows, int cols); /* also once at the start */
    void (*draw)(void *arg);                       /* whole frame; at most 30 times a second */
    void (*leave)(void *arg);                      /* the terminal hung up, or SIGTERM, SIGINT */
};

/* NULL on error: "no-terminal" when standard input or output is none, or TERM is unknown. */
struct tui *tui_start(struct loop *l, const struct tui_options *o, const struct tui_handler *h,
                      void *arg, struct err *e);
void tui_stop(struct tui *t);   /* clears the screen, gives the terminal back; NULL legal */
void tui_dirty(struct tui *t);  /* something changed: draw soon */
void tui_redraw(struct tui *t); /* draw every cell again */
void tui_suspend(struct tui *t);
void tui_bell(struct tui *t);

#endif
