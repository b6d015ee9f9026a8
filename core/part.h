/* Parts of an encrypted file: AES-256-GCM, ciphertext || 16-byte tag (cdvm-protocol(7), "Files").
 *
 * A file of one part uses its random 12-byte IV and no AAD, as NIP-17 clients do. Of several parts,
 * each has IV = 8 random bytes || u32 BE index and AAD = list("cdvm/1/part", index u32 BE, count
 * u32 BE, total u64 BE), total being the unpadded size of the file: no part can be moved, left out
 * or taken from another file. */
#ifndef CDVM_PART_H
#define CDVM_PART_H

#include "bytes.h"

#define PART_TAG ((size_t)16)

struct part_place {
    const uint8_t *key; /* 32 */
    uint8_t iv[12];     /* of the file; the index is written into a copy when count > 1 */
    uint32_t index, count;
    uint64_t total;
};
/* Appends the encryption of data followed by `zeros` zero bytes. */
int part_seal(const struct part_place *p, struct view data, size_t zeros, struct buf *out,
              struct err *e) WARN_UNUSED;
/* Appends the plaintext; on failure ("bad-file") out is as it was. */
int part_open(const struct part_place *p, struct view sealed, struct buf *out,
              struct err *e) WARN_UNUSED;

#endif
