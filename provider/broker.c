#include "broker.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/idset.h"
#include "core/kinds.h"
#include "core/log.h"
#include "core/pool.h"
#include "core/wrap.h"

#define ASKS 512    /* guests between question and key; the oldest gives way */
#define CERTS 128   /* collateral kept; the oldest gives way */
#define PARTS 20    /* messages that one may come in */
#define FRESH_S 600 /* a message may be that old */
#define BACKDATED_S (2 * 24 * 3600 + FRESH_S)
#define TICK_MS 500

/* One guest, from key_ask on. */
struct ask {
    uint8_t guest[32], job[32], model[32], nonce[32];
    int64_t until; /* loop_now; 0: free */
    bool used;     /* evidence came: the nonce is spent */
    uint8_t evidence_id[32];
    struct key_evidence evidence; /* waits for collateral while judge_by is set */
    int64_t judge_by;
    struct event *answer; /* the key, sealed to this guest; sent again when it asks again */
};
/* What a provider says about its machine. Anybody may; all of it is signed by AMD or NVIDIA. */
struct certs {
    uint8_t job[32], from[32];
    struct collateral_set set; /* n 0: free */
};
struct broker {
    struct broker_conf c;
    struct pool *pool;
    struct wrap_keys *keys;
    struct idset *seen;
    struct loop_timer *tick;
    struct ask ask[ASKS];
    struct certs certs[CERTS];
    size_t next_certs;
};

/* --- the log: one line for each decision --- */

static void log_decision(const struct ask *a, const char *code, const char *text) {
    char guest[65], job[65], model[65];

    hex_encode(view_of(a->guest, 32), guest);
    hex_encode(view_of(a->job, 32), job);
    hex_encode(view_of(a->model, 32), model);
    log_line(strcmp(code, "key-released") ? LOG_WARN : LOG_INFO, "broker",
             "%s job=%.16s guest=%.16s model=%.16s: %s", code, job, guest, model, text);
}

static void log_stranger(const struct rumor *r, const struct msg *m, const char *code,
                         const char *text) {
    struct ask a = {0};

    memcpy(a.guest, r->f.pubkey, 32);
    memcpy(a.job, m->job, 32);
    log_decision(&a, code, text);
}

/* --- out --- */

static void publish(struct broker *b, const struct event *ev) {
    struct err e;

    if (ev && pool_publish(b->pool, ev, &e) < 0)
        log_line(LOG_WARN, "broker", "no relay takes an answer: %s", e.text);
}

/* Owned; NULL when it cannot be made. */
static struct event *seal(struct broker *b, const struct ask *a, const char *type,
                          struct view body) {
    int64_t now = unix_now();
    struct rumor *r = msg_make(type, a->job, body, b->c.key, a->guest, now);
    struct event *ev =
        r ? wrap_make(r, b->c.key, b->keys, a->guest, KIND_WRAP, now, now + MODELKEY_LIFE_S, NULL)
          : NULL;

    if (r)
        explicit_bzero(r->f.content, r->f.content_len);
    rumor_free(r);
    return ev;
}

static void send_nonce(struct broker *b, const struct ask *a) {
    cleanup_buf struct buf body = {0};
    struct event *ev;

    key_nonce_body(a->nonce, &body);
    ev = seal(b, a, "key_nonce", buf_view(&body));
    publish(b, ev);
    event_free(ev);
}

/* Counted before it is sealed; what is sealed is kept, so that a lost answer costs no count. */
static void release_key(struct broker *b, struct ask *a, const struct broker_decision *d) {
    struct buf body = {0};
    cleanup_free char *chip = hex_new(view_of(d->chip, d->chip_len));
    cleanup_free char *text = NULL;
    uint64_t n;
    struct err e;

    if (broker_book_take(b->c.book, d->row, view_of(d->chip, d->chip_len), unix_now(), &n, &e)) {
        log_decision(a, e.code, e.text);
        return;
    }
    key_body(broker_house_key(b->c.house, d->row), &body);
    a->answer = seal(b, a, "key", buf_view(&body));
    buf_wipe(&body);
    publish(b, a->answer);
    text = mem_fmt("row of line %u, key %llu of %llu for chip %.16s", d->row->line,
                   (unsigned long long)n, (unsigned long long)d->row->max, chip);
    log_decision(a, "key-released", text);
}

/* --- asks --- */

static void ask_clear(struct ask *a) {
    key_evidence_free(&a->evidence);
    event_free(a->answer);
    *a = (struct ask){0};
}

static struct ask *ask_find(struct broker *b, const uint8_t guest[static 32],
                            const uint8_t job[static 32]) {
    for (size_t i = 0; i < ASKS; i++)
        if (b->ask[i].until > loop_now() && !memcmp(b->ask[i].guest, guest, 32) &&
            !memcmp(b->ask[i].job, job, 32))
            return &b->ask[i];
    return NULL;
}

static struct ask *ask_new(struct broker *b) {
    struct ask *oldest = &b->ask[0];

    for (size_t i = 1; i < ASKS; i++)
        if (b->ask[i].until < oldest->until)
            oldest = &b->ask[i];
    ask_clear(oldest);
    return oldest;
}

/* The same guest that asks again before it showed anything gets the same nonce. */
static void take_ask(struct broker *b, const struct rumor *r, const struct msg *m) {
    struct ask *a = ask_find(b, r->f.pubkey, m->job);
    uint8_t model[32];
    struct err e;

    if (key_ask_parse(m->o, model, &e)) {
        log_stranger(r, m, e.code, e.text);
        return;
    }
    if (a && (a->used || memcmp(a->model, model, 32))) {
        log_stranger(r, m, "asked-again", "this guest has asked, and shown evidence, before");
        return;
    }
    if (!broker_house_has_model(b->c.house, model)) {
        log_stranger(r, m, "model-unknown", "no row is about the model that it asks for");
        return;
    }
    if (!a) {
        a = ask_new(b);
        memcpy(a->guest, r->f.pubkey, 32);
        memcpy(a->job, m->job, 32);
        memcpy(a->model, model, 32);
        random_bytes(a->nonce, sizeof a->nonce);
        a->until = loop_now() + BROKER_NONCE_MS;
    }
    send_nonce(b, a);
}

/* --- evidence --- */

static bool judge_with(struct broker *b, struct ask *a, const struct collateral *c,
                       struct broker_decision *d) {
    size_t n_endorsers;
    struct broker_claim claim = {.broker = keypair_pub(b->c.key),
                                 .nonce = a->nonce,
                                 .guest = a->guest,
                                 .job = a->job,
                                 .model = a->model,
                                 .evidence = &a->evidence,
                                 .collateral = c};

    (void)broker_house_endorsers(b->c.house, &n_endorsers);
    claim.asked = n_endorsers && pool_count(b->pool) > 1;
    claim.n_answers = claim.asked ? (unsigned)pool_answers(b->pool, "words") : 0;
    broker_judge(b->c.house, &claim, unix_now(), d);
    return d->pass;
}

/* Whole, or all of it that will come. */
static bool usable(const struct certs *c, const struct ask *a) {
    return c->set.n && !memcmp(c->job, a->job, 32) &&
           (collateral_set_whole(&c->set) || loop_now() >= a->judge_by);
}

/* With each collateral that came for this job; the last refusal is the one that is told. */
static void judge(struct broker *b, struct ask *a) {
    struct broker_decision d;
    bool pass = false, tried = false;

    for (size_t i = 0; i < CERTS && !pass; i++) {
        const struct certs *c = &b->certs[i];
        struct collateral col;

        if (!usable(c, a) || collateral_set_read(&c->set, &col, NULL))
            continue;
        tried = true;
        pass = judge_with(b, a, &col, &d);
        collateral_free(&col);
    }
    if (!tried)
        (void)judge_with(b, a, NULL, &d);
    if (!tried && !strcmp(d.code, "no-collateral") && loop_now() < a->judge_by)
        return;
    a->judge_by = 0;
    if (pass)
        release_key(b, a, &d);
    else
        log_decision(a, d.code, d.text);
    key_evidence_free(&a->evidence);
}

static void take_evidence(struct broker *b, const struct rumor *r, const struct msg *m) {
    struct ask *a = ask_find(b, r->f.pubkey, m->job);
    struct err e;

    if (!a) {
        log_stranger(r, m, "nonce-unknown", "it shows evidence without a nonce of now");
        return;
    }
    if (a->used) {
        if (memcmp(a->evidence_id, r->f.id, 32))
            log_decision(a, "nonce-used", "its nonce has been spent on other evidence");
        else
            publish(b, a->answer);
        return;
    }
    a->used = true;
    memcpy(a->evidence_id, r->f.id, 32);
    if (key_evidence_parse(m->o, &a->evidence, &e)) {
        key_evidence_free(&a->evidence);
        log_decision(a, e.code, e.text);
        return;
    }
    a->judge_by = loop_now() + BROKER_COLLATERAL_MS;
    judge(b, a);
}

static struct certs *certs_of(struct broker *b, const uint8_t from[static 32],
                              const uint8_t job[static 32]) {
    struct certs *c;

    for (size_t i = 0; i < CERTS; i++)
        if (b->certs[i].set.n && !memcmp(b->certs[i].from, from, 32) &&
            !memcmp(b->certs[i].job, job, 32))
            return &b->certs[i];
    c = &b->certs[b->next_certs];
    b->next_certs = (b->next_certs + 1) % CERTS;
    collateral_set_free(&c->set);
    memcpy(c->from, from, 32);
    memcpy(c->job, job, 32);
    return c;
}

static void take_collateral(struct broker *b, const struct rumor *r, const struct msg *m) {
    struct certs *c = certs_of(b, r->f.pubkey, m->job);

    if (!collateral_set_add(&c->set, r, m))
        return;
    if (c->set.of > PARTS) {
        collateral_set_free(&c->set);
        return;
    }
    for (size_t i = 0; i < ASKS; i++)
        if (b->ask[i].judge_by && !memcmp(b->ask[i].job, m->job, 32))
            judge(b, &b->ask[i]);
}

/* --- in --- */

static const struct {
    const char *type;
    void (*take)(struct broker *b, const struct rumor *r, const struct msg *m);
} takes[] = {
    {"key_ask", take_ask}, {"key_evidence", take_evidence}, {"collateral", take_collateral}};

static void take(struct broker *b, const struct rumor *r) {
    int64_t age = unix_now() - r->f.created_at;
    struct msg m;

    if (age > FRESH_S || age < -FRESH_S || msg_parse(r, &m, NULL))
        return;
    for (size_t i = 0; i < COUNT(takes); i++)
        if (!strcmp(takes[i].type, m.type))
            takes[i].take(b, r, &m);
    msg_free(&m);
}

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct broker *b = arg;
    struct rumor *r;

    (void)url;
    if (!strcmp(sub, "words")) {
        broker_house_hear(b->c.house, ev);
        return;
    }
    if (ev->f.kind != KIND_WRAP || !idset_add(b->seen, ev->f.id, 0))
        return;
    r = wrap_open(ev, b->c.key, b->keys, NULL);
    if (r)
        take(b, r);
    rumor_free(r);
}

static void on_tick(void *arg) {
    struct broker *b = arg;
    int64_t now = loop_now();

    for (size_t i = 0; i < ASKS; i++) {
        if (b->ask[i].judge_by && now >= b->ask[i].judge_by)
            judge(b, &b->ask[i]);
        if (b->ask[i].until && now >= b->ask[i].until)
            ask_clear(&b->ask[i]);
    }
    loop_timer_set(b->tick, now + TICK_MS);
}

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    (void)arg, (void)id;
    if (!ok)
        log_line(LOG_WARN, "broker", "%s refused an answer: %s", url, msg);
}

static void on_state(void *arg) {
    struct broker *b = arg;

    log_line(LOG_INFO, "broker", "relays %zu/%zu up", pool_up(b->pool), pool_count(b->pool));
}

static void on_eose(void *arg, const char *sub) {
    (void)arg, (void)sub;
}

/* --- making and unmaking --- */

static int subscribe_words(struct broker *b, struct err *e) {
    size_t n;
    const uint8_t(*key)[32] = broker_house_endorsers(b->c.house, &n);
    cleanup_buf struct buf filter = {0};
    struct jw w = jw_new(&filter);

    if (!n)
        return 0;
    jw_obj(&w);
    jw_key(&w, "kinds");
    jw_arr(&w);
    jw_int(&w, KIND_ENDORSEMENT);
    jw_int(&w, KIND_ADVISORY);
    jw_int(&w, KIND_CHIP);
    jw_end_arr(&w);
    jw_key(&w, "authors");
    jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        jw_hex(&w, view_of(key[i], 32));
    jw_end_arr(&w);
    jw_end_obj(&w);
    return pool_subscribe(b->pool, "words", (const char *)filter.p, e);
}

static int subscribe(struct broker *b, struct err *e) {
    cleanup_free char *filter = NULL;
    char hex[65];

    hex_encode(view_of(keypair_pub(b->c.key), 32), hex);
    filter = mem_fmt("{\"kinds\":[%d],\"#p\":[\"%s\"],\"since\":%lld}", KIND_WRAP, hex,
                     (long long)unix_now() - BACKDATED_S);
    if (pool_subscribe(b->pool, "asks", filter, e))
        return -1;
    return subscribe_words(b, e);
}

struct broker *broker_new(const struct broker_conf *c, struct err *e) {
    static const struct pool_handler h = {
        .event = on_event, .eose = on_eose, .ok = on_ok, .state = on_state};
    struct broker *b = mem_new(sizeof *b);
    int rc = 0;

    b->c = *c;
    b->keys = wrap_keys_new(c->key);
    b->seen = idset_new();
    b->pool = pool_new(c->net, c->key, &h, b);
    for (size_t i = 0; !rc && i < c->n_relays; i++)
        rc = pool_add(b->pool, c->relays[i], e);
    if (rc || subscribe(b, e)) {
        broker_free(b);
        return NULL;
    }
    b->tick = loop_timer_add(ws_loop(c->net), loop_now() + TICK_MS, on_tick, b);
    return b;
}

void broker_free(struct broker *b) {
    if (!b)
        return;
    loop_timer_del(b->tick);
    pool_free(b->pool);
    for (size_t i = 0; i < ASKS; i++)
        ask_clear(&b->ask[i]);
    for (size_t i = 0; i < CERTS; i++)
        collateral_set_free(&b->certs[i].set);
    wrap_keys_free(b->keys);
    idset_free(b->seen);
    free(b);
}
