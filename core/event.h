/* Nostr events (NIP-01): three types that cannot be mixed up.
 *
 *   raw_event  parsed, NOT verified: id and signature are only claims
 *   event      id recomputed and BIP-340 signature verified (or made by us)
 *   rumor      unsigned (NIP-59); id recomputed; the author is authenticated by a seal, not here
 *
 * All three own their strings and are freed with their own free. Parsing is strict: exactly
 * the seven keys (six for a rumor), 64/64/128 lower-case hex, kind 0..65535, created_at a
 * non-negative integer, tags non-empty arrays of strings only. Unknown extra keys are refused for
 * rumors and ignored for events. */
#ifndef CDVM_EVENT_H
#define CDVM_EVENT_H

#include <cjson/cJSON.h>
#include "bytes.h"
#include "key.h"

#define EVENT_MAX ((size_t)65536) /* bytes of one serialised event on a relay */
#define EVENT_TAGS_MAX 2000

struct tag {
    char **v; /* n strings, UTF-8 */
    size_t n; /* at least 1 */
};

struct fields {
    uint8_t id[32], pubkey[32], sig[64]; /* sig zero in a rumor */
    int64_t created_at;                  /* Unix seconds */
    uint32_t kind;
    struct tag *tags;
    size_t n_tags;
    char *content; /* NUL-terminated, content_len bytes */
    size_t content_len;
};
struct raw_event {
    struct fields f;
};
struct event {
    struct fields f;
};
struct rumor {
    struct fields f;
};

/* Building: a draft's fields are filled, then signed or made a rumor. Strings are copied. */
struct fields fields_new(uint32_t kind, int64_t created_at, struct view content);
void fields_tag(struct fields *f, size_t n, const char *const v[]);
#define fields_add(f, ...)                                                                         \
    fields_tag((f), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),                   \
               (const char *const[]){__VA_ARGS__})
void fields_free(struct fields *f);
struct event *event_sign(struct fields *f, const struct keypair *k); /* takes over f's contents */
struct rumor *rumor_make(struct fields *f, const uint8_t author[static 32]); /* takes over f */

/* Parsing. NULL on error. `text` is one JSON object. */
struct raw_event *raw_event_parse(struct view text, struct err *e);
struct raw_event *raw_event_from_json(const cJSON *o, struct err *e);
/* Recomputes the id, checks the signature; always consumes raw. NULL on error ("bad-id","bad-sig").
 */
struct event *event_verify(struct raw_event *raw, struct err *e);
struct event *event_parse(struct view text, struct err *e); /* parse + verify */
/* Refuses a `sig` key, wrong id, extra keys. */
struct rumor *rumor_parse(struct view text, struct err *e);

void fields_id(const struct fields *f, uint8_t id[static 32]); /* NIP-01 serialisation, sha256 */
void event_json(const struct event *ev, struct buf *out);
void rumor_json(const struct rumor *r, struct buf *out);
struct event *event_copy(const struct event *ev);
struct rumor *rumor_copy(const struct rumor *r);

void raw_event_free(struct raw_event *e);
void event_free(struct event *e);
void rumor_free(struct rumor *r);

/* First tag of that name: its i-th value (1 = first after the name), or NULL. */
const char *fields_get(const struct fields *f, const char *name, size_t i);
const struct tag *fields_find(const struct fields *f, const char *name,
                              size_t nth);                /* nth from 0 */
bool fields_expired(const struct fields *f, int64_t now); /* NIP-40 */
bool fields_protected(const struct fields *f);            /* NIP-70 "-" tag */

enum kind_class { KIND_REGULAR, KIND_REPLACEABLE, KIND_EPHEMERAL, KIND_ADDRESSABLE };
enum kind_class kind_class(uint32_t kind);

/* NIP-13: leading zero bits of an id. */
unsigned pow_difficulty(const uint8_t id[static 32]);

#endif
