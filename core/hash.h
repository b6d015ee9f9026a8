/* SHA-2, HMAC, HKDF over OpenSSL EVP. Outputs are raw bytes. A broken libcrypto aborts. One thread.
 */
#ifndef CDVM_HASH_H
#define CDVM_HASH_H

#include "bytes.h"

#define SHA256_LEN 32
#define SHA384_LEN 48

void sha256(struct view v, uint8_t out[static 32]);
void sha384(struct view v, uint8_t out[static 48]);

struct sha;                             /* incremental; sha_free(NULL) legal */
struct sha *sha_new(size_t digest_len); /* 32 or 48 */
void sha_add(struct sha *s, struct view v);
void sha_end(struct sha *s, uint8_t *out); /* writes digest_len bytes; s may be freed only */
void sha_free(struct sha *s);
int sha256_file(const char *path, uint8_t out[static 32], struct err *e) WARN_UNUSED;

void hmac_sha256(struct view key, struct view msg, uint8_t out[static 32]);
void hkdf_extract(struct view salt, struct view ikm,
                  uint8_t prk[static 32]); /* RFC 5869, SHA-256 */
void hkdf_expand(const uint8_t prk[static 32], struct view info, uint8_t *out, size_t n);

/* list(tag, f1, f2, ...) of cdvm-protocol(7): ASCII tag || 0x00 || per field u16be length || bytes.
 * Appends to out. A field over 65,535 bytes is an error "too-large". */
int list_encode(struct buf *out, const char *tag, const struct view *fields, size_t n,
                struct err *e) WARN_UNUSED;

/* RFC 9162 Merkle tree hash over n leaves of 32 bytes each, in order; n = 0 gives SHA-256(""). */
void merkle_root(const uint8_t (*leaves)[32], size_t n, uint8_t out[static 32]);

#endif
