/* Nostr keys: secp256k1 pairs for BIP-340 signatures and NIP-44's ECDH. One thread. */
#ifndef CDVM_KEY_H
#define CDVM_KEY_H

#include "bytes.h"
#include "secret.h"

/* A key pair for signing and ECDH; the secret half is locked memory. */
struct keypair;
struct keypair *keypair_new(void); /* fresh random */
struct keypair *keypair_from(const uint8_t sk[static 32],
                             struct err *e); /* NULL when not a scalar */
/* "nsec1..." or 64 hex digits, nothing around it. NULL: "bad-key", "bad-identifier". */
struct keypair *keypair_parse(struct view text, struct err *e);
const uint8_t *keypair_pub(const struct keypair *k);          /* 32 bytes x-only */
const struct secret *keypair_secret(const struct keypair *k); /* 32 bytes */
void keypair_free(struct keypair *k);                         /* wipes; NULL legal */
void keypair_sign(const struct keypair *k, const uint8_t msg[static 32], uint8_t sig[static 64]);

/* BIP-340 over a message of any length. False for anything but a valid signature. */
bool schnorr_verify(const uint8_t pub[static 32], struct view msg, const uint8_t sig[static 64]);

/* x coordinate of mine * lift_x(peer), unhashed (NIP-44); the caller wipes it. Error "bad-key" when
 * peer is no point of the curve. */
int keypair_ecdh(const struct keypair *mine, const uint8_t peer[static 32], uint8_t x[static 32],
                 struct err *e) WARN_UNUSED;

#endif
