/* Offers and heartbeats on the user's relays, and manifests. No key: these connections say nothing
 * about who looks. */
#ifndef CDVM_BROWSE_H
#define CDVM_BROWSE_H

#include "core/offer.h"
#include "core/pool.h"

struct browse;
struct browse_handler {         /* any may be NULL */
    void (*changed)(void *arg); /* an offer or a heartbeat came, or one was replaced */
    void (*settled)(void *arg); /* every relay that answers has sent what it has (once) */
};
struct browse *browse_new(struct ws_net *n, const char *const *relays, size_t n_relays,
                          bool simulated, const struct browse_handler *h, void *arg, struct err *e);
void browse_free(struct browse *b); /* NULL legal */

struct listing {
    const struct offer *offer; /* borrowed until the next turn of the loop */
    bool alive;                /* a heartbeat that has not expired */
    uint32_t free_slots, queue;
    int64_t seen; /* of the heartbeat; 0 none */
};
/* Newest version of each (pubkey, d), unexpired, of policy's kind (simulated ones only when asked
 * for at browse_new). Alive first, then by name. */
size_t browse_count(struct browse *b);
struct listing browse_at(struct browse *b, size_t i);
/* By "d", "name:d", "npub...:d" or "hexkey:d". "unknown-offer", or "ambiguous-offer" when several
 * fit. */
int browse_find(struct browse *b, const char *word, struct listing *out, struct err *e) WARN_UNUSED;
size_t browse_relays_up(const struct browse *b);
const struct relay *browse_relay(const struct browse *b, const char *url); /* NULL: not of ours */
/* From now on these: new ones are connected, others let go. Not in a callback of this module. */
int browse_set_relays(struct browse *b, const char *const *relays, size_t n,
                      struct err *e) WARN_UNUSED;

/* Kind 31880 events for this offer: of its release digest, by its seller, by these endorsers; and
 * the endorsers' advisories and chip endorsements (31881, 31882). `got` for each that is new, then
 * `done` once (at most about 5 s later). answers: relays that were up to say that this is all they
 * have; 0 when time ran out. One query at a time. */
struct browse_query {
    void (*got)(void *arg, const struct event *ev);
    void (*done)(void *arg, unsigned answers);
    void *arg;
};
int browse_manifests(struct browse *b, const struct offer *o, const uint8_t (*endorsers)[32],
                     size_t n_endorsers, const struct browse_query *q, struct err *e) WARN_UNUSED;
void browse_cancel(struct browse *b); /* no further callbacks of that query */

#endif
