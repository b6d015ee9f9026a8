#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "idset.h"

#define POOL_MAX 32
#define EOSE_MS 5000

struct psub {
    struct psub *next;
    struct pool *pool;
    char *id, *filters;
    uint64_t serial;          /* keeps its seen events apart from those of an earlier namesake */
    bool eose;                /* told the owner */
    uint32_t said;            /* bit per relay: EOSE or refusal */
    uint32_t refused;         /* of these */
    struct loop_timer *limit; /* a relay that never says EOSE does not hold up the others */
};

struct pool {
    struct ws_net *net;
    const struct keypair *key;
    struct pool_handler h;
    void *arg;
    struct relay *relays[POOL_MAX];
    size_t n;
    struct psub *subs;
    uint64_t serial;
    struct idset *seen;
};

static struct psub *sub_find(const struct pool *p, const char *id) {
    for (struct psub *s = p->subs; s; s = s->next)
        if (strcmp(s->id, id) == 0)
            return s;
    return NULL;
}

static size_t index_of(const struct pool *p, const struct relay *r) {
    size_t i;

    for (i = 0; i < p->n && p->relays[i] != r; i++)
        ;
    return i;
}

/* ---- end of stored events ---- */

static void eose_tell(struct psub *s) {
    struct pool *p = s->pool;

    if (s->eose)
        return;
    s->eose = true;
    loop_timer_set(s->limit, -1);
    if (p->h.eose) {
        cleanup_free char *id = mem_str(s->id);

        p->h.eose(p->arg, id);
    }
}

/* Relays that are still connecting are waited for, those that failed are not. */
static bool all_said(const struct psub *s) {
    for (size_t i = 0; i < s->pool->n; i++) {
        enum relay_state st = relay_state(s->pool->relays[i]);

        if ((st == RELAY_UP || st == RELAY_CONNECTING) && !(s->said & UINT32_C(1) << i))
            return false;
    }
    return s->said != 0;
}

/* A relay that failed may have been the last one waited for. Callbacks may change the list. */
static void eose_check(struct pool *p) {
    for (struct psub *s = p->subs; s;)
        if (!s->eose && all_said(s)) {
            eose_tell(s);
            s = p->subs;
        } else {
            s = s->next;
        }
}

static void on_limit(void *arg) {
    eose_tell(arg);
}

static void sub_answered(struct pool *p, const struct relay *r, const char *id, bool refused) {
    struct psub *s = sub_find(p, id);
    size_t i = index_of(p, r);

    if (!s || i == p->n)
        return;
    s->said |= UINT32_C(1) << i;
    if (refused)
        s->refused |= UINT32_C(1) << i;
    if (all_said(s))
        eose_tell(s);
}

size_t pool_answers(const struct pool *p, const char *sub) {
    const struct psub *s = sub_find(p, sub);

    return s ? (size_t)__builtin_popcount(s->said & ~s->refused) : 0;
}

/* ---- what relays report ---- */

static bool on_known(void *arg, struct relay *r, const char *sub, const uint8_t id[32]) {
    struct pool *p = arg;
    const struct psub *s = sub_find(p, sub);
    bool known = s && idset_has(p->seen, id, s->serial);

    if (known && p->h.again)
        p->h.again(p->arg, sub, id, relay_url(r));
    return known;
}

static void on_event(void *arg, struct relay *r, const char *sub, const struct event *ev) {
    struct pool *p = arg;
    const struct psub *s = sub_find(p, sub);

    if (s && idset_add(p->seen, ev->f.id, s->serial) && p->h.event)
        p->h.event(p->arg, sub, ev, relay_url(r));
}

static void on_eose(void *arg, struct relay *r, const char *sub) {
    sub_answered(arg, r, sub, false);
}

static void on_sub_closed(void *arg, struct relay *r, const char *sub, const char *reason) {
    struct pool *p = arg;

    if (p->h.closed)
        p->h.closed(p->arg, sub, relay_url(r), reason);
    sub_answered(p, r, sub, true);
}

static void on_ok(void *arg, struct relay *r, const uint8_t id[32], bool ok, const char *msg) {
    struct pool *p = arg;

    if (p->h.ok)
        p->h.ok(p->arg, id, ok, relay_url(r), msg);
}

static void on_state(void *arg, struct relay *r, enum relay_state s, const struct err *why) {
    struct pool *p = arg;

    (void)r, (void)why;
    if (s == RELAY_CONNECTING)
        return;
    eose_check(p);
    if (p->h.state)
        p->h.state(p->arg);
}

static void on_challenge(void *arg, struct relay *r, const char *challenge) {
    struct pool *p = arg;

    if (p->h.challenge)
        p->h.challenge(p->arg, relay_url(r), challenge);
}

/* ---- the owner's side ---- */

struct pool *pool_new(struct ws_net *n, const struct keypair *auth, const struct pool_handler *h,
                      void *arg) {
    struct pool *p = mem_new(sizeof *p);

    *p = (struct pool){.net = n, .key = auth, .h = *h, .arg = arg, .seen = idset_new()};
    return p;
}

static void sub_free(struct psub *s) {
    loop_timer_del(s->limit);
    free(s->id);
    free(s->filters);
    free(s);
}

void pool_free(struct pool *p) {
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        relay_free(p->relays[i]);
    while (p->subs) {
        struct psub *s = p->subs;

        p->subs = s->next;
        sub_free(s);
    }
    idset_free(p->seen);
    free(p);
}

static int add(struct pool *p, const char *url, bool public_only, struct err *e) {
    struct relay_handler h = {
        .state = on_state,
        .event = on_event,
        .eose = on_eose,
        .closed = on_sub_closed,
        .ok = on_ok,
        .known = on_known,
        .challenge = p->h.challenge ? on_challenge : NULL,
    };
    struct relay *r;

    if (pool_find(p, url))
        return 0;
    if (p->n == POOL_MAX)
        return err_set(e, "too-many", "more than %d relays", POOL_MAX);
    if (!(r = relay_new(p->net, url, p->key, &h, p, e)))
        return -1;
    if (public_only)
        relay_public_only(r);
    p->relays[p->n++] = r;
    for (const struct psub *s = p->subs; s; s = s->next)
        if (relay_subscribe(r, s->id, s->filters, e) < 0)
            return -1;
    return 0;
}

int pool_add(struct pool *p, const char *url, struct err *e) {
    return add(p, url, false, e);
}

int pool_add_public(struct pool *p, const char *url, struct err *e) {
    return add(p, url, true, e);
}

static uint32_t without_bit(uint32_t bits, size_t i) {
    uint32_t below = (UINT32_C(1) << i) - 1;

    return (bits & below) | ((bits >> 1) & ~below);
}

void pool_remove(struct pool *p, const char *url) {
    struct relay *r = pool_find(p, url);
    size_t i = index_of(p, r);

    if (!r)
        return;
    p->n--;
    memmove(&p->relays[i], &p->relays[i + 1], (p->n - i) * sizeof(struct relay *));
    for (struct psub *s = p->subs; s; s = s->next) {
        s->said = without_bit(s->said, i);
        s->refused = without_bit(s->refused, i);
    }
    relay_free(r);
    eose_check(p);
}

size_t pool_count(const struct pool *p) {
    return p->n;
}

size_t pool_up(const struct pool *p) {
    size_t up = 0;

    for (size_t i = 0; i < p->n; i++)
        up += relay_state(p->relays[i]) == RELAY_UP;
    return up;
}

size_t pool_backlog(const struct pool *p) {
    bool up = pool_up(p) > 0;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < p->n; i++) {
        size_t n = relay_backlog(p->relays[i]);

        if (n < least && (!up || relay_state(p->relays[i]) == RELAY_UP))
            least = n;
    }
    return p->n ? least : 0;
}

struct relay *pool_at(const struct pool *p, size_t i) {
    return i < p->n ? p->relays[i] : NULL;
}

struct relay *pool_find(const struct pool *p, const char *url) {
    cleanup_free char *normal = relay_url_normal(url);

    for (size_t i = 0; normal && i < p->n; i++)
        if (strcmp(relay_url(p->relays[i]), normal) == 0)
            return p->relays[i];
    return NULL;
}

int pool_subscribe(struct pool *p, const char *sub, const char *filters_json, struct err *e) {
    struct psub *s = mem_new(sizeof *s);

    pool_unsubscribe(p, sub);
    *s = (struct psub){.pool = p, .serial = ++p->serial, .next = p->subs};
    s->id = mem_str(sub);
    s->filters = mem_str(filters_json);
    s->limit = loop_timer_add(ws_loop(p->net), loop_now() + EOSE_MS, on_limit, s);
    p->subs = s;
    for (size_t i = 0; i < p->n; i++)
        if (relay_subscribe(p->relays[i], sub, filters_json, e) < 0) {
            pool_unsubscribe(p, sub);
            return -1;
        }
    return 0;
}

void pool_unsubscribe(struct pool *p, const char *sub) {
    for (struct psub **at = &p->subs; *at; at = &(*at)->next) {
        struct psub *s = *at;

        if (strcmp(s->id, sub) != 0)
            continue;
        *at = s->next;
        for (size_t i = 0; i < p->n; i++)
            relay_unsubscribe(p->relays[i], s->id);
        sub_free(s);
        return;
    }
}

int pool_publish(struct pool *p, const struct event *ev, struct err *e) {
    int taken = 0;

    if (!p->n)
        return err_set(e, "no-relay", "there is no relay to publish to");
    for (size_t i = 0; i < p->n; i++)
        taken += relay_publish(p->relays[i], ev, e) == 0;
    return taken ? 0 : -1;
}
