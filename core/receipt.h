/* Receipt: kind 1931, signed by G (cdvm-protocol(7), "Receipt"); and the teardown that P signs
 * after it.
 */
#ifndef CDVM_RECEIPT_H
#define CDVM_RECEIPT_H

#include "talk.h"

struct receipt {
    uint8_t job[32], hello[32], accept[32]; /* rumor ids */
    uint64_t n_in, n_out;                   /* as the guest counts: in = from U */
    uint8_t root_in[32], root_out[32];
    uint64_t bytes_in, bytes_out;
    bool model_key;
    char reason[32]; /* "end", "idle", "lease", "error" ... [a-z-]+ */
};
/* Counts, roots and bytes of the guest's own talk. */
void receipt_count(struct receipt *r, const struct talk *g);
struct event *receipt_make(const struct receipt *r, const struct keypair *g, int64_t now);
int receipt_parse(const struct event *ev, struct receipt *out, struct err *e) WARN_UNUSED;
/* The message `receipt`: {"event": the signed event}. G's last; sent stored, unnumbered. */
int receipt_send(struct talk *g, const struct event *receipt, struct err *e) WARN_UNUSED;
/* The signed event inside a message `receipt` or `teardown`; verified. NULL on error. Owned. */
struct event *receipt_event(const cJSON *message, struct err *e);

/* Compares with U's own talk. 0 = covers all; n > 0 = "does not cover your last n"; -1 = a root
 * differs or it counts what never came (e says which; code "receipt-mismatch"). */
int receipt_check(const struct receipt *r, const struct talk *u, struct err *e) WARN_UNUSED;

/* What P says about the end of the machine, after QEMU has gone. All of it is the seller's word.
 * Same kind, tag ["type","teardown"]. */
struct teardown {
    uint8_t job[32];
    int64_t started, ended; /* Unix seconds */
    int32_t exit_status;    /* as from waitpid */
    bool rundir_removed;
    bool gpu_reset, gpu_cc; /* reset done; CC mode asked again and on. False without a GPU */
    uint32_t gpus;
};
struct event *teardown_make(const struct teardown *t, const struct keypair *p, int64_t now);
int teardown_parse(const struct event *ev, struct teardown *out, struct err *e) WARN_UNUSED;
/* The message P -> U that carries it. Owned; NULL when too large. */
struct rumor *teardown_message(const struct event *teardown, const uint8_t job[static 32],
                               const struct keypair *p, const uint8_t customer[static 32],
                               int64_t now);

#endif
