/* A whole job in one process: an embedded relay, a session of the customer's, and a provider and
 * guests that a test moves by hand. Reports are signed by the simulator's processor of world.h. */
#ifndef CDVM_UNIT_STAGE_H
#define CDVM_UNIT_STAGE_H

#include "core/enc.h"
#include "core/hello.h"
#include "core/receipt.h"
#include "tests/unit/net.h"
#include "tests/unit/world.h"
#include "tui/session.h"

/* Somebody on the other side: opens what comes for its key. */
struct peer {
    struct net *net;
    struct keypair *key;
    struct pool *pool;
    struct talk *talk; /* a guest's */
    struct rumor *first;
    bool heard;
    size_t n_wraps, n_text, n_file, n_accept, n_end;
    char text[256];
    uint8_t text_id[32], accept_id[32], hello_id[32];
    bool got_text, got_accept, got_end, broken;
};

struct stage {
    struct net net;
    struct world w;
    struct trust trust;
    struct peer provider, guest[2];
    struct offer offer; /* of `offer_event` */
    struct offer *parsed;
    struct session *s;
    struct policy policy;
    struct job_request q; /* as the provider read it */
    enum session_state states[32];
    size_t n_states;
    char notices[512], answer[256], partial[256];
    const char *wait_notice;
    bool changed, answered, closed, saw_verdict, receipt, torn_down, ready, failed_file;
    int uncovered;
    enum session_state wait_state;
    bool reached;
};

/* --- peers --- */

static inline void peer_talk_send(void *arg, const struct rumor *r, bool stored) {
    struct peer *p = arg;
    struct event *ev = wrap_make(r, p->key, NULL, talk_peer(p->talk),
                                 stored ? KIND_WRAP : KIND_WRAP_EPHEMERAL, unix_now(), 0, NULL);

    assert_non_null(ev);
    assert_int_equal(pool_publish(p->pool, ev, NULL), 0);
    event_free(ev);
}

static inline void peer_talk_message(void *arg, const struct talk_msg *m) {
    struct peer *p = arg;

    if (!strcmp(m->type, "accept")) {
        p->got_accept = true;
        p->n_accept++;
        memcpy(p->accept_id, m->rumor->f.id, 32);
    } else if (!strcmp(m->type, "text")) {
        p->got_text = true;
        p->n_text++;
        snprintf(p->text, sizeof p->text, "%s", m->rumor->f.content);
        memcpy(p->text_id, m->rumor->f.id, 32);
    } else if (!strcmp(m->type, "end") && !json_opt(m->o, "xid")) {
        p->got_end = true;
        p->n_end++;
    } else if (!strcmp(m->type, "start")) {
        p->n_file++;
    }
}

static inline void peer_talk_broken(void *arg, const struct err *e) {
    (void)e;
    ((struct peer *)arg)->broken = true;
}

static inline void peer_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct peer *p = arg;
    struct rumor *r = wrap_open(ev, p->key, NULL, NULL);

    (void)sub, (void)url;
    if (!r)
        return;
    p->n_wraps++;
    if (p->talk)
        (void)!talk_take(p->talk, r, NULL);
    if (!p->first) {
        p->first = rumor_copy(r);
        p->heard = true;
    }
    rumor_free(r);
}

static inline void peer_up(struct peer *p, struct net *n) {
    static const struct pool_handler h = {.event = peer_event};
    cleanup_free char *hex = NULL, *filter = NULL;
    struct err e;

    *p = (struct peer){.net = n, .key = keypair_new()};
    hex = hex_new(view_of(keypair_pub(p->key), 32));
    filter = mem_fmt("{\"kinds\":[1059,21059],\"#p\":[\"%s\"]}", hex);
    p->pool = pool_new(n->ws, p->key, &h, p);
    assert_int_equal(pool_add(p->pool, relayd_url(n->relay), &e), 0);
    assert_int_equal(pool_subscribe(p->pool, "in", filter, &e), 0);
}

static inline void peer_down(struct peer *p) {
    talk_free(p->talk);
    pool_free(p->pool);
    keypair_free(p->key);
    rumor_free(p->first);
}

/* Seals any rumor of this peer's to the customer. */
static inline void peer_say(struct stage *t, struct peer *p, struct rumor *r) {
    struct event *ev = wrap_make(r, p->key, NULL, t->q.customer, KIND_WRAP, unix_now(), 0, NULL);

    assert_non_null(ev);
    assert_int_equal(pool_publish(p->pool, ev, NULL), 0);
    event_free(ev);
    rumor_free(r);
}

/* --- the session's events --- */

static inline void stage_event(void *arg, const struct session_event *ev) {
    struct stage *t = arg;
    size_t n = strlen(t->notices);

    switch (ev->type) {
    case SE_STATE:
        assert_true(t->n_states < COUNT(t->states));
        t->states[t->n_states++] = ev->state;
        t->reached |= ev->state == t->wait_state;
        break;
    case SE_NOTICE:
        snprintf(t->notices + n, sizeof t->notices - n, "%s ", ev->code);
        break;
    case SE_VERDICT:
        t->saw_verdict = true;
        break;
    case SE_READY:
        t->ready = true;
        break;
    case SE_DELTA:
        n = strlen(t->partial);
        snprintf(t->partial + n, sizeof t->partial - n, "%.*s", (int)ev->text.n,
                 (const char *)ev->text.p);
        break;
    case SE_ANSWER:
        t->answered = true;
        snprintf(t->answer, sizeof t->answer, "%.*s", (int)ev->text.n, (const char *)ev->text.p);
        break;
    case SE_RECEIPT:
        t->receipt = true;
        t->uncovered = ev->uncovered;
        break;
    case SE_TEARDOWN:
        t->torn_down = true;
        break;
    case SE_FILE_FAILED:
        t->failed_file = true;
        break;
    case SE_CLOSED:
        t->closed = true;
        break;
    case SE_PHASE:
    case SE_SENT:
    case SE_PROGRESS:
    case SE_SOURCES:
    case SE_TABLE:
    case SE_FILE_UP:
    case SE_FILE_DOWN:
    case SE_FILE:
        break;
    }
}

static inline bool stage_reach(struct stage *t, enum session_state state) {
    t->wait_state = state;
    t->reached = session_state(t->s) == state;
    return net_until(&t->net, &t->reached, 8000);
}

static inline bool stage_until(struct stage *t, const bool *flag) {
    return net_until(&t->net, flag, 8000);
}

/* --- setting up --- */

static inline void stage_offer(struct stage *t) {
    struct offer *o = &t->w.offer;
    struct event *ev;

    snprintf(o->d, sizeof o->d, "table");
    snprintf(o->name, sizeof o->name, "Tables");
    snprintf(o->privacy, sizeof o->privacy, "sim");
    snprintf(o->price_unit, sizeof o->price_unit, "job");
    snprintf(o->relays[0], sizeof o->relays[0], "%s", relayd_url(t->net.relay));
    o->job_kind = KIND_JOB_TOOL;
    o->memory_mib = 512;
    o->n_relays = 1;
    ev = offer_make(o, t->provider.key, unix_now());
    t->parsed = offer_parse(ev, NULL);
    assert_non_null(t->parsed);
    event_free(ev);
}

static inline void stage_manifests(struct stage *t) {
    struct err e;

    setenv("XDG_DATA_HOME", t->net.dir, 1);
    assert_int_equal(manifest_save(buf_view(&t->w.release), &e), 0);
    assert_int_equal(manifest_save(buf_view(&t->w.workload), &e), 0);
    t->trust.pins.digest = (const uint8_t(*)[32])t->w.pin;
    t->trust.pins.n_digests = 3;
    t->trust.sim_root = &t->w.sim_root;
    t->trust.n_sim_roots = 1;
}

static inline void stage_up(struct stage *t) {
    memset(t, 0, sizeof *t);
    world_init(&t->w);
    net_up(&t->net, NULL);
    peer_up(&t->provider, &t->net);
    peer_up(&t->guest[0], &t->net);
    peer_up(&t->guest[1], &t->net);
    stage_offer(t);
    stage_manifests(t);
    policy_preset(&t->policy, POLICY_DEMO);
}

static inline void stage_down(struct stage *t) {
    session_free(t->s);
    peer_down(&t->guest[0]);
    peer_down(&t->guest[1]);
    peer_down(&t->provider);
    offer_free(t->parsed);
    net_down(&t->net);
    world_free(&t->w);
}

/* Rents: the request has reached the provider. more: what differs from the usual; may be NULL. */
static inline void stage_rent(struct stage *t, const struct session_conf *more) {
    const char *relay = relayd_url(t->net.relay);
    struct session_conf c = more ? *more : (struct session_conf){0};
    struct err e;

    c.net = t->net.ws;
    if (!c.n_relays) {
        c.relays = &relay;
        c.n_relays = 1;
    }
    c.keep_messages = true;
    c.policy = &t->policy;
    c.trust = &t->trust;
    t->s = session_new(&c, t->parsed, stage_event, t, &e);
    if (!t->s)
        fail_msg("%s", e.text);
    assert_true(stage_until(t, &t->provider.heard));
    assert_int_equal(job_request_parse(t->provider.first, unix_now(), &t->q, &e), 0);
}

static inline void stage_feedback(struct stage *t, struct peer *by, enum job_status status,
                                  const char *code) {
    struct job_feedback f = {.status = status, .phase = PHASE_BOOTING};

    memcpy(f.job, t->q.id, 32);
    snprintf(f.code, sizeof f.code, "%s", code);
    snprintf(f.text, sizeof f.text, "a sentence");
    peer_say(t, by, job_feedback_make(&f, by->key, t->q.customer, unix_now()));
}

static inline void stage_carry(struct stage *t, struct peer *by, const struct collateral *c) {
    struct rumor *part[COLLATERAL_PARTS];
    size_t n;

    assert_int_equal(
        collateral_make(c, t->q.id, by->key, t->q.customer, unix_now(), part, &n, NULL), 0);
    while (n) /* relays keep no order */
        peer_say(t, by, part[--n]);
}

static inline void stage_collateral(struct stage *t, struct peer *by) {
    struct collateral c = {0};
    struct view vek = psp_sim_vek(t->w.psp), ask = psp_sim_ask(t->w.psp),
                ark = psp_sim_ark(t->w.psp);

    buf_add(&c.vek, vek.p, vek.n);
    buf_add(&c.ask, ask.p, ask.n);
    buf_add(&c.ark, ark.p, ark.n);
    buf_add(&c.crl, t->w.crl.p, t->w.crl.n);
    stage_carry(t, by, &c);
    collateral_free(&c);
}

/* The report that guest g is given: over what the stage's world says was asked. */
static inline void stage_report(struct stage *t, const uint8_t *guest, const uint8_t *customer,
                                const uint8_t *nonce, const uint8_t *job) {
    memcpy(t->w.ev.guest, guest, 32);
    world_measure(&t->w);
    world_report(&t->w, customer, nonce, job, 0x30000);
}

static inline void stage_hello(struct stage *t, struct peer *g) {
    static const struct talk_handler h = {
        .send = peer_talk_send, .message = peer_talk_message, .broken = peer_talk_broken};
    struct hello hello = {.has_echo = true};
    cleanup_buf struct buf body = {0};

    if (!g->talk)
        g->talk = talk_new(TALK_GUEST, g->key, t->q.customer, t->q.id, &h, g);
    buf_add(&hello.report, t->w.report, sizeof t->w.report);
    memcpy(hello.echo_customer, t->w.ev.echo_customer, 32);
    memcpy(hello.echo_nonce, t->w.ev.echo_nonce, 32);
    memcpy(hello.echo_job, t->w.ev.echo_job, 32);
    hello_body(&hello, &body);
    assert_int_equal(talk_send(g->talk, "hello", buf_view(&body), g->hello_id, NULL), 0);
    hello_free(&hello);
}

static inline void stage_good_hello(struct stage *t, struct peer *g) {
    stage_report(t, keypair_pub(g->key), t->q.customer, t->q.nonce, t->q.id);
    stage_hello(t, g);
}

/* To READY with guest 0. more: as for stage_rent. */
static inline void stage_ready_with(struct stage *t, const struct session_conf *more) {
    struct err e;

    stage_rent(t, more);
    stage_feedback(t, &t->provider, JOB_PROCESSING, "");
    stage_collateral(t, &t->provider);
    stage_good_hello(t, &t->guest[0]);
    assert_true(stage_reach(t, SESSION_DECISION));
    if (session_accept(t->s, true, &e))
        fail_msg("%s", e.text);
    assert_true(stage_until(t, &t->guest[0].got_accept));
    assert_int_equal(
        talk_send(t->guest[0].talk, "ready", view_str("\"name\":\"table\",\"caps\":[]"), NULL, &e),
        0);
    assert_true(stage_until(t, &t->ready));
}

static inline void stage_ready(struct stage *t) {
    stage_ready_with(t, NULL);
}

#endif
