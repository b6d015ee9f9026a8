#include "browse.h"

#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"

#define OFFERS_MAX 20000
#define BEATS_MAX 20000
#define QUERY_MS 6000

struct browse {
    struct pool *pool;
    struct ws_net *net;
    bool simulated, settled;
    struct browse_handler h;
    void *arg;
    struct offer **offer;
    size_t n_offers;
    struct heartbeat *beat;
    size_t n_beats;
    struct listing *list; /* sorted, remade when stale */
    size_t n_list;
    int64_t listed_at; /* -1: stale */
    struct browse_query query;
    bool asking;
    struct loop_timer *deadline;
};

/* --- what comes in --- */

static struct offer **offer_slot(struct browse *b, const struct offer *o) {
    for (size_t i = 0; i < b->n_offers; i++)
        if (!memcmp(b->offer[i]->pubkey, o->pubkey, 32) && !strcmp(b->offer[i]->d, o->d))
            return &b->offer[i];
    if (b->n_offers == OFFERS_MAX)
        return NULL;
    b->offer = mem_grow(b->offer, (b->n_offers + 1) * sizeof *b->offer);
    b->offer[b->n_offers] = NULL;
    return &b->offer[b->n_offers++];
}

/* NIP-01: the newest wins, of the same second the lowest id. */
static bool newer(const struct offer *a, const struct offer *b) {
    if (a->created_at != b->created_at)
        return a->created_at > b->created_at;
    return memcmp(a->id, b->id, 32) < 0;
}

static bool take_offer(struct browse *b, const struct event *ev) {
    struct offer *o = offer_parse(ev, NULL), **slot;

    if (!o)
        return false; /* of other services, or malformed */
    if ((offer_simulated(o) && !b->simulated) || !(slot = offer_slot(b, o)) ||
        (*slot && !newer(o, *slot))) {
        offer_free(o);
        return false;
    }
    offer_free(*slot);
    *slot = o;
    return true;
}

static bool take_beat(struct browse *b, const struct event *ev) {
    struct heartbeat h;
    size_t i;

    if (heartbeat_parse(ev, &h, NULL))
        return false;
    for (i = 0; i < b->n_beats && memcmp(b->beat[i].pubkey, h.pubkey, 32) != 0; i++)
        ;
    if (i == BEATS_MAX || (i < b->n_beats && b->beat[i].created_at >= h.created_at))
        return false;
    if (i == b->n_beats)
        b->beat = mem_grow(b->beat, ++b->n_beats * sizeof *b->beat);
    b->beat[i] = h;
    return true;
}

/* What an endorser says: of a manifest, of holes, of a machine's place. */
static bool is_word(uint32_t kind) {
    return kind == KIND_ENDORSEMENT || kind == KIND_ADVISORY || kind == KIND_CHIP;
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct browse *b = arg;

    (void)url;
    if (!strcmp(sub, "manifests")) {
        if (b->asking && is_word(ev->f.kind))
            b->query.got(b->query.arg, ev);
        return;
    }
    if (ev->f.kind == KIND_OFFER ? !take_offer(b, ev) : !take_beat(b, ev))
        return;
    b->listed_at = -1;
    if (b->h.changed)
        b->h.changed(b->arg);
}

static void query_end(struct browse *b) {
    struct browse_query q = b->query;
    unsigned answers;

    if (!b->asking)
        return;
    answers = (unsigned)pool_answers(b->pool, "manifests");
    browse_cancel(b);
    q.done(q.arg, answers);
}

static void on_deadline(void *arg) {
    query_end(arg);
}

static void on_eose(void *arg, const char *sub) {
    struct browse *b = arg;

    if (!strcmp(sub, "manifests")) {
        query_end(b);
        return;
    }
    if (b->settled)
        return;
    b->settled = true;
    if (b->h.settled)
        b->h.settled(b->arg);
}

static void on_state(void *arg) {
    struct browse *b = arg;

    if (b->h.changed)
        b->h.changed(b->arg);
}

struct browse *browse_new(struct ws_net *n, const char *const *relays, size_t n_relays,
                          bool simulated, const struct browse_handler *h, void *arg,
                          struct err *e) {
    static const struct pool_handler ph = {.event = on_event, .eose = on_eose, .state = on_state};
    struct browse *b = mem_new(sizeof *b);

    b->net = n;
    b->simulated = simulated;
    b->h = *h;
    b->arg = arg;
    b->listed_at = -1;
    b->pool = pool_new(n, NULL, &ph, b);
    for (size_t i = 0; i < n_relays; i++)
        if (pool_add(b->pool, relays[i], e))
            goto fail;
    if (pool_subscribe(b->pool, "offers",
                       "{\"kinds\":[31990],\"#k\":[\"5050\",\"5999\"]},{\"kinds\":[11998]}", e))
        goto fail;
    b->deadline = loop_timer_add(ws_loop(n), -1, on_deadline, b);
    return b;
fail:
    browse_free(b);
    return NULL;
}

void browse_free(struct browse *b) {
    if (!b)
        return;
    loop_timer_del(b->deadline);
    pool_free(b->pool);
    for (size_t i = 0; i < b->n_offers; i++)
        offer_free(b->offer[i]);
    free(b->offer);
    free(b->beat);
    free(b->list);
    free(b);
}

size_t browse_relays_up(const struct browse *b) {
    return pool_up(b->pool);
}

const struct relay *browse_relay(const struct browse *b, const char *url) {
    return pool_find(b->pool, url);
}

static bool wanted(const struct relay *r, const char *const *relays, size_t n) {
    bool found = false;

    for (size_t i = 0; i < n && !found; i++) {
        cleanup_free char *url = relay_url_normal(relays[i]);

        found = url && !strcmp(url, relay_url(r));
    }
    return found;
}

int browse_set_relays(struct browse *b, const char *const *relays, size_t n, struct err *e) {
    for (size_t i = pool_count(b->pool); i-- > 0;) {
        const struct relay *r = pool_at(b->pool, i);

        if (!wanted(r, relays, n))
            pool_remove(b->pool, relay_url(r));
    }
    for (size_t i = 0; i < n; i++)
        if (pool_add(b->pool, relays[i], e) != 0)
            return -1;
    return 0;
}

/* --- the list --- */

static int by_pubkey(const void *a, const void *b) {
    return memcmp(((const struct heartbeat *)a)->pubkey, ((const struct heartbeat *)b)->pubkey, 32);
}

/* The heartbeats are sorted. */
static struct listing listing_of(const struct browse *b, const struct offer *o, int64_t now) {
    struct listing l = {.offer = o};
    struct heartbeat key;
    const struct heartbeat *h;

    memcpy(key.pubkey, o->pubkey, 32);
    h = b->n_beats ? bsearch(&key, b->beat, b->n_beats, sizeof key, by_pubkey) : NULL;
    if (h) {
        l.alive = h->expiration > now;
        l.free_slots = h->free_slots;
        l.queue = h->queue;
        l.seen = h->created_at;
    }
    return l;
}

static int by_life_and_name(const void *pa, const void *pb) {
    const struct listing *a = pa, *b = pb;
    int c;

    if (a->alive != b->alive)
        return a->alive ? -1 : 1;
    c = strcmp(a->offer->name, b->offer->name);
    return c ? c : memcmp(a->offer->id, b->offer->id, 32);
}

static void relist(struct browse *b) {
    int64_t now = unix_now();

    if (b->listed_at == now)
        return;
    if (b->n_beats)
        qsort(b->beat, b->n_beats, sizeof *b->beat, by_pubkey);
    b->list = mem_grow(b->list, (b->n_offers + 1) * sizeof *b->list);
    b->n_list = 0;
    for (size_t i = 0; i < b->n_offers; i++)
        if (!b->offer[i]->expiration || b->offer[i]->expiration > now)
            b->list[b->n_list++] = listing_of(b, b->offer[i], now);
    qsort(b->list, b->n_list, sizeof *b->list, by_life_and_name);
    b->listed_at = now;
}

size_t browse_count(struct browse *b) {
    relist(b);
    return b->n_list;
}

struct listing browse_at(struct browse *b, size_t i) {
    relist(b); /* an offer of the old list may be gone */
    return i < b->n_list ? b->list[i] : (struct listing){0};
}

/* word is "d" or "owner:d", owner a name or a key. */
static bool fits(const struct offer *o, const char *word) {
    const char *colon = strrchr(word, ':');
    cleanup_free char *owner = NULL;
    uint8_t key[32];

    if (!colon)
        return strcmp(o->d, word) == 0;
    if (strcmp(o->d, colon + 1) != 0)
        return false;
    owner = mem_strn(word, (size_t)(colon - word));
    if (pubkey_parse(owner, key, NULL) == 0)
        return memcmp(o->pubkey, key, 32) == 0;
    return !strcmp(o->provider_name, owner) || !strcmp(o->name, owner);
}

int browse_find(struct browse *b, const char *word, struct listing *out, struct err *e) {
    size_t found = 0;

    for (size_t i = 0, n = browse_count(b); i < n; i++)
        if (fits(b->list[i].offer, word)) {
            *out = b->list[i];
            found++;
        }
    if (found > 1)
        return err_set(e, "ambiguous-offer",
                       "%zu offers are called '%s'; name one by key: npub...:%s", found, word,
                       out->offer->d);
    if (found == 0)
        return err_set(e, "unknown-offer", "no offer on your relays is called '%s'", word);
    return 0;
}

/* --- manifests --- */

static void add_kinds(struct jw *w, bool all) {
    jw_key(w, "kinds");
    jw_arr(w);
    jw_int(w, KIND_ENDORSEMENT);
    if (all) {
        jw_int(w, KIND_ADVISORY);
        jw_int(w, KIND_CHIP);
    }
    jw_end_arr(w);
}

static void add_keys(struct jw *w, const char *name, const uint8_t (*key)[32], size_t n) {
    jw_key(w, name);
    jw_arr(w);
    for (size_t i = 0; i < n; i++)
        jw_hex(w, view_of(key[i], 32));
    jw_end_arr(w);
}

/* Of this release by anybody; by the seller; all that the endorsers say. */
static void manifest_filters(struct buf *out, const struct offer *o, const uint8_t (*endorsers)[32],
                             size_t n) {
    struct jw w = jw_new(out);
    const struct {
        const char *name;
        const uint8_t (*key)[32];
        size_t n;
        bool all;
    } filters[] = {{"#x", &o->release, 1, false},
                   {"authors", &o->pubkey, 1, false},
                   {"authors", endorsers, n, true}};

    for (size_t i = 0; i < COUNT(filters); i++) {
        if (!filters[i].n)
            continue;
        jw_obj(&w);
        add_kinds(&w, filters[i].all);
        add_keys(&w, filters[i].name, filters[i].key, filters[i].n);
        jw_end_obj(&w);
    }
}

int browse_manifests(struct browse *b, const struct offer *o, const uint8_t (*endorsers)[32],
                     size_t n_endorsers, const struct browse_query *q, struct err *e) {
    cleanup_buf struct buf filters = {0};

    if (b->asking)
        return err_set(e, "busy", "another query for manifests is under way");
    manifest_filters(&filters, o, endorsers, n_endorsers);
    if (pool_subscribe(b->pool, "manifests", (const char *)filters.p, e))
        return -1;
    b->query = *q;
    b->asking = true;
    loop_timer_set(b->deadline, loop_now() + QUERY_MS);
    return 0;
}

void browse_cancel(struct browse *b) {
    if (!b->asking)
        return;
    b->asking = false;
    loop_timer_set(b->deadline, -1);
    pool_unsubscribe(b->pool, "manifests");
}
