/* One relay connection (NIP-01, NIP-42): REQ, EVENT, EOSE, OK, CLOSED, NOTICE, AUTH.
 *
 * Keeps its subscriptions over reconnects (backoff 1 s doubling to 60 s with jitter), re-sends
 * unacknowledged events, authenticates with `auth` when a challenge comes (for reading and for
 * writing; "auth-required" is recognised after an optional "ERROR: "). Events handed up are
 * verified, unexpired and match a filter of the subscription; a relay that lies is counted, and
 * dropped after 20 lies. One key per connection: never two identities on one. */
#ifndef CDVM_RELAY_H
#define CDVM_RELAY_H

#include "event.h"
#include "filter.h"
#include "ws.h"

enum relay_state { RELAY_DOWN, RELAY_CONNECTING, RELAY_UP, RELAY_WAITING };

struct relay;
struct relay_handler {
    void (*state)(void *arg, struct relay *r, enum relay_state s, const struct err *why);
    void (*event)(void *arg, struct relay *r, const char *sub, const struct event *ev);
    void (*eose)(void *arg, struct relay *r, const char *sub);
    void (*closed)(void *arg, struct relay *r, const char *sub, const char *reason);
    void (*ok)(void *arg, struct relay *r, const uint8_t id[32], bool ok, const char *msg);
    /* A challenge that this process cannot answer itself (the guest's key): answer with
     * relay_auth. NULL when `auth` is given. */
    void (*challenge)(void *arg, struct relay *r, const char *challenge);
    /* Optional: true for an event that was verified before (from another relay, say): it is dropped
     * unread. The id is only claimed here. */
    bool (*known)(void *arg, struct relay *r, const char *sub, const uint8_t id[32]);
};
/* auth may be NULL. Strings are copied; auth is borrowed for the relay's life. */
struct relay *relay_new(struct ws_net *n, const char *url, const struct keypair *auth,
                        const struct relay_handler *h, void *arg, struct err *e);
void relay_free(struct relay *r); /* NULL legal; allowed inside callbacks */
/* Right after relay_new, for an address that somebody else named: refuse private networks. */
void relay_public_only(struct relay *r);
const char *relay_url(const struct relay *r);
enum relay_state relay_state(const struct relay *r);
const char *relay_challenge(const struct relay *r); /* newest, or NULL */
int64_t relay_latency_ms(const struct relay *r);    /* of the last EOSE or OK; -1 unknown */
size_t relay_backlog(const struct relay *r);        /* events that have not gone out to it */
uint64_t relay_events(const struct relay *r);       /* taken so far, also those known already */
int64_t relay_retry_at(const struct relay *r); /* loop_now of the next try; -1 unless WAITING */

/* filters_json: one or more filter objects, comma separated ("{...},{...}"). Re-sent on reconnect,
 * and again after a successful AUTH. */
int relay_subscribe(struct relay *r, const char *sub, const char *filters_json,
                    struct err *e) WARN_UNUSED;
void relay_unsubscribe(struct relay *r, const char *sub);
/* Queues; kept and re-sent until an OK comes (ephemeral kinds are sent once). At most 1,024 wait.
 * A relay that answers "rate-limited" gets them at a pace that it takes. */
int relay_publish(struct relay *r, const struct event *ev, struct err *e) WARN_UNUSED;
int relay_auth(struct relay *r, const struct event *ev22242, struct err *e) WARN_UNUSED;
/* A signed kind 22242 for this relay and challenge. */
struct event *relay_auth_event(const char *url, const char *challenge, const struct keypair *k,
                               int64_t now);

#endif
