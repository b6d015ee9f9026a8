/* What `cdvm ask` keeps of a job, and what was kept before: the same files as the screen's
 * (proven.h, known.h), so that either knows what the other has verified. A warning whose acceptance
 * the person had remembered counts here too, for the same value of the same machine and image; none
 * is remembered from here. */
#ifndef CDVM_ASK_MEMORY_H
#define CDVM_ASK_MEMORY_H

#include "session.h"

struct ask_memory;
/* days 0: nothing is read or kept. NULL with e when there is no place for it; what cannot be read
 * is said in *note (code "" when all can). */
struct ask_memory *ask_memory_new(unsigned days, struct err *note, struct err *e);
void ask_memory_free(struct ask_memory *m); /* NULL legal */

/* Every event of the session. -1 with e when something could not be kept. */
int ask_memory_event(struct ask_memory *m, const struct session *s, const struct session_event *ev,
                     struct err *e) WARN_UNUSED;
/* When the acceptance of this line of the verdict was remembered; 0: it was not. */
int64_t ask_memory_accepted(const struct ask_memory *m, const struct check *c);

#endif
