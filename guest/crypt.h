/* The outer layer of a sealed model's disk (cdvm-protocol(7), "Sealed models"): the whole device
 * under dm-crypt, aes-xts-plain64 with a key of 64 bytes, 512-byte sectors numbered from 0. The
 * verity volume lies inside. */
#ifndef CDVM_CRYPT_H
#define CDVM_CRYPT_H

#include "core/release.h"
#include "core/secret.h"

/* Makes /dev/mapper's device `name` over block device `path`, as long as the volume with its hash
 * tree, and its node. Then the first block of the hash tree must hash to the root: a wrong key is
 * code "model-key" here, where dm-verity would stop the machine. dm_close(name) removes it. */
int crypt_open(const char *name, const char *path, const struct volume *what,
               const struct secret *key, char node[static 32], struct err *e) WARN_UNUSED;

#endif
