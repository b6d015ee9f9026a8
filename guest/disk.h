/* A read-only volume that is taken into memory whole (cdvm-protocol(7), "Workload contract";
 * release field volumes = "memory").
 *
 * The disk is found by its serial, opened through dm-verity by the root hash of the command line,
 * and copied block by block: so every block is checked once, not only those that happen to be read,
 * and the host sees no access pattern later. Then the disk is closed and the erofs mounted from the
 * copy. */
#ifndef CDVM_DISK_H
#define CDVM_DISK_H

#include "core/release.h"
#include "core/secret.h"

#define DISK_SENTINEL "cdvm/volume" /* a file of every volume, read after mounting */

struct disk;

/* name is the disk's serial ("work", "model"). key: of a sealed disk, not needed after the call;
 * NULL: the disk is not sealed. Copies nothing yet. NULL on error: "bad-volume", "too-large" when
 * the memory cannot hold it, "model-key" when the key is not this disk's. */
struct disk *disk_open(const char *name, const struct volume *what, const struct secret *key,
                       struct err *e);
/* Copies up to `budget` bytes. 1 = all copied, 0 = more to come, -1 = error. A corrupt block
 * panics. */
int disk_copy(struct disk *d, size_t budget, struct err *e) WARN_UNUSED;
uint64_t disk_bytes(const struct disk *d);
/* After the last copy: closes the disk, mounts the copy on disk_dir and reads the sentinel. */
int disk_mount(struct disk *d, struct err *e) WARN_UNUSED;
const char *disk_dir(const struct disk *d);
void disk_free(struct disk *d); /* unmounts and gives the memory back; NULL legal */

#endif
