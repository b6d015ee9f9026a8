/* A secret key under a passphrase, as text: "ncryptsec1..." (NIP-49). It is what key files hold,
 * and what people carry from one program to another. */
#ifndef CDVM_NIP49_H
#define CDVM_NIP49_H

#include "key.h"
#include "passphrase.h"

#define NIP49_TEXT 162 /* characters */

/* What the writer says of the key's past: that it lay in the clear somewhere, that it never did. */
enum nip49_past { NIP49_EXPOSED, NIP49_KEPT, NIP49_UNTOLD };

struct nip49 {
    unsigned log_n;
    enum nip49_past past;
    uint8_t salt[PASSPHRASE_SALT], nonce[24], sealed[48];
};
/* The form alone, without the passphrase; white space around it is no part of it. Errors
 * "bad-identifier" (not bech32), "bad-key", "unsupported" (version), "too-costly" (log_n). */
int nip49_parse(struct view text, struct nip49 *out, struct err *e) WARN_UNUSED;
/* Blocks for scrypt. NULL on error: "wrong-passphrase", or as above. */
struct keypair *nip49_open(const struct nip49 *n, struct view passphrase, struct err *e);
/* Appends the text. */
int nip49_write(const struct keypair *k, struct view passphrase, enum nip49_past past,
                struct buf *out, struct err *e) WARN_UNUSED;

#endif
