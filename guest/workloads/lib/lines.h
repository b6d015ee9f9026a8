/* The workload's end of "cdvm-workload/1": JSON lines in on one descriptor, out on another. */
#ifndef CDVM_WORKLOAD_LINES_H
#define CDVM_WORKLOAD_LINES_H

#include "core/json.h"

#define LINE_MAX_BYTES ((size_t)65536) /* without the line end */

struct lines;
struct lines *lines_new(int in, int out); /* both borrowed */
void lines_free(struct lines *l);

/* Waits up to `ms` (-1 = for ever) for one object. 1 = *o is set (owned by the caller), 0 = nothing
 * yet, -1 = end of input, or a line that is not an object: there is nobody to complain to. */
int lines_next(struct lines *l, int ms, cJSON **o);

/* Writes one object: `body` is its inside after "t", made with jw_k*. False when nobody reads. */
bool lines_say(struct lines *l, const char *type, struct view body);

#endif
