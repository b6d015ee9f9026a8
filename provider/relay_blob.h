/* Blobs of the embedded store: one file per sha256, 0600, in a folder of their own; who uploaded
 * what in its sidecar. Uploads stream through a temporary file and appear by rename, whole or not
 * at all. */
#ifndef CDVM_RELAY_BLOB_H
#define CDVM_RELAY_BLOB_H

#include "core/bytes.h"

struct relay_blobs;
/* max_one, max_all: bytes. Counts what is there and removes uploads that were cut off. */
struct relay_blobs *relay_blobs_new(const char *dir, uint64_t max_one, uint64_t max_all,
                                    struct err *e);
void relay_blobs_free(struct relay_blobs *b); /* NULL legal */
uint64_t relay_blobs_max(const struct relay_blobs *b);

/* Opens the blob for reading; -1 "not-found". */
int relay_blob_open(struct relay_blobs *b, const uint8_t sha[static 32], uint64_t *size,
                    struct err *e) WARN_UNUSED;
/* The upload's owner only: -1 "not-found" or "not-owner". */
int relay_blob_delete(struct relay_blobs *b, const uint8_t sha[static 32],
                      const uint8_t owner[static 32], struct err *e) WARN_UNUSED;

struct relay_upload;
/* Reserves `size` bytes of the quota: "too-large" or "full" before a byte is read. */
struct relay_upload *relay_upload_new(struct relay_blobs *b, uint64_t size, struct err *e);
uint64_t relay_upload_size(const struct relay_upload *u);
int relay_upload_add(struct relay_upload *u, struct view piece, struct err *e) WARN_UNUSED;
/* All bytes are in: their hash. -1 "bad-request" when some are missing. */
int relay_upload_hash(struct relay_upload *u, uint8_t sha[static 32], struct err *e) WARN_UNUSED;
/* After relay_upload_hash: the blob is there from now on, owned (also) by `owner`. *fresh when it
 * was not there before. Frees u, whatever happens. */
int relay_upload_keep(struct relay_upload *u, const uint8_t owner[static 32], bool *fresh,
                      struct err *e) WARN_UNUSED;
void relay_upload_free(struct relay_upload *u); /* gives up: the temporary file goes; NULL legal */

#endif
