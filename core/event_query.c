/* Questions about an event's fields: tags by name, expiry, kind class, proof of work. */
#include "event.h"

#include <string.h>

const struct tag *fields_find(const struct fields *f, const char *name, size_t nth) {
    for (size_t i = 0; i < f->n_tags; i++)
        if (strcmp(f->tags[i].v[0], name) == 0 && nth-- == 0)
            return &f->tags[i];
    return NULL;
}

const char *fields_get(const struct fields *f, const char *name, size_t i) {
    const struct tag *t = fields_find(f, name, 0);

    return t && i < t->n ? t->v[i] : NULL;
}

/* Unix seconds in decimal digits; false for anything else. */
static bool parse_time(const char *s, int64_t *out) {
    *out = 0;
    if (!s || !*s || strlen(s) > 15)
        return false;
    for (; *s >= '0' && *s <= '9'; s++)
        *out = *out * 10 + (*s - '0');
    return *s == 0;
}

/* A time that cannot be read is no expiration. */
bool fields_expired(const struct fields *f, int64_t now) {
    int64_t at;

    return parse_time(fields_get(f, "expiration", 1), &at) && at <= now;
}

bool fields_protected(const struct fields *f) {
    return fields_find(f, "-", 0) != NULL;
}

enum kind_class kind_class(uint32_t kind) {
    static const struct {
        uint32_t first, last;
        enum kind_class class;
    } ranges[] = {
        {0, 0, KIND_REPLACEABLE},         {3, 3, KIND_REPLACEABLE},
        {10000, 19999, KIND_REPLACEABLE}, {20000, 29999, KIND_EPHEMERAL},
        {30000, 39999, KIND_ADDRESSABLE},
    };

    for (size_t i = 0; i < COUNT(ranges); i++)
        if (kind >= ranges[i].first && kind <= ranges[i].last)
            return ranges[i].class;
    return KIND_REGULAR;
}

unsigned pow_difficulty(const uint8_t id[static 32]) {
    unsigned bits = 0;

    for (size_t i = 0; i < 32; i++, bits += 8)
        if (id[i])
            return bits + (unsigned)__builtin_clz(id[i]) - 24;
    return bits;
}
