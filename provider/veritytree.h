/* The dm-verity root of a volume file: version 1, SHA-256, 4096-byte blocks, 32 zero bytes of salt,
 * the hash tree right behind the data (cdvm-protocol(7), "Verity"). The host only checks that it
 * sells what it says; the guest's kernel is who enforces it. */
#ifndef CDVM_VERITYTREE_H
#define CDVM_VERITYTREE_H

#include "core/release.h"

/* Data blocks of a volume whose file holds `total` blocks, tree included; 0 when no such volume has
 * that size. */
uint64_t verity_data_blocks(uint64_t total);
/* Reads the whole file; "bad-volume" when its size fits no tree or its tree is not the data's. */
int verity_root(int fd, struct volume *out, struct err *e) WARN_UNUSED;

#endif
