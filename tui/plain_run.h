/* --plain on the loop: plain.h behind a terminal or a pipe used in lines (lineterm.h). Takes the
 * place of tui.h for the engine; the handler is the same, of which it calls key, paste, draw and
 * leave. */
#ifndef CDVM_PLAIN_RUN_H
#define CDVM_PLAIN_RUN_H

#include "tui/app.h"
#include "tui/tui.h"

struct plain_run;
/* Error "no-terminal". app: borrowed. */
struct plain_run *plain_run_start(struct loop *l, bool ascii, struct app *a,
                                  const struct tui_handler *h, void *arg, struct err *e);
void plain_run_stop(struct plain_run *r);  /* NULL legal */
void plain_run_dirty(struct plain_run *r); /* something changed: draw is called soon */
void plain_run_tell(struct plain_run *r);  /* what draw ends in */
void plain_run_suspend(struct plain_run *r);
/* The terminal to another program and back. Error "no-terminal": there is only a pipe. */
int plain_run_lend(struct plain_run *r, struct err *e) WARN_UNUSED;
void plain_run_reclaim(struct plain_run *r);
void plain_run_bell(struct plain_run *r);
/* Nothing can be drawn on this terminal, or there is none. */
bool plain_run_needed(void);

#endif
