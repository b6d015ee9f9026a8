/* The inside of a talk, shared by talk*.c. */
#ifndef CDVM_TALK_PRIV_H
#define CDVM_TALK_PRIV_H

#include "talk.h"

#define TALK_SEEN_MAX 512 /* unnumbered rumors remembered against replay */

/* Rumor ids of one direction in seq order: the transcript. */
struct ids {
    uint8_t (*id)[32];
    size_t n, cap;
    uint64_t bytes;
};

struct talk {
    enum talk_role role;
    const struct keypair *me;
    uint8_t peer[32], job[32];
    struct talk_handler h;
    void *arg;
    int64_t now;
    bool broken, delivering;

    struct ids out;
    struct rumor *kept[TALK_KEEP]; /* by seq modulo TALK_KEEP */
    uint64_t acked;                /* how many of ours the peer has counted */
    int64_t retry_at, retry_ms;    /* retry_at -1: starts at the next tick */
    int64_t nack_answered;

    struct ids in;
    struct rumor *waiting[TALK_WINDOW]; /* ahead of order, by seq modulo TALK_WINDOW */
    size_t n_waiting;
    uint64_t told; /* what our last message counted */
    bool ack_due;  /* a duplicate came: the peer has not heard our count */
    int64_t gap_since, nacked;
    uint8_t seen[TALK_SEEN_MAX][32];
    size_t n_seen;
};

void talk_ids_add(struct ids *l, const uint8_t id[static 32], uint64_t bytes);

#endif
