/* The program without screens (--plain): what a screen reader, or a pipe, can follow.
 *
 * The same model, questions, keys and commands as behind the screens. What happens is said in
 * lines, once, states as words; what a screen would show is said when it is asked for. A typed line
 * answers the question that is open; begins with / and is a command; or goes to the guest. No
 * terminal in here. */
#ifndef CDVM_PLAIN_H
#define CDVM_PLAIN_H

#include "tui/app.h"

struct plain_out {
    void (*say)(void *arg, struct safe_text line);
    /* What stands before the typed line from now on. hidden: keys come through plain_key, not
     * shown. */
    void (*prompt)(void *arg, const char *prompt, bool hidden);
};

struct plain;
struct plain *plain_new(struct app *a, const struct plain_out *out, void *arg); /* app: borrowed */
void plain_free(struct plain *p);                                               /* NULL legal */

void plain_tell(struct plain *p); /* what is new; after app_prepare */
/* pasted: some of it was not typed, so it answers no question. */
void plain_line(struct plain *p, struct view text, bool pasted);
void plain_key(struct plain *p, uint32_t key);
void plain_complete(struct plain *p, struct edit *line); /* Tab */
/* For lines that were all there from the beginning: may this one be taken now, or does it wait for
 * the end of what those before it have begun? */
bool plain_ready(const struct plain *p, struct view line);

#endif
