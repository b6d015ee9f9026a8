/* The customer's way out: the only file under tui/ that seals anything (wrap_make).
 *
 * Three doors, no more: the request to the seller, which carries no user data; control messages to
 * a guest that is not verified yet, whose content is fixed; and user data, whose recipient is the
 * verdict's own. */
#ifndef CDVM_OUTBOX_H
#define CDVM_OUTBOX_H

#include "attest/verdict.h"
#include "core/dvm.h"
#include "core/pool.h"

struct outbox;
/* pool and u are borrowed for its life; request is copied. */
struct outbox *outbox_new(struct pool *pool, const struct keypair *u,
                          const struct job_request *request);
void outbox_free(struct outbox *o);              /* wipes conversation keys; NULL legal */
struct wrap_keys *outbox_keys(struct outbox *o); /* for opening what comes in */

/* The job request, to the seller that it names. Anything with content is refused. */
int outbox_request(struct outbox *o, const struct rumor *request, struct err *e) WARN_UNUSED;
/* Takes the request back: to the same seller. */
int outbox_cancel(struct outbox *o, struct err *e) WARN_UNUSED;
/* end, ping, pong, ack, nack with no key or value of free text; anything else is "not-control". */
int outbox_control(struct outbox *o, const uint8_t guest[static 32], const struct rumor *r,
                   struct err *e) WARN_UNUSED;
/* Everything else. To verdict_guest(v), for verdict_job(v), and only while verdict_allows(v): else
 * "not-allowed" and nothing is encrypted. stored: kind 1059, else 21059 where relays take it. */
int outbox_user_data(struct outbox *o, const struct verdict *v, const struct rumor *r, bool stored,
                     struct err *e) WARN_UNUSED;

/* What a relay said about one of our events (pool_handler.ok). */
void outbox_ok(struct outbox *o, const uint8_t id[static 32], bool ok, const char *msg);
size_t outbox_pending(const struct outbox *o); /* stored events that no relay has taken yet */
uint64_t outbox_sealed_for_guest(const struct outbox *o); /* wraps made by outbox_user_data */

#endif
