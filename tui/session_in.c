/* What comes in for U: who may say what (cdvm-protocol(7), "Who may speak"). */
#include "session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/loop.h"

static bool of_job(const struct session *s, const uint8_t job[static 32]) {
    return memcmp(job, s->q.id, 32) == 0;
}

/* --- the provider --- */

static void on_feedback(struct session *s, const struct rumor *r) {
    struct session_event ev = {.type = SE_PHASE};
    struct job_feedback f;
    struct err e;

    if (job_feedback_parse(r, &f, &e) || !of_job(s, f.job))
        return;
    if (f.status == JOB_ERROR) {
        err_set(&e, f.code, "the provider says: %s", f.text[0] ? f.text : f.code);
        session_fail(s, &e);
        return;
    }
    if (f.status == JOB_PAYMENT_REQUIRED) {
        err_set(&e, "unsupported", "the provider asks for payment, and this version cannot pay");
        session_fail(s, &e);
        return;
    }
    (void)session_step(s, IN_ANSWERED, NULL);
    ev.phase = f.status == JOB_SUCCESS ? PHASE_DONE : f.phase;
    if (ev.phase <= s->phase) /* relays deliver in any order: what is past is no news */
        return;
    s->phase = ev.phase;
    ev.text = view_str(f.text);
    session_emit(s, &ev);
}

static void on_collateral(struct session *s, const struct rumor *r, const struct msg *m) {
    if (collateral_set_add(&s->coll, r, m))
        session_try_verify(s);
}

static void on_teardown(struct session *s, const struct msg *m) {
    struct session_event ev = {.type = SE_TEARDOWN};
    struct teardown t;
    struct event *signed_by_p;
    struct err e;

    if (s->teardown || !(signed_by_p = receipt_event(m->o, &e)))
        return;
    if (memcmp(signed_by_p->f.pubkey, s->offer->pubkey, 32) != 0 ||
        teardown_parse(signed_by_p, &t, &e) || !of_job(s, t.job)) {
        event_free(signed_by_p);
        return;
    }
    s->teardown = signed_by_p;
    ev.teardown = &t;
    session_emit(s, &ev);
}

static void from_provider(struct session *s, const struct rumor *r) {
    struct msg m;

    if (r->f.kind == KIND_FEEDBACK) {
        on_feedback(s, r);
        return;
    }
    if (msg_parse(r, &m, NULL))
        return;
    if (of_job(s, m.job) && !strcmp(m.type, "collateral"))
        on_collateral(s, r, &m);
    else if (of_job(s, m.job) && !strcmp(m.type, "teardown"))
        on_teardown(s, &m);
    msg_free(&m);
}

/* --- guests --- */

static void talk_to(void *arg, const struct rumor *r, bool stored) {
    struct candidate *c = arg;
    struct session *s = c->s;
    struct err e;
    int rc;

    if (s->accepted && !s->accept)
        s->accept = rumor_copy(r);
    if (s->accepted && c == s->guest)
        session_log_out(s, r);
    if (s->accepted && c == s->guest && stored)
        keep_before(s, r);
    if (s->accepted && c == s->guest)
        rc = outbox_user_data(s->out, s->verdict, r, stored, &e);
    else
        rc = outbox_control(s->out, c->key, r, &e);
    if (rc)
        session_notice(s, e.code, e.text);
}

static void talk_said(void *arg, const struct talk_msg *m) {
    struct candidate *c = arg;

    if (!c->s->accepted || c != c->s->guest)
        return;
    session_log_in(c->s, m);
    session_message(c->s, m);
    keep_taken(c->s);
}

static void talk_ended(void *arg, const struct err *why) {
    struct candidate *c = arg;

    if (c == c->s->guest)
        session_fail(c->s, why);
}

static bool talk_waits(void *arg) {
    const struct candidate *c = arg;

    return pool_backlog(c->s->pool) > 0;
}

const struct talk_handler session_candidate_talk = {talk_to, talk_said, talk_ended, talk_waits};

static struct candidate *candidate_find(struct session *s, const uint8_t key[static 32]) {
    for (size_t i = 0; i < s->n_cand; i++)
        if (!memcmp(s->cand[i].key, key, 32))
            return &s->cand[i];
    return NULL;
}

static bool is_hello(const struct session *s, const struct rumor *r) {
    struct msg m;
    bool yes;

    if (msg_parse(r, &m, NULL))
        return false;
    yes = !strcmp(m.type, "hello") && of_job(s, m.job) && m.seq == 0;
    msg_free(&m);
    return yes;
}

/* What keeping it costs: tags hold as much as content may. */
static size_t rumor_size(const struct rumor *r) {
    size_t n = sizeof *r + r->f.content_len;

    for (size_t i = 0; i < r->f.n_tags; i++)
        for (size_t j = 0; j < r->f.tags[i].n; j++)
            n += sizeof(char *) + strlen(r->f.tags[i].v[j]) + 1;
    return n;
}

static bool room_for(struct session *s, const struct rumor *r) {
    size_t n = rumor_size(r);

    if (s->cand_bytes + n > CANDIDATE_BYTES)
        return false;
    s->cand_bytes += n;
    return true;
}

static void show_second(struct session *s, const uint8_t key[static 32]) {
    struct session_event ev = {.type = SE_NOTICE,
                               .code = "second-guest",
                               .text = view_str("another machine answered for this job after a "
                                                "guest was chosen; it was refused"),
                               .id = key};

    for (size_t i = 0; i < s->n_second; i++)
        if (!memcmp(s->second[i], key, 32)) /* shown already */
            return;
    if (s->n_second == COUNT(s->second)) /* a crowd is not let push everything else away */
        return;
    memcpy(s->second[s->n_second++], key, 32);
    session_emit(s, &ev);
}

void session_show_seconds(struct session *s) {
    for (size_t i = 0; i < s->n_cand; i++)
        if (&s->cand[i] != s->guest)
            show_second(s, s->cand[i].key);
}

static void candidate_add(struct session *s, const struct rumor *hello) {
    struct candidate *c = &s->cand[s->n_cand];

    if (s->n_cand == CANDIDATES_MAX || !room_for(s, hello))
        return;
    *c = (struct candidate){.s = s};
    memcpy(c->key, hello->f.pubkey, 32);
    c->hello = rumor_copy(hello);
    c->talk = talk_new(TALK_CUSTOMER, s->u, c->key, s->q.id, &session_candidate_talk, c);
    if (talk_take(c->talk, hello, NULL)) {
        talk_free(c->talk);
        rumor_free(c->hello);
        return;
    }
    c->gpu_awaited = candidate_gpu_awaited(c);
    s->n_cand++;
    (void)session_step(s, IN_HELLO, NULL);
    session_try_verify(s);
}

/* A candidate that goes on talking: kept unread until it is accepted. */
static void hold(struct session *s, struct candidate *c, const struct rumor *r) {
    if (!memcmp(r->f.id, c->hello->f.id, 32) || c->n_held == HELD_MAX || !room_for(s, r))
        return;
    c->held[c->n_held++] = rumor_copy(r);
    candidate_gpu_collect(c);
    session_try_verify(s);
}

static void from_guest(struct session *s, const struct rumor *r) {
    struct err e;

    s->heard = loop_now();
    if (talk_take(s->guest->talk, r, &e) && !session_state_final(s->state))
        session_notice(s, e.code, e.text);
}

static void from_stranger(struct session *s, const struct rumor *r) {
    struct candidate *c = candidate_find(s, r->f.pubkey);

    if (s->guest && c != s->guest) {
        if (is_hello(s, r))
            show_second(s, r->f.pubkey);
    } else if (c) {
        hold(s, c, r);
    } else if (is_hello(s, r)) {
        candidate_add(s, r);
    }
}

void session_release_held(struct session *s) {
    struct candidate *c = s->guest;

    for (size_t i = 0; i < c->n_held; i++) {
        from_guest(s, c->held[i]);
        rumor_free(c->held[i]);
    }
    c->n_held = 0;
}

void candidates_free(struct session *s) {
    for (size_t i = 0; i < s->n_cand; i++) {
        struct candidate *c = &s->cand[i];

        talk_free(c->talk);
        c->talk = NULL;
        while (c->n_held)
            rumor_free(c->held[--c->n_held]);
        if (c != s->guest) { /* the guest's evidence goes into the bundle */
            rumor_free(c->hello);
            buf_free(&c->gpu);
            c->hello = NULL;
        }
    }
}

/* --- the pool --- */

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct session *s = arg;
    struct rumor *r;

    (void)sub;
    (void)url;
    if (session_state_final(s->state))
        return;
    r = wrap_open(ev, s->u, outbox_keys(s->out), NULL); /* anybody can send rubbish: no notice */
    if (!r)
        return;
    if (!memcmp(r->f.pubkey, s->offer->pubkey, 32))
        from_provider(s, r);
    else if (s->accepted && !memcmp(r->f.pubkey, s->guest->key, 32))
        from_guest(s, r);
    else
        from_stranger(s, r);
    explicit_bzero(r->f.content, r->f.content_len);
    rumor_free(r);
}

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct session *s = arg;
    cleanup_free char *text = NULL;

    outbox_ok(s->out, id, ok, msg);
    if (ok || strncmp(msg, "mute", 4) == 0)
        return;
    text = mem_fmt("%s refused a message: %s", url, msg);
    session_notice(s, "relay-refused", text);
}

static bool none_left(const struct session *s) {
    for (size_t i = 0; i < pool_count(s->pool); i++) {
        enum relay_state st = relay_state(pool_at(s->pool, i));

        if (st == RELAY_UP || st == RELAY_CONNECTING)
            return false;
    }
    return true;
}

/* Once per outage. */
static void on_state(void *arg) {
    struct session *s = arg;
    bool none = none_left(s);

    if (none && !s->cut_off && !session_state_final(s->state))
        session_notice(s, "relay-down", "no relay is connected; trying again");
    s->cut_off = none;
}

const struct pool_handler session_pool_handler = {
    .event = on_event, .ok = on_ok, .state = on_state};
