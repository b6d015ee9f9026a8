/* bech32 (BIP-173) and the identifiers that people copy and paste (NIP-19). */
#ifndef CDVM_NIP19_H
#define CDVM_NIP19_H

#include "bytes.h"

#define NIP19_MAX 5000 /* characters; BIP-173's 90 does not apply */
#define NIP19_RELAYS 8 /* relay hints kept; more are ignored */

/* bech32 with any length up to NIP19_MAX characters. hrp at most 83. data is 8-bit bytes. Appends
 * to the buffers; on error they are as before. */
int bech32_encode(const char *hrp, struct view data, struct buf *out, struct err *e) WARN_UNUSED;
int bech32_decode(struct view s, char hrp[static 84], struct buf *data, struct err *e) WARN_UNUSED;

enum nip19_type { NIP19_NPUB, NIP19_NSEC, NIP19_NOTE, NIP19_NPROFILE, NIP19_NEVENT, NIP19_NADDR };

struct nip19 {
    enum nip19_type type;
    uint8_t id[32]; /* key or event id; zero in an naddr, whose author is in author */
    uint8_t author[32];
    bool has_author, has_kind;
    uint32_t kind;
    char *identifier;           /* naddr "d"; owned; text from outside */
    char *relays[NIP19_RELAYS]; /* owned; printable ASCII */
    size_t n_relays;
};
/* An optional "nostr:" (NIP-21) is taken off, but never from an nsec. Error "bad-identifier". On
 * error nothing is left to free. */
int nip19_decode(struct view s, struct nip19 *out, struct err *e) WARN_UNUSED;
int nip19_encode(const struct nip19 *in, struct buf *out, struct err *e) WARN_UNUSED;
void nip19_free(struct nip19 *n); /* wipes: the id may be a secret key */
void npub_full(const uint8_t key[static 32], char out[static 64]);  /* npub1... */
void npub_short(const uint8_t key[static 32], char out[static 20]); /* "9f3c 71d0 5a1b 20ff" */
/* Accepts npub1... or 64 hex digits. */
int pubkey_parse(const char *s, uint8_t out[static 32], struct err *e) WARN_UNUSED;

#endif
