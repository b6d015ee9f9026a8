#include "tui/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/secret.h"
#include "tui/shelf_priv.h"

#define SLOTS 64 /* at first */
#define BEAT_SLOTS (2 * BEATS_MAX)
#define BEAT_OLD 3600  /* an expiration in a year does not make a machine alive for a year */
#define BEAT_AHEAD 600 /* clocks differ */
#define GRAVES_MAX ((size_t)4 << 20)
#define ROOM 16 /* a sixteenth of a relay's offers goes at once */

struct shelf *shelf_new(void) {
    struct shelf *s = mem_new(sizeof *s);

    s->slots = SLOTS;
    s->by_name = mem_new(s->slots * sizeof(struct kept *));
    s->by_id = mem_new(s->slots * sizeof(struct kept *));
    random_bytes(&s->salt, sizeof s->salt);
    return s;
}

void shelf_free(struct shelf *s) {
    if (!s)
        return;
    shelf_bury(s);
    for (size_t i = 0; i < s->n; i++)
        free(s->all[i]);
    for (size_t i = 0; i < s->n_relays; i++)
        free(s->relay[i].url);
    free(s->all);
    free(s->by_name);
    free(s->by_id);
    free(s->beat);
    free(s->view);
    free(s->known);
    free(s);
}

/* --- two tables of pointers, by name and by id --- */

static uint64_t name_hash(const struct shelf *s, const uint8_t key[static 32], const char *d) {
    return shelf_hash(view_str(d), shelf_hash(view_of(key, 32), s->salt));
}

static uint64_t id_hash(const struct shelf *s, const uint8_t id[static 32]) {
    return shelf_hash(view_of(id, 16), s->salt);
}

static struct kept **slot_of_name(const struct shelf *s, const uint8_t key[static 32],
                                  const char *d) {
    size_t i = name_hash(s, key, d) % s->slots;

    while (s->by_name[i] && (memcmp(s->by_name[i]->row.pubkey, key, 32) != 0 ||
                             strcmp(s->by_name[i]->row.d, d) != 0))
        i = (i + 1) % s->slots;
    return &s->by_name[i];
}

static struct kept **slot_of_id(const struct shelf *s, const uint8_t id[static 32]) {
    size_t i = id_hash(s, id) % s->slots;

    while (s->by_id[i] && memcmp(s->by_id[i]->row.id, id, 32) != 0)
        i = (i + 1) % s->slots;
    return &s->by_id[i];
}

static uint64_t hash_in(const struct shelf *s, struct kept *const *table, const struct kept *k) {
    return table == s->by_name ? name_hash(s, k->row.pubkey, k->row.d) : id_hash(s, k->row.id);
}

/* Takes one out and moves those up that were pushed on by it. */
static void slot_clear(const struct shelf *s, struct kept **table, struct kept **slot) {
    size_t hole = (size_t)(slot - table), i = hole;

    table[hole] = NULL;
    for (i = (i + 1) % s->slots; table[i]; i = (i + 1) % s->slots) {
        size_t home = hash_in(s, table, table[i]) % s->slots;

        if ((i - home) % s->slots < (i - hole) % s->slots)
            continue;
        table[hole] = table[i];
        table[i] = NULL;
        hole = i;
    }
}

static void slots_double(struct shelf *s) {
    free(s->by_name);
    free(s->by_id);
    s->slots *= 2;
    s->by_name = mem_new(s->slots * sizeof(struct kept *));
    s->by_id = mem_new(s->slots * sizeof(struct kept *));
    for (size_t i = 0; i < s->n; i++) {
        *slot_of_name(s, s->all[i]->row.pubkey, s->all[i]->row.d) = s->all[i];
        *slot_of_id(s, s->all[i]->row.id) = s->all[i];
    }
}

/* --- relays --- */

static size_t relay_of(struct shelf *s, const char *url) {
    size_t i;

    for (i = 0; i < s->n_relays; i++)
        if (!strcmp(s->relay[i].url, url))
            return i;
    if (i == SHELF_RELAYS)
        return SHELF_RELAYS - 1; /* more than a pool has */
    s->relay[i].url = mem_str(url);
    return s->n_relays++;
}

static struct shelf_relay *sole_relay(struct shelf *s, const struct kept *k) {
    uint32_t r = k->row.relays;

    return r && !(r & (r - 1)) ? &s->relay[__builtin_ctz(r)] : NULL;
}

static void relays_set(struct shelf *s, struct kept *k, uint32_t relays) {
    struct shelf_relay *sole = sole_relay(s, k);

    if (sole)
        sole->sole--;
    k->row.relays = relays;
    sole = sole_relay(s, k);
    if (sole)
        sole->sole++;
}

/* --- in and out --- */

static void take_in(struct shelf *s, struct kept *k, uint32_t relays) {
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 32;
        s->all = mem_grow(s->all, s->cap * sizeof(struct kept *));
    }
    if (2 * (s->n + 1) > s->slots)
        slots_double(s);
    k->at = s->n;
    s->all[s->n++] = k;
    *slot_of_name(s, k->row.pubkey, k->row.d) = k;
    *slot_of_id(s, k->row.id) = k;
    s->bytes += k->bytes;
    relays_set(s, k, relays);
    s->sorted = s->twins = false;
}

static void throw_out(struct shelf *s, struct kept *k) {
    slot_clear(s, s->by_name, slot_of_name(s, k->row.pubkey, k->row.d));
    slot_clear(s, s->by_id, slot_of_id(s, k->row.id));
    relays_set(s, k, 0);
    s->bytes -= k->bytes;
    s->all[k->at] = s->all[--s->n];
    s->all[k->at]->at = k->at;
    s->sorted = s->twins = false;
    s->grave = mem_grow(s->grave, (s->n_graves + 1) * sizeof(struct kept *));
    s->grave[s->n_graves++] = k;
    s->grave_bytes += k->bytes;
}

void shelf_bury(struct shelf *s) {
    for (size_t i = 0; i < s->n_graves; i++)
        free(s->grave[i]);
    free(s->grave);
    s->grave = NULL;
    s->n_graves = s->grave_bytes = 0;
}

bool shelf_stale(const struct shelf *s) {
    return s->grave_bytes > GRAVES_MAX;
}

/* --- room --- */

static bool is_dear(const struct kept *k) {
    return k->row.mark == MARK_FAVOURITE || k->row.proof.state != PROOF_NEVER;
}

/* Those that go first: no heartbeat, then the oldest. */
static int worst_first(const void *pa, const void *pb) {
    const struct kept *a = *(struct kept *const *)pa, *b = *(struct kept *const *)pb;

    if (a->row.alive != b->row.alive)
        return a->row.alive ? 1 : -1;
    return (a->row.created_at > b->row.created_at) - (a->row.created_at < b->row.created_at);
}

/* Among what only this relay sends; or of all, with `r` NULL. */
static size_t drop_worst(struct shelf *s, struct shelf_relay *r) {
    struct kept **worst = mem_new((s->n + 1) * sizeof(struct kept *));
    size_t n = 0, go;

    for (size_t i = 0; i < s->n; i++)
        if (!is_dear(s->all[i]) && (!r || sole_relay(s, s->all[i]) == r))
            worst[n++] = s->all[i];
    qsort(worst, n, sizeof *worst, worst_first);
    go = n < ROOM ? n : n / ROOM;
    for (size_t i = 0; i < go; i++) {
        s->relay[__builtin_ctz(worst[i]->row.relays)].dropped++;
        throw_out(s, worst[i]);
    }
    free(worst);
    return go;
}

static bool full(const struct shelf *s) {
    return s->n >= SHELF_MAX || s->bytes + SHELF_OFFER_MAX > SHELF_BYTES;
}

static bool make_room(struct shelf *s) {
    while (full(s)) {
        struct shelf_relay *most = &s->relay[0];

        for (size_t i = 1; i < s->n_relays; i++)
            if (s->relay[i].sole > most->sole)
                most = &s->relay[i];
        if (drop_worst(s, most) == 0 && drop_worst(s, NULL) == 0)
            return false;
    }
    return true;
}

/* NIP-01: the newest wins, of the same second the lowest id. */
static bool newer(const struct offer *a, const struct shelf_row *b) {
    if (a->created_at != b->created_at)
        return a->created_at > b->created_at;
    return memcmp(a->id, b->id, 32) < 0;
}

bool shelf_put(struct shelf *s, const struct offer *o, const struct event *ev, const char *relay) {
    size_t r = relay_of(s, relay);
    struct kept *old = *slot_of_name(s, o->pubkey, o->d), *k;

    if (old && !memcmp(old->row.id, o->id, 32))
        relays_set(s, old, old->row.relays | UINT32_C(1) << r);
    if (old && !newer(o, &old->row))
        return false;
    k = kept_new(o, ev, s->salt);
    if (k->bytes > SHELF_OFFER_MAX || (!old && !make_room(s))) {
        s->relay[r].dropped++;
        free(k);
        return false;
    }
    if (old) {
        k->row.mark = old->row.mark;
        k->row.proof = old->row.proof;
        k->row.alive = old->row.alive;
        throw_out(s, old);
    }
    take_in(s, k, UINT32_C(1) << r);
    return true;
}

void shelf_again(struct shelf *s, const uint8_t id[static 32], const char *relay) {
    struct kept *k = *slot_of_id(s, id);

    if (k)
        relays_set(s, k, k->row.relays | UINT32_C(1) << relay_of(s, relay));
}

/* --- heartbeats --- */

static struct heartbeat *beat_slot(const struct shelf *s, struct heartbeat *table,
                                   const uint8_t key[static 32]) {
    size_t i = shelf_hash(view_of(key, 32), s->salt) % BEAT_SLOTS;

    while (table[i].created_at && memcmp(table[i].pubkey, key, 32) != 0)
        i = (i + 1) % BEAT_SLOTS;
    return &table[i];
}

const struct heartbeat *shelf_beat_of(const struct shelf *s, const uint8_t key[static 32]) {
    const struct heartbeat *h = s->beat ? beat_slot(s, s->beat, key) : NULL;

    return h && h->created_at ? h : NULL;
}

/* Full: only those of somebody who offers something stay. There are fewer offers than places. */
static void beats_thin(struct shelf *s) {
    struct heartbeat *table = mem_new(BEAT_SLOTS * sizeof *table);

    s->n_beats = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct heartbeat *h = shelf_beat_of(s, s->all[i]->row.pubkey);
        struct heartbeat *to = h ? beat_slot(s, table, h->pubkey) : NULL;

        if (!to || to->created_at)
            continue;
        *to = *h;
        s->n_beats++;
    }
    free(s->beat);
    s->beat = table;
}

bool shelf_beat(struct shelf *s, const struct heartbeat *h) {
    struct heartbeat *to;

    if (h->created_at <= 0)
        return false;
    if (!s->beat)
        s->beat = mem_new(BEAT_SLOTS * sizeof *s->beat);
    to = beat_slot(s, s->beat, h->pubkey);
    if (to->created_at >= h->created_at)
        return false;
    if (!to->created_at && s->n_beats == BEATS_MAX) {
        beats_thin(s);
        to = beat_slot(s, s->beat, h->pubkey);
    }
    s->n_beats += !to->created_at;
    *to = *h;
    s->sorted = false;
    return true;
}

bool shelf_is_alive(const struct heartbeat *h, int64_t now) {
    return h && h->expiration > now && h->created_at > now - BEAT_OLD &&
           h->created_at < now + BEAT_AHEAD;
}

/* --- questions --- */

uint64_t shelf_dropped(const struct shelf *s, const char **relay) {
    uint64_t all = 0, most = 0;

    *relay = "";
    for (size_t i = 0; i < s->n_relays; i++) {
        all += s->relay[i].dropped;
        if (s->relay[i].dropped <= most)
            continue;
        most = s->relay[i].dropped;
        *relay = s->relay[i].url;
    }
    return all;
}

bool shelf_expired(const struct shelf_row *r, int64_t now) {
    return r->expiration && r->expiration <= now;
}

/* word is "d" or "owner:d", owner a name or a key. */
static bool fits(const struct shelf_row *r, const char *word) {
    const char *colon = strrchr(word, ':');
    cleanup_free char *owner = NULL;
    uint8_t key[32];

    if (!colon)
        return strcmp(r->d, word) == 0;
    if (strcmp(r->d, colon + 1) != 0)
        return false;
    owner = mem_strn(word, (size_t)(colon - word));
    if (pubkey_parse(owner, key, NULL) == 0)
        return memcmp(r->pubkey, key, 32) == 0;
    return !strcmp(r->provider, owner) || !strcmp(r->name, owner);
}

const struct shelf_row *shelf_find(const struct shelf *s, const char *word, int64_t now,
                                   struct err *e) {
    const struct shelf_row *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (!shelf_expired(&s->all[i]->row, now) && fits(&s->all[i]->row, word)) {
            found = &s->all[i]->row;
            n++;
        }
    if (n > 1)
        err_set(e, "ambiguous-offer", "%zu offers are called '%s'; name one by key: npub...:%s", n,
                word, found->d);
    if (n == 0)
        err_set(e, "unknown-offer", "no offer on your relays is called '%s'", word);
    return n == 1 ? found : NULL;
}

const struct shelf_row *shelf_only(const struct shelf *s, int64_t now, struct err *e) {
    const struct shelf_row *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct shelf_row *r = &s->all[i]->row;

        if (shelf_expired(r, now) || !shelf_is_alive(shelf_beat_of(s, r->pubkey), now))
            continue;
        found = r;
        n++;
    }
    if (n == 1)
        return found;
    err_set(e, n ? "ambiguous-offer" : "unknown-offer",
            n ? "%zu offers are alive; choose one with --offer (`cdvm offers` lists them)"
              : "%zu offers are alive on your relays",
            n);
    return NULL;
}
