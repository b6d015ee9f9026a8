/* A bounded memory of event ids: remembers at least the last IDSET_KEEP and at most twice as many.
 */
#ifndef CDVM_IDSET_H
#define CDVM_IDSET_H

#include "bytes.h"

#define IDSET_KEEP 16384

struct idset;
struct idset *idset_new(void);
void idset_free(struct idset *s); /* NULL legal */
bool idset_has(const struct idset *s, const uint8_t id[static 32], uint64_t salt);
/* False when (id, salt) is there already. salt keeps sets of one owner apart (a subscription, say).
 */
bool idset_add(struct idset *s, const uint8_t id[static 32], uint64_t salt);

#endif
