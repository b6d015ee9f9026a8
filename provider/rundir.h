/* Run directories: one private folder for each guest that lives, and none for one that does not.
 *
 * <base>/<provider key, 16 hex>/<job id, 16 hex>, all 0700. base is XDG_RUNTIME_DIR/cdvm or,
 * without one, /tmp/cdvm-<uid> when it is ours and private. A folder that is there at start
 * belonged to a provider that crashed: its guest is gone (the kernel killed it), so the folder goes
 * too. */
#ifndef CDVM_RUNDIR_H
#define CDVM_RUNDIR_H

#include "core/bytes.h"

/* Makes (or takes over) the provider's own folder. Owned path; NULL on error. */
char *rundir_base(const uint8_t provider[static 32], struct err *e);
/* Removes what an earlier run left; returns how many folders. The caller holds the provider's lock.
 */
size_t rundir_sweep(const char *base);
char *rundir_make(const char *base, const uint8_t job[static 32], struct err *e); /* owned */
/* True when nothing is left of it. */
bool rundir_remove(const char *path);

#endif
