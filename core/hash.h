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
/* The inclusion path of leaf i of n (RFC 9162 2.1.3.1), from the leaf up: how many hashes it has,
 * 0 for a tree of one leaf. i < n. */
#define MERKLE_PATH_MAX 64
size_t merkle_path(const uint8_t (*leaves)[32], size_t n, size_t i,
                   uint8_t path[static MERKLE_PATH_MAX][32]);
/* RFC 9162 2.1.3.2: the path leads from this leaf, the i-th of n, to this root. */
bool merkle_proves(const uint8_t leaf[static 32], uint64_t i, uint64_t n, const uint8_t (*path)[32],
                   size_t n_path, const uint8_t root[static 32]);

#endif
