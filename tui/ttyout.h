/* The way out to the terminal. What curses writes lands in a file in memory; from there it goes out
 * as fast as the terminal takes it, and nobody ever waits. While some of it is still on its way the
 * owner draws nothing new: a slow line shows fewer frames, never late ones.
 *
 * The terminal is opened anew, so that only our own descriptor does not block: standard output is
 * shared with the shell. Where it cannot be opened, small pieces go to standard output. */
#ifndef CDVM_TTYOUT_H
#define CDVM_TTYOUT_H

#include <stdio.h>

#include "core/loop.h"

struct ttyout;
/* drained: all of it has gone out, after it had not at once. Error "no-terminal". */
struct ttyout *ttyout_new(struct loop *l, void (*drained)(void *arg), void *arg, struct err *e);
void ttyout_free(struct ttyout *o); /* what is on its way is dropped; NULL legal */

FILE *ttyout_file(struct ttyout *o);                  /* for newterm; borrowed */
void ttyout_put(struct ttyout *o, struct view bytes); /* behind what is on its way */
void ttyout_send(struct ttyout *o);                   /* what was written so far goes out */
bool ttyout_busy(const struct ttyout *o);
void ttyout_drop(struct ttyout *o); /* written or on its way: gone; a sequence may be cut */

#endif
