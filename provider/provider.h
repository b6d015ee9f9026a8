/* The provider: offers out, requests in, one guest per job.
 *
 *   storefront  offers, heartbeat, manifests, inbox relays
 *   intake      requests, refused or made into jobs
 *   job         state machine and guest
 *   tell        feedback, collateral, teardown
 *   ledger      what must survive a crash */
#ifndef CDVM_PROVIDER_H
#define CDVM_PROVIDER_H

#include "console.h"
#include "core/http.h"
#include "core/ws.h"
#include "provconf.h"

struct provider;
/* Opens state, image and simulator keys, chooses the accelerator, cleans up after a crash,
 * connects, publishes. Everything is borrowed and outlives it. NULL on error; "locked" when another
 * provider runs on the same state folder. */
struct provider *provider_new(const struct provider_conf *c, struct ws_net *net, struct http *http,
                              struct console *out, struct err *e);
/* Ends all jobs (guests may still sign their receipts), waits for the last words to be confirmed,
 * then quits the loop. Called again: quits at once. */
void provider_stop(struct provider *p);
/* Destroys every guest before it returns. NULL legal. */
void provider_free(struct provider *p);

#endif
