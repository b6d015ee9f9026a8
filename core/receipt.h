/* Receipt: kind 1931, signed by G (PROTOCOL.md, "Receipt"), and the bundle that U keeps. */
#ifndef CDVM_RECEIPT_H
#define CDVM_RECEIPT_H

#include "talk.h"

struct receipt {
    uint8_t job[32], hello[32], accept[32]; /* rumor ids */
    uint64_t n_in, n_out;                   /* as the guest counts: in = from U */
    uint8_t root_in[32], root_out[32];
    uint64_t bytes_in, bytes_out;
    bool model_key;
    char reason[32];                        /* "end", "idle", "lease", "error" ... */
};
struct event *receipt_make(const struct receipt *r, const struct keypair *g, int64_t now);
int receipt_parse(const struct event *ev, struct receipt *out, struct err *e) WARN_UNUSED;

/* Compares with U's own talk. 0 = covers all; n > 0 = "does not cover your last n"; -1 = a root
 * differs (e says which). */
int receipt_check(const struct receipt *r, const struct talk *u, struct err *e) WARN_UNUSED;

#endif
