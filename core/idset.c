#include "idset.h"

#include <stdlib.h>
#include <string.h>

#include "secret.h"

/* Two generations of an open-addressing table, never more than half full. A key is the first half
 * of the id mixed with the salt; slots are chosen by a random multiplier, so that nobody can aim
 * collisions at us. */
#define SLOTS (2 * IDSET_KEEP)

struct key {
    uint64_t hi, lo; /* both zero: empty slot */
};

struct idset {
    struct key *now, *before;
    size_t n; /* in now */
    uint64_t mul;
};

struct idset *idset_new(void) {
    struct idset *s = mem_new(sizeof *s);

    s->now = mem_new(SLOTS * sizeof *s->now);
    s->before = mem_new(SLOTS * sizeof *s->before);
    random_bytes(&s->mul, sizeof s->mul);
    s->mul |= 1;
    return s;
}

void idset_free(struct idset *s) {
    if (!s)
        return;
    free(s->now);
    free(s->before);
    free(s);
}

static struct key key_of(const uint8_t id[32], uint64_t salt) {
    struct key k;

    memcpy(&k.hi, id, sizeof k.hi);
    memcpy(&k.lo, id + 8, sizeof k.lo);
    k.lo ^= salt * UINT64_C(0x9e3779b97f4a7c15);
    if (!k.hi && !k.lo)
        k.lo = 1;
    return k;
}

/* The slot that holds k, or the empty one where it belongs. */
static struct key *find(const struct idset *s, struct key *table, struct key k) {
    size_t i = (size_t)(((k.hi ^ k.lo) * s->mul) >> 32) % SLOTS;

    while ((table[i].hi || table[i].lo) && (table[i].hi != k.hi || table[i].lo != k.lo))
        i = (i + 1) % SLOTS;
    return &table[i];
}

static bool has(const struct idset *s, struct key *table, struct key k) {
    const struct key *at = find(s, table, k);

    return at->hi || at->lo;
}

bool idset_has(const struct idset *s, const uint8_t id[static 32], uint64_t salt) {
    struct key k = key_of(id, salt);

    return has(s, s->now, k) || has(s, s->before, k);
}

bool idset_add(struct idset *s, const uint8_t id[static 32], uint64_t salt) {
    struct key k = key_of(id, salt);

    if (idset_has(s, id, salt))
        return false;
    if (s->n == IDSET_KEEP) {
        struct key *old = s->before;

        s->before = s->now;
        s->now = memset(old, 0, SLOTS * sizeof *old);
        s->n = 0;
    }
    *find(s, s->now, k) = k;
    s->n++;
    return true;
}
