/* Binary vector files, and rows whose members may be null. */
#ifndef CDVM_UNIT_SNP_FILES_H
#define CDVM_UNIT_SNP_FILES_H

#include "tests/unit/vectors.h"

/* False when the file is not there. */
static inline bool vector_load(const char *rel, struct buf *out) {
    const char *path = vector_path(rel);

    return path && !file_read(path, (size_t)64 << 20, out, NULL);
}

static inline const char *case_str(const cJSON *o, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

#endif
