/* A folder that a volume will be made from, filled with what somebody else has packed.
 *
 * Every name is resolved by the kernel as if the folder were the root of the file system (openat2,
 * RESOLVE_IN_ROOT): symbolic links are kept as they are and followed inside the folder only, so
 * nothing is ever read or written outside it. Names with "..", absolute names, names over 4096
 * bytes, and more bytes or entries than the limits allow are refused ("bad-archive", "too-large").
 * Owners, times, set-id bits and extended attributes are not kept: files are readable by all, and
 * executable by all where they were by anybody; folders are open to all. */
#ifndef CDVM_STAGE_H
#define CDVM_STAGE_H

#include "core/bytes.h"

#define STAGE_ENTRIES_MAX 2000000u
#define STAGE_PATH_MAX 4096

struct stage;
/* Makes `path`, which must not exist, or gives an error. max_bytes of file contents in all; also
 * refused is what would leave less than 64 MiB free on the disk. */
struct stage *stage_new(const char *path, uint64_t max_bytes, struct err *e);
/* Removes the folder and all in it. NULL legal. */
void stage_free(struct stage *s);
/* Lets go of it: the folder stays. */
void stage_keep(struct stage *s);
const char *stage_path(const struct stage *s);
uint64_t stage_bytes(const struct stage *s); /* written so far */

/* Names are relative ("./a/b", "a/b/"); folders above that are absent are made. What stands there
 * already is replaced, but a folder by a folder. */
int stage_folder(struct stage *s, const char *name, struct err *e) WARN_UNUSED;
int stage_symlink(struct stage *s, const char *name, const char *target, struct err *e) WARN_UNUSED;
/* A second name for a file of the stage. */
int stage_link(struct stage *s, const char *name, const char *target, struct err *e) WARN_UNUSED;
/* A file: its descriptor, to be written through stage_write only and closed by the caller. */
int stage_file(struct stage *s, const char *name, bool executable, struct err *e) WARN_UNUSED;
int stage_write(struct stage *s, int fd, struct view data, struct err *e) WARN_UNUSED;
int stage_put(struct stage *s, const char *name, struct view data, struct err *e) WARN_UNUSED;
/* Whatever is there; nothing is no error. */
int stage_remove(struct stage *s, const char *name, struct err *e) WARN_UNUSED;
/* All that is in a folder, but not the folder; no such folder is no error. */
int stage_empty(struct stage *s, const char *name, struct err *e) WARN_UNUSED;

/* Opens a plain file of the stage for reading, links followed inside it. -1 without an err when
 * there is none. */
int stage_open(const struct stage *s, const char *name);

#endif
