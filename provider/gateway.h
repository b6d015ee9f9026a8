/* The guest's link to the world: relays and blob servers on one side, the channel on the other
 * (cdvm-protocol(7), "Channel").
 *
 * Each guest has connections of its own, so that no relay can tie its key to another's. The guest
 * is hostile to this host: kinds other than gift wraps, frames out of order, floods and endless
 * blobs end in `broken` or are slowed down; nothing it sends is kept without a bound. What the host
 * learns is the guest's public key, sizes and times. */
#ifndef CDVM_GATEWAY_H
#define CDVM_GATEWAY_H

#include "core/channel.h"
#include "core/dvm.h"
#include "core/http.h"
#include "core/ws.h"

#define GATEWAY_REPORT 1184
#define GATEWAY_RELAYS JOB_RELAYS_MAX

struct gateway;
struct gateway_conf {
    struct ws_net *net;
    struct http *http;
    int fd;                      /* the channel: non-blocking, borrowed */
    const struct rumor *request; /* U's request rumor; copied */
    const struct job_request *job;
    const char *const *blossom; /* borrowed */
    size_t n_blossom;
    bool allow_private; /* blob servers on loopback and private addresses */
};
struct gateway_handler {
    void (*state)(void *arg, uint8_t code);                 /* STATE; enum chan_state, unchecked */
    void (*guest)(void *arg, const uint8_t key[static 32]); /* G, once */
    /* A report over data for the simulator: 0, or -1 when this host has none to give. */
    int (*report)(void *arg, const uint8_t data[static 64], uint8_t out[static GATEWAY_REPORT]);
    void (*broken)(void *arg, const struct err *why); /* once; the gateway is deaf then */
    void (*finished)(void *arg);                      /* after gateway_finish, the last call */
};
struct gateway *gateway_new(const struct gateway_conf *c, const struct gateway_handler *h,
                            void *arg, struct err *e);
void gateway_free(struct gateway *g); /* not inside its callbacks, but finished; NULL legal */

void gateway_brief(struct gateway *g);    /* sends JOB, once */
void gateway_learn(struct gateway *g);    /* asks the agent for a signed AUTH: whose key is it? */
void gateway_shutdown(struct gateway *g); /* sends SHUTDOWN */
/* The guest is gone: takes what it left in the channel, whatever the relays' pace. */
void gateway_hear_out(struct gateway *g);
/* The same, then waits until a relay has each of its last events (the receipt among them) or
 * GATEWAY_LINGER_MS have passed, longer where relays limit our rate, then calls `finished` from the
 * loop. */
#define GATEWAY_LINGER_MS 6000
void gateway_finish(struct gateway *g);

struct gateway_stats {
    uint64_t events_in, events_out,
        dropped; /* from the world, to the world, no room in the guest */
};
struct gateway_stats gateway_stats(const struct gateway *g);

#endif
