/* Vector files of ../shared/vectors for unit tests: read by cJSON as it is, because some rows are
 * there to be refused by ours. */
#ifndef CDVM_VECTORS_H
#define CDVM_VECTORS_H

#include <cjson/cJSON.h>

#include "core/bytes.h"
#include "core/enc.h"
#include "tests/unit/unit.h"

/* NULL when the file is not there; the caller deletes the tree. A broken file fails the test. */
static inline cJSON *vectors_load(const char *rel) {
    const char *path = vector_path(rel);
    struct buf text = {0};
    cJSON *v;

    if (!path)
        return NULL;
    assert_int_equal(file_read(path, (size_t)8 << 20, &text, NULL), 0);
    v = cJSON_ParseWithLength((const char *)text.p, text.n);
    buf_free(&text);
    assert_non_null(v);
    return v;
}

/* Loads or skips the test. */
#define VECTORS(name, rel)                                                                         \
    cJSON *name = vectors_load(rel);                                                               \
    if (!name)                                                                                     \
    skip()

static inline const cJSON *row_at(const cJSON *o, const char *key) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!v)
        fail_msg("the vector has no '%s'", key);
    return v;
}

static inline const char *row_str(const cJSON *o, const char *key) {
    const char *s = cJSON_GetStringValue(row_at(o, key));

    assert_non_null(s);
    return s;
}

static inline void row_hex(const cJSON *o, const char *key, uint8_t *out, size_t n) {
    assert_true(hex_decode_str(row_str(o, key), out, n));
}

/* The JSON text of a member; free it with free(). */
static inline char *row_text(const cJSON *o, const char *key) {
    char *s = cJSON_PrintUnformatted(row_at(o, key));

    assert_non_null(s);
    return s;
}

static inline void assert_hex(const uint8_t *got, size_t n, const char *want) {
    char *hex = hex_new(view_of(got, n));

    assert_string_equal(hex, want);
    free(hex);
}

#endif
