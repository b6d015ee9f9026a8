/* Bounded, strict JSON: a pre-scan, then cJSON; and a writer that never goes through doubles.
 *
 * json_parse refuses: over `max` bytes ("too-large"), invalid UTF-8, "\u0000", raw control bytes in
 * strings, duplicate keys, nesting over JSON_DEPTH, lone surrogates, trailing bytes, non-integers
 * and integers of 2^53 or more (RFC 8785 range). Everything else is code "bad-json" with the
 * offset. */
#ifndef CDVM_JSON_H
#define CDVM_JSON_H

#include <cjson/cJSON.h>
#include "bytes.h"

#define JSON_DEPTH 32
#define JSON_INT_MAX ((int64_t)9007199254740991)

/* Owned; free with cJSON_Delete, or json_wipe where a customer's words or keys are in it. NULL on
 * error. */
cJSON *json_parse(struct view text, size_t max, struct err *e) WARN_UNUSED;
/* The same for the JSON of other people's programs, where numbers may have fractions and be of any
 * size: json_u64 and json_int_of still take exact integers only. */
cJSON *json_parse_fractions(struct view text, size_t max, struct err *e) WARN_UNUSED;
void json_wipe(cJSON *v); /* zeroes all strings and numbers, then frees; NULL legal */

/* Typed getters: NULL/false with err set "bad-json" naming the key when absent or of another type.
 * Strings are borrowed from the tree, NUL-terminated (a NUL inside cannot occur). */
const char *json_str(const cJSON *o, const char *key, struct err *e) WARN_UNUSED;
bool json_u64(const cJSON *o, const char *key, uint64_t *out, struct err *e) WARN_UNUSED;
bool json_bool(const cJSON *o, const char *key, bool *out, struct err *e) WARN_UNUSED;
bool json_hex(const cJSON *o, const char *key, uint8_t *out, size_t n, struct err *e) WARN_UNUSED;
const cJSON *json_arr(const cJSON *o, const char *key, struct err *e) WARN_UNUSED;
const cJSON *json_obj(const cJSON *o, const char *key, struct err *e) WARN_UNUSED;
/* Optional string: NULL when absent or not a string. */
const char *json_opt(const cJSON *o, const char *key);
bool json_int_of(const cJSON *v, int64_t *out); /* exact integer value */

/* Writer: compact, keys in the order given, NIP-01 escapes (\n \" \\ \r \t \b \f, other controls
 * \u00xx lower case, everything else verbatim). Commas are placed by the writer. */
struct jw {
    struct buf *out;
    unsigned depth;
    uint8_t comma[JSON_DEPTH + 1]; /* per depth: a value stands before */
};
struct jw jw_new(struct buf *out);
void jw_obj(struct jw *w);
void jw_arr(struct jw *w);
void jw_end_obj(struct jw *w);
void jw_end_arr(struct jw *w);
void jw_key(struct jw *w, const char *key);
void jw_str(struct jw *w, const char *s);
void jw_view(struct jw *w, struct view utf8);
void jw_hex(struct jw *w, struct view bytes);
void jw_b64(struct jw *w, struct view bytes);
void jw_int(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
void jw_raw(struct jw *w, struct view json); /* already serialised value */
void jw_json(struct jw *w, const cJSON *v);  /* integers, strings, arrays, objects as they are */
/* key + value in one call */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_khex(struct jw *w, const char *key, struct view bytes);
void jw_kb64(struct jw *w, const char *key, struct view bytes);

void json_escape(struct view utf8, struct buf *out); /* with the quotes */

/* RFC 8785 canonical form of a parsed tree whose strings are ASCII and numbers integers. */
int json_canonical(const cJSON *v, struct buf *out, struct err *e) WARN_UNUSED;

#endif
