/* A program that knows nothing of the contract (job.json mode "plain"): an adapter that speaks the
 * contract in its name.
 *
 * For each question the program is started anew in the sandbox: the question and a line end on its
 * standard input, the customer's files in /in under their own names, a fresh /tmp and /out. What it
 * writes to its standard output is the answer, as it comes; bytes that are not UTF-8 become U+FFFD.
 * The files that it leaves in /out follow. An exit status other than 0 is an error ("exit-status");
 * what it says on standard error goes nowhere. */
#ifndef CDVM_PLAIN_H
#define CDVM_PLAIN_H

#include "core/loop.h"
#include "sandbox.h"

struct plain;
/* One line of the contract, without its line end; borrowed for the callback. */
typedef void plain_line_fn(void *arg, struct view line);

/* Borrowed for its life: the specification, the opened box, the name. */
struct plain *plain_new(struct loop *l, const struct sandbox_spec *spec, struct sandbox *box,
                        const char *name, plain_line_fn *say, void *arg);
void plain_free(struct plain *p); /* kills what runs; NULL legal */
/* Takes the agent's lines, as the program would. */
void plain_take(struct plain *p, struct view lines);
void plain_pause(struct plain *p, bool pause); /* reads nothing more meanwhile */

/* Moves what is whole of `raw` to `text` as UTF-8: every sequence that is none becomes U+FFFD, so
 * does a NUL. The start of a character at the end stays in raw unless this is the last of it. */
void plain_text(struct buf *raw, bool last, struct buf *text);

#endif
