/* XChaCha20-Poly1305: a key that lives long may take random nonces. */
#ifndef CDVM_AEAD_H
#define CDVM_AEAD_H

#include "secret.h"

#define AEAD_KEY 32
#define AEAD_NONCE 24
#define AEAD_TAG 16

/* Appends ciphertext and tag: plain.n + AEAD_TAG bytes. The nonce is used once. */
void aead_seal(const struct secret *key, const uint8_t nonce[static AEAD_NONCE], struct view ad,
               struct view plain, struct buf *out);
/* Appends the plaintext (the caller wipes it); false, and nothing, when the tag is wrong. */
bool aead_open(const struct secret *key, const uint8_t nonce[static AEAD_NONCE], struct view ad,
               struct view sealed, struct buf *out) WARN_UNUSED;

#endif
