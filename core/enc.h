/* Hex and base64 (RFC 4648). Decoders are strict: lower-case hex only, canonical base64 (with
 * padding, base64url without) and no white space, exact lengths. On failure nothing is written: the
 * output is zero, or the buffer as it was. */
#ifndef CDVM_ENC_H
#define CDVM_ENC_H

#include "bytes.h"
#include "nip19.h" /* bech32 and the identifiers: the rest of the encodings */

void hex_encode(struct view v, char *out);                    /* 2n+1 bytes */
char *hex_new(struct view v);                                 /* owned */
bool hex_decode(struct view hex, uint8_t *out, size_t n);     /* exactly n bytes */
bool hex_decode_str(const char *hex, uint8_t *out, size_t n); /* NULL is false */

void base64_encode(struct view v, struct buf *out);    /* standard, padded */
void base64url_encode(struct view v, struct buf *out); /* no padding */
bool base64_decode(struct view s, struct buf *out);    /* standard, padded, canonical */
bool base64url_decode(struct view s, struct buf *out);

#endif
