/* A read-only volume that is taken into memory whole (PROTOCOL.md, "Workload contract"; release field
 * volumes = "memory").
 *
 * The disk is found by its serial, opened through dm-verity by the root hash of the command line, and
 * copied block by block: so every block is checked once, not only those that happen to be read, and the
 * host sees no access pattern later. Then the disk is closed and the erofs mounted from the copy. */
#ifndef CDVM_VOLUME_H
#define CDVM_VOLUME_H

#include "cmdline.h"

#define VOLUME_SENTINEL "cdvm/volume" /* a file of every volume, read after mounting */

struct volume;

/* name is the disk's serial ("work", "model"). Copies nothing yet. NULL on error: "bad-volume",
 * "too-large" when the memory cannot hold it. */
struct volume *volume_open(const char *name, const struct cmdline_volume *what, struct err *e);
/* Copies up to `budget` bytes. 1 = all copied, 0 = more to come, -1 = error. A corrupt block panics. */
int volume_copy(struct volume *v, size_t budget, struct err *e) WARN_UNUSED;
uint64_t volume_bytes(const struct volume *v);
uint64_t volume_copied(const struct volume *v);
/* After the last copy: closes the disk, mounts the copy on volume_dir and reads the sentinel. */
int volume_mount(struct volume *v, struct err *e) WARN_UNUSED;
const char *volume_dir(const struct volume *v);
void volume_free(struct volume *v); /* unmounts and gives the memory back; NULL legal */

#endif
