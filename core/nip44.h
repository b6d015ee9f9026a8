/* NIP-44 version 2 encryption. Decodes the whole 2026 range (lengths below 2^32), never sends a
 * plaintext over NIP44_SEND_MAX bytes. Conversation keys are symmetric in both directions. */
#ifndef CDVM_NIP44_H
#define CDVM_NIP44_H

#include "event.h"

#define NIP44_SEND_MAX ((size_t)65408)
#define NIP44_PAYLOAD_MAX ((size_t)1 << 20) /* base64 characters accepted by decrypt */

struct nip44_key {
    uint8_t k[32]; /* wipe with explicit_bzero */
};

int nip44_conversation(const struct keypair *mine, const uint8_t peer[static 32],
                       struct nip44_key *out, struct err *e) WARN_UNUSED;
size_t nip44_padded_len(size_t n); /* of the plaintext, without the prefix; 64-bit arithmetic */
/* nonce NULL = random (the only use outside tests). Appends base64 to out. */
int nip44_encrypt(const struct nip44_key *k, struct view plain, const uint8_t *nonce,
                  struct buf *out, struct err *e) WARN_UNUSED;
/* Appends plaintext to out (buf_wipe it). Order: length, version, strict base64, MAC in constant
 * time before any length is read, canonical padding, UTF-8. */
int nip44_decrypt(const struct nip44_key *k, struct view payload, struct buf *out,
                  struct err *e) WARN_UNUSED;

#endif
