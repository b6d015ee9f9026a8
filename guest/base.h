/* The base volume (cdvm-protocol(7), "Release manifest"): GPU driver, its firmware and
 * libnvidia-ml, by the root hash that stands in the release's own command line.
 *
 *   modules/NN-name.ko               loaded in byte order of the names
 *   firmware/nvidia/<version>/...    where the kernel looks for firmware from then on
 *   usr/lib/...                      the library and what it needs */
#ifndef CDVM_BASE_H
#define CDVM_BASE_H

#include "core/release.h"

struct base;
/* Takes it into memory as every volume (disk.h), mounts it, loads its modules. NULL on error: those
 * of disk_open; "system". */
struct base *base_open(const struct volume *what, struct err *e);
const char *base_dir(const struct base *b);
void base_free(struct base *b); /* NULL legal; what was loaded stays */

#endif
