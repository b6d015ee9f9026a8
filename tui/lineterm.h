/* A terminal, or a pipe, used in lines: for screen readers, and where text cannot be placed.
 *
 * What is said goes out in whole lines below each other. On a terminal the cursor stands behind
 * what is being typed: when something is said meanwhile, prompt and typed text are written again
 * below it. No escape sequence is ever sent but the two that mark pastes, and not even these to
 * TERM=dumb. */
#ifndef CDVM_LINETERM_H
#define CDVM_LINETERM_H

#include "core/loop.h"
#include "tui/edit.h"

struct lineterm;
struct lineterm_handler {
    /* A line was entered; pasted: some of it was not typed. Borrowed. */
    void (*line)(void *arg, struct view text, bool pasted);
    /* May this line of a pipe be taken now? Asked again by lineterm_more. */
    bool (*ready)(void *arg, struct view text);
    /* A key of a line that is not shown (lineterm_prompt), or one that the line has no use for. */
    void (*key)(void *arg, uint32_t key);
    void (*paste)(void *arg, struct view text, bool cut); /* into a line that is not shown */
    void (*complete)(void *arg, struct edit *line);       /* Tab */
    void (*interrupt)(void *arg);                         /* Ctrl-C */
    void (*leave)(void *arg);                             /* no more input, hung up, SIGTERM */
};

/* ascii: nothing else may be said. Error "no-terminal". */
struct lineterm *lineterm_start(struct loop *l, bool ascii, const struct lineterm_handler *h,
                                void *arg, struct err *e);
void lineterm_stop(struct lineterm *t); /* NULL legal */

void lineterm_say(struct lineterm *t, struct safe_text line);
/* What stands before the typed text from now on. hidden: keys go to the handler and are not shown.
 */
void lineterm_prompt(struct lineterm *t, const char *prompt, bool hidden);
void lineterm_show(struct lineterm *t); /* prompt and typed text, if something was said since */
void lineterm_more(struct lineterm *t); /* lines that waited may go on */
void lineterm_suspend(struct lineterm *t);
/* To another program and back; nothing is read or said meanwhile. Error "no-terminal": a pipe. */
int lineterm_lend(struct lineterm *t, struct err *e) WARN_UNUSED;
void lineterm_reclaim(struct lineterm *t);
void lineterm_bell(struct lineterm *t);

#endif
