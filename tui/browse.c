#include "browse.h"

#include <stdlib.h>
#include <string.h>

#include "core/dvm.h"
#include "core/enc.h"

#define QUERY_MS 6000
#define AHEAD_S 900 /* clocks differ; a date far ahead would be the newest for ever */

struct browse {
    struct pool *pool;
    struct ws_net *net;
    bool simulated, settled, left_out;
    struct browse_handler h;
    void *arg;
    struct browse_query query;
    bool asking;
    struct loop_timer *deadline;
};

/* --- what comes in --- */

static void take_offer(struct browse *b, const struct event *ev, const char *url) {
    struct offer *o = offer_parse(ev, NULL); /* NULL: of other services, or malformed */

    if (o && !b->simulated && offer_simulated(o))
        b->left_out = true;
    else if (o && b->h.offer)
        b->h.offer(b->arg, o, ev, url);
    offer_free(o);
}

static void take_beat(struct browse *b, const struct event *ev) {
    struct heartbeat h;

    if (heartbeat_parse(ev, &h, NULL) == 0 && b->h.beat)
        b->h.beat(b->arg, &h);
}

/* What an endorser says: of a manifest, of holes, of a machine's place. */
static bool is_word(uint32_t kind) {
    return kind == KIND_ENDORSEMENT || kind == KIND_ADVISORY || kind == KIND_CHIP;
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct browse *b = arg;

    if (!strcmp(sub, "manifests")) {
        if (b->asking && is_word(ev->f.kind))
            b->query.got(b->query.arg, ev);
        return;
    }
    if (ev->f.created_at > unix_now() + AHEAD_S)
        return;
    if (ev->f.kind == KIND_OFFER)
        take_offer(b, ev, url);
    else
        take_beat(b, ev);
}

static void on_again(void *arg, const char *sub, const uint8_t id[32], const char *url) {
    struct browse *b = arg;

    if (b->h.again && !strcmp(sub, "offers"))
        b->h.again(b->arg, id, url);
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

    if (b->h.relays)
        b->h.relays(b->arg);
}

struct browse *browse_new(struct ws_net *n, const char *const *relays, size_t n_relays,
                          bool simulated, const struct browse_handler *h, void *arg,
                          struct err *e) {
    static const struct pool_handler ph = {
        .event = on_event, .again = on_again, .eose = on_eose, .state = on_state};
    struct browse *b = mem_new(sizeof *b);

    b->net = n;
    b->simulated = simulated;
    b->h = *h;
    b->arg = arg;
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
    free(b);
}

bool browse_left_out(const struct browse *b) {
    return b->left_out;
}

void browse_explain(const struct browse *b, struct err *e) {
    struct err was = *e;

    if (b->left_out && !strcmp(e->code, "unknown-offer"))
        err_set(e, was.code, "%s; simulated offers are there, for --policy demo only", was.text);
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
