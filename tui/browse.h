/* Offers and heartbeats on the user's relays, and manifests. No key: these connections say nothing
 * about who looks. */
#ifndef CDVM_BROWSE_H
#define CDVM_BROWSE_H

#include "core/offer.h"
#include "core/pool.h"

struct browse;
struct browse_handler { /* any may be NULL; what is handed over is borrowed for the call */
    void (*offer)(void *arg, const struct offer *o, const struct event *ev, const char *relay);
    void (*again)(void *arg, const uint8_t id[static 32], const char *relay); /* there as well */
    void (*beat)(void *arg, const struct heartbeat *h);
    void (*relays)(void *arg);  /* one went up or down */
    void (*settled)(void *arg); /* every relay that answers has sent what it has (once) */
};
/* Hands over every well-formed offer, old and new, of policy's kind (simulated ones only when asked
 * for), and every heartbeat; what is dated in the future is passed over. */
struct browse *browse_new(struct ws_net *n, const char *const *relays, size_t n_relays,
                          bool simulated, const struct browse_handler *h, void *arg, struct err *e);
void browse_free(struct browse *b); /* NULL legal */
/* Simulated offers came that were not asked for. The second adds that to an "unknown-offer". */
bool browse_left_out(const struct browse *b);
void browse_explain(const struct browse *b, struct err *e);
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
