/* Inside of a relay connection: shared by relay.c (what we send) and relay_in.c (what comes). */
#ifndef CDVM_RELAY_PRIV_H
#define CDVM_RELAY_PRIV_H

#include "relay.h"
#include "throttle.h"

/* One subscription; outlives connections. */
struct relay_sub {
    struct relay_sub *next;
    char *id, *filters; /* filters as given: "{...},{...}" */
    struct filter **f;
    size_t n_f;
    bool sent; /* a REQ is out on this connection */
    bool eose;
    bool wants_auth; /* refused until AUTH: sent again after it */
    unsigned refusals;
    int64_t sent_at; /* loop_now of the last REQ */
};

/* One event that the relay has not acknowledged. */
struct relay_out {
    struct relay_out *next;
    uint8_t id[32];
    struct buf msg; /* ["EVENT",{...}] */
    bool ephemeral, sent, wants_auth;
    bool limited; /* the relay answered that it was too much at once, the last time */
    unsigned tries;
    int64_t made_at, sent_at; /* loop_now */
};

struct relay {
    struct ws_net *net;
    struct ws *ws;
    char *url; /* normalised */
    const struct keypair *key;
    struct relay_handler h;
    void *arg;
    enum relay_state state;
    bool public_only;
    int busy; /* depth of our callers: a free inside a callback waits for it */
    bool freed;
    struct loop_timer *retry; /* reconnects */
    struct loop_timer *tick;  /* re-sends while up */
    struct loop_timer *pace;  /* the next event, where the relay limits our rate */
    struct throttle rate;
    unsigned failures;
    int64_t up_at, retry_at, latency;
    uint64_t events;
    unsigned lies;
    bool dropped; /* lied too often: never connected again */
    char *challenge;
    uint8_t auth_id[32]; /* of the 22242 in flight */
    bool auth_sent, authed;
    struct relay_sub *subs;
    struct relay_out *outs;
    size_t n_outs;
};

/* relay.c */
void relay_flush(struct relay *r); /* sends what waits: subscriptions first, then events */
void relay_out_drop(struct relay *r, struct relay_out *o);
struct relay_out *relay_out_find(struct relay *r, const uint8_t id[32]);
struct relay_sub *relay_sub_find(struct relay *r, const char *id);
int relay_authenticate(struct relay *r); /* answers the newest challenge with r->key, once */
void relay_drop(struct relay *r);        /* the connection goes, for good */

/* relay_in.c: one message of the relay. The caller holds r->busy. */
void relay_take(struct relay *r, struct view msg);

#endif
