/* Reading and writing the canonical JSON of manifests: what release.c and manifest.c share.
 *
 * Getters are sticky: the first failure fills the err and marks `failed`; later getters return
 * zeroes or empty owned values, so that a reader is a straight list of them with one check at the
 * end. */
#ifndef CDVM_MANIFEST_H
#define CDVM_MANIFEST_H

#include "json.h"
#include "release.h"

#define MANIFEST_LIST_MAX 64

struct manifest_in {
    struct err *e;
    bool failed;
};

void in_fail(struct manifest_in *in, const char *what);
cJSON *manifest_json_parse(struct view content, struct manifest_in *in); /* owned, may be NULL */
/* The content against what was understood of it, serialised again. */
int manifest_same(struct view content, const struct buf *again, struct err *e) WARN_UNUSED;

char *in_str(struct manifest_in *in, const cJSON *o, const char *key); /* owned, never NULL */
uint64_t in_u64(struct manifest_in *in, const cJSON *o, const char *key);
uint32_t in_u32(struct manifest_in *in, const cJSON *o, const char *key);
void in_hex(struct manifest_in *in, const cJSON *o, const char *key, uint8_t *out, size_t n);
const cJSON *in_object(struct manifest_in *in, const cJSON *o, const char *key);
const cJSON *in_array(struct manifest_in *in, const cJSON *o, const char *key, size_t max);
char **in_strings(struct manifest_in *in, const cJSON *o, const char *key, size_t *n); /* owned */
size_t in_word(struct manifest_in *in, const cJSON *o, const char *key, const char *const words[],
               size_t n);
void in_volume(struct manifest_in *in, const cJSON *o, struct volume *v); /* {blocks, root} */
/* source {commit, repo} and lock {sha256} */
void in_source(struct manifest_in *in, const cJSON *o, char **repo, char **commit,
               uint8_t lock[static 32]);

void put_hash(struct jw *w, const char *key, const uint8_t sha256[static 32]);
void put_source(struct jw *w, const char *repo, const char *commit);
void put_strings(struct jw *w, const char *key, char *const *s, size_t n);
bool strings_sorted(char *const *s, size_t n); /* ascending, none twice */
void strings_free(char **s, size_t n);

#endif
