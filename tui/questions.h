/* Several questions in one file: one a line. A line that ends in a backslash goes on in the next
 * one, with the line end between them and without the backslash; lines of white space alone are
 * skipped. */
#ifndef CDVM_QUESTIONS_H
#define CDVM_QUESTIONS_H

#include "core/bytes.h"

#define QUESTIONS_MAX 1000
#define QUESTIONS_BYTES ((size_t)1 << 20)

struct questions {
    char **v; /* owned; UTF-8 */
    size_t n;
};
/* Errors "bad-questions" (none, too many, not UTF-8), "too-large" (one is over MSG_CONTENT_MAX). */
int questions_parse(struct view text, struct questions *out, struct err *e) WARN_UNUSED;
void questions_add(struct questions *q, struct view text);
void questions_free(struct questions *q); /* wipes; legal on {0} */

#endif
