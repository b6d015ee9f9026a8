/* Tries relays: connects, asks for one event, and tells how long the answer took. Without a key,
 * and apart from the connections that are in use. */
#ifndef CDVM_PROBE_H
#define CDVM_PROBE_H

#include "relay.h"

struct probes;
/* ms: from the question to its answer, when why is NULL. Called once for each try. */
typedef void probe_fn(void *arg, const char *url, int64_t ms, const struct err *why);
struct probes *probes_new(struct ws_net *n, probe_fn *done, void *arg);
void probes_free(struct probes *p); /* NULL legal; no further calls */
/* One that is being tried already is not tried twice. "busy" when too many are. */
int probes_try(struct probes *p, const char *url, struct err *e) WARN_UNUSED;

#endif
