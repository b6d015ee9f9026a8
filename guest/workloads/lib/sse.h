/* Server-sent events (WHATWG HTML, "Server-sent events"), taken apart as their bytes come; only the
 * data of each event is of use here. Pure. A line or an event over SSE_MAX bytes is "bad-engine".
 */
#ifndef CDVM_WORKLOAD_SSE_H
#define CDVM_WORKLOAD_SSE_H

#include "core/bytes.h"

#define SSE_MAX ((size_t)262144)

struct sse;
/* `event` gets the data of one event, its lines joined by '\n', borrowed for the call. */
struct sse *sse_new(void (*event)(void *arg, struct view data), void *arg);
void sse_free(struct sse *s); /* NULL legal; wipes */
int sse_feed(struct sse *s, struct view v, struct err *e) WARN_UNUSED;

#endif
