/* What gateway.c and gateway_in.c share. */
#ifndef CDVM_GATEWAY_PRIV_H
#define CDVM_GATEWAY_PRIV_H

#include "core/pool.h"
#include "gateblob.h"
#include "gateway.h"

#define GATE_AUTH_MAX 20
#define GATE_REPORTS_MAX 4
#define GATE_STATES_MAX 64    /* a job has about eight */
#define GATE_WAITING 128      /* events no relay has confirmed yet; full: the guest is not read */
#define GATE_BACKLOG 8        /* events that have not gone out: the same */
#define GATE_WAITING_MS 10000 /* then forgotten: ephemeral events may never be confirmed */

struct waiting {
    uint8_t id[32];
    int64_t until; /* 0: free */
};
struct gateway {
    struct loop *loop;
    struct gateway_handler h;
    void *arg;
    int fd;
    struct loop_fd *watch;
    struct loop_timer *timer; /* while paused, and while finishing */
    struct chan_in in;
    struct buf out;
    struct pool *pool;
    struct gateblob *blobs;
    struct rumor *request;
    char relays[GATEWAY_RELAYS][256];
    size_t n_relays;
    char challenge[GATEWAY_RELAYS][129]; /* the last one passed on; "" none */
    bool asked[GATEWAY_RELAYS];          /* ...and not yet answered */
    unsigned auths, reports, states;
    bool briefed, deaf, paused, known;
    bool gone, finishing; /* the guest is; so is the job */
    uint8_t guest[32];
    struct waiting waiting[GATE_WAITING];
    int64_t tokens, tokens_at; /* in thousandths of an event */
    int64_t finish_by;
    struct gateway_stats stats;
};

/* gateway.c */
void gateway_send(struct gateway *g, enum chan_type type, struct view payload);
void gateway_flush(struct gateway *g);
/* Passes the relay's newest challenge on to the agent, one at a time and each once. */
void gateway_ask_newest(struct gateway *g, size_t relay);
struct waiting *gateway_free_waiting(struct gateway *g); /* NULL: too many wait */

/* gateway_in.c: one frame of the guest. -1: it broke the rules. */
int gateway_take(struct gateway *g, const struct chan_frame *f, struct err *e) WARN_UNUSED;

#endif
