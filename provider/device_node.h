/* Device nodes that guests need: may we open them, and may QEMU, which leaves root behind? */
#ifndef CDVM_DEVICE_NODE_H
#define CDVM_DEVICE_NODE_H

#include <sys/types.h>

#include "core/bytes.h"

#define DEVICE_WHY 400

/* Opens for reading and writing; -1 with the reason and its cure. */
int device_open(const char *path, char why[static DEVICE_WHY]);
bool device_opens(const char *path, char why[static DEVICE_WHY]);

/* Who may read and write it but its owner: everybody, or a group of its own. */
enum device_right { DEVICE_ABSENT, DEVICE_OWNER, DEVICE_GROUP, DEVICE_ALL };
enum device_right device_right(const char *path, gid_t *group);

/* Can QEMU open it by name, as whom spawn makes it run? Started by root that is nobody in the
 * device's group; else it is ourselves. */
bool device_for_guest(const char *path, char why[static DEVICE_WHY]);

#endif
