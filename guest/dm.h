/* The kernel's device-mapper calls (linux/dm-ioctl.h): a read-only device of one target. No udev,
 * no library. */
#ifndef CDVM_DM_H
#define CDVM_DM_H

#include "core/bytes.h"

#define DM_SECTOR ((uint64_t)512)
#define DM_PARAMS 640

/* Makes /dev/mapper's device `name` of `sectors` sectors and writes the path of its node (under
 * /dev) to `node`. secret: params hold a key; kernel and this function wipe their copies, the
 * caller wipes its own. */
struct dm_target {
    const char *type, *params; /* "verity", "crypt"; params shorter than DM_PARAMS */
    uint64_t sectors;
    bool secret;
};
int dm_open(const char *name, const struct dm_target *t, char node[static 32],
            struct err *e) WARN_UNUSED;
/* Removes it; nobody may have it open. */
int dm_close(const char *name, struct err *e) WARN_UNUSED;
/* The same where nothing more can be done about a failure. */
void dm_drop(const char *name);

#endif
