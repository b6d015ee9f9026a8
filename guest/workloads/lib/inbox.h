/* The agent's lines to a workload that works on one thing at a time: what comes in meanwhile waits,
 * but a cancel of that thing is seen at once. */
#ifndef CDVM_WORKLOAD_INBOX_H
#define CDVM_WORKLOAD_INBOX_H

#include "lines.h"

struct inbox;
struct inbox *inbox_new(struct lines *l); /* borrowed */
void inbox_free(struct inbox *b);         /* NULL legal */
/* The next message, owned by the caller; waits for it. NULL: the agent has gone, or it said so. */
cJSON *inbox_next(struct inbox *b);
/* From now on this is worked on; NULL = nothing that can be cancelled. Borrowed. */
void inbox_work(struct inbox *b, const char *id);
/* arg: the inbox. It was cancelled, or the agent has gone: stop. */
bool inbox_stop(void *arg);

#endif
