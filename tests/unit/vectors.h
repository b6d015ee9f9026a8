/* Loading vector files and their cases.json; the caller skips when vector_load says false. */
#ifndef CDVM_UNIT_VECTORS_H
#define CDVM_UNIT_VECTORS_H

#include <cjson/cJSON.h>
#include "core/bytes.h"
#include "tests/unit/unit.h"

static inline bool vector_load(const char *rel, struct buf *out) {
    const char *path = vector_path(rel);

    return path && !file_read(path, (size_t)64 << 20, out, NULL);
}

/* NULL when the vectors are not there. */
static inline cJSON *vector_json(const char *rel) {
    cleanup_buf struct buf b = {0};

    return vector_load(rel, &b) ? cJSON_ParseWithLength((const char *)b.p, b.n) : NULL;
}

static inline const char *case_str(const cJSON *o, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static inline void unhex(const char *hex, uint8_t *out, size_t n) {
    assert_int_equal(strlen(hex), 2 * n);
    for (size_t i = 0; i < n; i++) {
        unsigned v;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
        out[i] = (uint8_t)v;
    }
}

#endif
