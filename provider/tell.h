/* What the provider says to a customer: feedback, collateral, teardown, each sealed in a stored
 * gift wrap that expires. Also the count of events that no relay has confirmed yet, so that a
 * provider that stops can wait for its last words. */
#ifndef CDVM_TELL_H
#define CDVM_TELL_H

#include "core/collateral.h"
#include "core/dvm.h"
#include "core/pool.h"
#include "core/receipt.h"

struct tell;
/* pool and key are borrowed. */
struct tell *tell_new(struct pool *pool, const struct keypair *key);
void tell_free(struct tell *t); /* NULL legal */

/* Failures are logged: a message that cannot be sent does not stop a job. Collateral goes to the
 * owner of a sealed model as well. */
void tell_feedback(struct tell *t, const struct job_feedback *f, const uint8_t customer[static 32]);
void tell_error(struct tell *t, const uint8_t job[static 32], const uint8_t customer[static 32],
                const char *code, const char *text);
void tell_collateral(struct tell *t, const struct collateral *c, const uint8_t job[static 32],
                     const uint8_t customer[static 32]);
void tell_teardown(struct tell *t, const struct teardown *d, const uint8_t customer[static 32]);
/* A public event of ours (offers, heartbeats): published and counted too. Takes over ev. */
void tell_public(struct tell *t, struct event *ev);

void tell_confirmed(struct tell *t, const uint8_t id[static 32]); /* from the pool's `ok` */
size_t tell_waiting(const struct tell *t); /* not confirmed in the last 10 s */

#endif
