/* A dm-verity device by the kernel's device-mapper calls (Linux admin-guide/device-mapper/verity).
 *
 * Version 1, sha256, blocks of 4096, a salt of 32 zero bytes, the hash tree right behind the data
 * on the same device, no superblock, and a kernel panic on the first corrupt block
 * (cdvm-protocol(7), "Verity"). Nothing of the device is read to set it up: the root hash and the
 * size come from the command line. */
#ifndef CDVM_VERITY_H
#define CDVM_VERITY_H

#include "core/bytes.h"

#define VERITY_BLOCK ((uint64_t)4096)

/* Blocks of the whole device: data and hash tree. UINT64_MAX when `data` is out of range. */
uint64_t verity_total_blocks(uint64_t data);

/* Makes /dev/mapper's device `name` over block device `path`. Writes the path of the new device
 * node (under /dev) to `node`. dm_close(name) removes it. */
int verity_open(const char *name, const char *path, const uint8_t root[static 32], uint64_t blocks,
                char node[static 32], struct err *e) WARN_UNUSED;

#endif
