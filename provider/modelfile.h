/* The key of a sealed model in its owner's file, and the sealing itself (cdvm-protocol(7), "Sealed
 * models"). The file has mode 0600 and one line: "<root:blocks> <128 hex digits>", so that a key
 * cannot be listed for another model by mistake. */
#ifndef CDVM_MODELFILE_H
#define CDVM_MODELFILE_H

#include "core/release.h"
#include "core/secret.h"

/* Makes a new key for this model and writes it to a file that must not exist. NULL on error. */
struct secret *modelkey_make(const char *path, const struct volume *model, struct err *e);
/* "unsafe-key" when others may read the file; "bad-key" when it is not one or another model's. */
struct secret *modelkey_read(const char *path, const struct volume *model, struct err *e);

/* NAME.sealed, what its owner gives a provider beside the encrypted volume: one line
 * "<root:blocks> <64 hex digits of K>". "bad-image" */
int sealed_parse(struct view text, struct volume *model, uint8_t broker[static 32],
                 struct err *e) WARN_UNUSED;
void sealed_text(const struct volume *model, const uint8_t broker[static 32], struct buf *out);

/* Encrypts a whole volume, data and hash tree, to a new file: aes-xts-plain64 in sectors of 512
 * bytes numbered from 0, as dm-crypt reads it. told: how many bytes are done. */
typedef void seal_progress(void *arg, uint64_t done, uint64_t total);
int volume_seal(int from, const char *to, const struct secret *key, seal_progress *told, void *arg,
                struct err *e) WARN_UNUSED;

#endif
