/* Hex, base64, bech32 (BIP-173) and NIP-19 identifiers. Decoders are strict: lower-case hex only,
 * canonical base64 with padding and no white space, exact lengths. */
#ifndef CDVM_ENC_H
#define CDVM_ENC_H

#include "bytes.h"

void hex_encode(struct view v, char *out);                              /* 2n+1 bytes */
char *hex_new(struct view v);                                           /* owned */
bool hex_decode(struct view hex, uint8_t *out, size_t n);               /* exactly n bytes */
bool hex_decode_str(const char *hex, uint8_t *out, size_t n);           /* NULL is false */

void base64_encode(struct view v, struct buf *out);                     /* standard, padded */
void base64url_encode(struct view v, struct buf *out);                  /* no padding */
bool base64_decode(struct view s, struct buf *out);                     /* standard, padded, canonical */
bool base64url_decode(struct view s, struct buf *out);

/* bech32 with any length up to 5000 characters (NIP-19). hrp at most 83. data is 8-bit bytes. */
int bech32_encode(const char *hrp, struct view data, struct buf *out, struct err *e) WARN_UNUSED;
int bech32_decode(struct view s, char hrp[static 84], struct buf *data, struct err *e) WARN_UNUSED;

enum nip19_type { NIP19_NPUB, NIP19_NSEC, NIP19_NOTE, NIP19_NPROFILE, NIP19_NEVENT, NIP19_NADDR };

struct nip19 {
    enum nip19_type type;
    uint8_t id[32];          /* key or event id; author for naddr is in author */
    uint8_t author[32];
    bool has_author, has_kind;
    uint32_t kind;
    char *identifier;        /* naddr "d"; owned */
    char *relays[8];         /* owned */
    size_t n_relays;
};
int nip19_decode(struct view s, struct nip19 *out, struct err *e) WARN_UNUSED;
int nip19_encode(const struct nip19 *in, struct buf *out, struct err *e) WARN_UNUSED;
void nip19_free(struct nip19 *n);
void npub_short(const uint8_t key[static 32], char out[static 20]);      /* "9f3c 71d0 5a1b 20ff" */
/* Accepts npub1... or 64 hex digits. */
int pubkey_parse(const char *s, uint8_t out[static 32], struct err *e) WARN_UNUSED;

#endif
