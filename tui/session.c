/* A session's life: states, deadlines, opening and wiping. */
#include "session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/loop.h"

#define TICK_MS 250
#define PING_MS 30000
#define LINGER_MS 3000 /* the last words get this long to reach a relay */

static const char *const names[] = {
    [SESSION_REQUESTED] = "requested", [SESSION_STARTING] = "starting",
    [SESSION_VERIFYING] = "verifying", [SESSION_DECISION] = "decision",
    [SESSION_ACCEPTED] = "accepted",   [SESSION_READY] = "ready",
    [SESSION_ENDING] = "ending",       [SESSION_ENDED] = "ended",
    [SESSION_REFUSED] = "refused",     [SESSION_FAILED] = "failed",
};

const char *session_state_name(enum session_state s) {
    return names[s];
}

bool session_state_final(enum session_state s) {
    return s >= SESSION_ENDED;
}

/* Every legal move; what is not here does not happen. */
static const struct {
    enum session_state from;
    enum session_input in;
    enum session_state to;
} moves[] = {
    {SESSION_REQUESTED, IN_ANSWERED, SESSION_STARTING},
    {SESSION_REQUESTED, IN_HELLO, SESSION_VERIFYING},
    {SESSION_REQUESTED, IN_QUIT, SESSION_ENDED},
    {SESSION_REQUESTED, IN_ERROR, SESSION_FAILED},
    {SESSION_STARTING, IN_HELLO, SESSION_VERIFYING},
    {SESSION_STARTING, IN_QUIT, SESSION_ENDED},
    {SESSION_STARTING, IN_ERROR, SESSION_FAILED},
    {SESSION_VERIFYING, IN_ASK, SESSION_DECISION},
    {SESSION_VERIFYING, IN_ACCEPT, SESSION_ACCEPTED},
    {SESSION_VERIFYING, IN_DENY, SESSION_REFUSED},
    {SESSION_VERIFYING, IN_QUIT, SESSION_ENDED},
    {SESSION_VERIFYING, IN_ERROR, SESSION_FAILED},
    {SESSION_DECISION, IN_ACCEPT, SESSION_ACCEPTED},
    {SESSION_DECISION, IN_DENY, SESSION_REFUSED},
    {SESSION_DECISION, IN_QUIT, SESSION_REFUSED},
    {SESSION_DECISION, IN_ERROR, SESSION_FAILED},
    {SESSION_ACCEPTED, IN_READY, SESSION_READY},
    {SESSION_ACCEPTED, IN_END, SESSION_ENDING},
    {SESSION_ACCEPTED, IN_ERROR, SESSION_FAILED},
    {SESSION_READY, IN_END, SESSION_ENDING},
    {SESSION_READY, IN_ERROR, SESSION_FAILED},
    {SESSION_ENDING, IN_DONE, SESSION_ENDED},
    {SESSION_ENDING, IN_ERROR, SESSION_ENDED},
};

/* How long each state may last, counted from its beginning; in READY, from the guest's last word.
 */
static const struct limit {
    enum session_state state;
    int ms;
    const char *code, *text;
} limits[] = {
    {SESSION_REQUESTED, 60000, "no-answer",
     "the provider did not answer; is it running, and on one of your relays?"},
    {SESSION_STARTING, 900000, "no-hello", "no guest came up in time"},
    {SESSION_DECISION, 600000, "accept-expired", "nobody decided while the guest waited"},
    {SESSION_ACCEPTED, 600000, "no-ready", "the guest was accepted but never became ready"},
    {SESSION_READY, 300000, "guest-silent", "nothing was heard of the guest for five minutes"},
    {SESSION_ENDING, 60000, "no-receipt", "the guest did not send its receipt in time"},
};

void session_emit(struct session *s, struct session_event *ev) {
    ev->state = s->state;
    s->fn(s->arg, ev);
}

void session_notice(struct session *s, const char *code, const char *text) {
    struct session_event ev = {.type = SE_NOTICE, .code = code, .text = view_str(text)};

    session_emit(s, &ev);
}

static const struct limit *limit_of(enum session_state state) {
    for (size_t i = 0; i < COUNT(limits); i++)
        if (limits[i].state == state)
            return &limits[i];
    return NULL;
}

bool session_step(struct session *s, enum session_input in, const struct err *why) {
    struct session_event ev = {.type = SE_STATE, .from = s->state, .why = why};
    size_t i;

    for (i = 0; i < COUNT(moves); i++)
        if (moves[i].from == s->state && moves[i].in == in)
            break;
    if (i == COUNT(moves))
        return false;
    s->state = moves[i].to;
    s->entered = s->heard = loop_now();
    keep_changed(s);
    if (session_state_final(s->state))
        keep_end(s);
    if (why && s->state != SESSION_ENDED)
        s->why = *why;
    session_emit(s, &ev);
    return true;
}

/* --- the end --- */

/* -1 with e when one of them cannot be told. */
static int send_end(struct session *s, const char *reason, struct err *e) {
    cleanup_buf struct buf body = {0};
    struct jw w = jw_new(&body);
    int rc = 0;

    jw_kstr(&w, "reason", reason);
    for (size_t i = 0; i < s->n_cand; i++)
        if (!s->accepted || &s->cand[i] == s->guest)
            rc |= talk_send(s->cand[i].talk, "end", buf_view(&body), NULL, e);
    return rc;
}

/* Before a guest is accepted: whoever said hello may go home at once; where nobody did, the seller
 * need not wait. */
static void dismiss(struct session *s, const char *reason) {
    struct err e;

    if (s->accepted)
        return;
    if (s->n_cand > 0 ? send_end(s, reason, &e) : outbox_cancel(s->out, &e))
        session_notice(s, e.code, e.text);
}

/* Whatever went wrong, a guest that can still be told wipes itself now and not when it has idled
 * for long enough. */
void session_fail(struct session *s, const struct err *why) {
    struct err copy = *why, e; /* why may be ours */

    if (!session_state_final(s->state) && s->state != SESSION_ENDING)
        (void)!send_end(s, "error", &e);
    (void)session_step(s, IN_ERROR, &copy);
}

void session_deny(struct session *s, const struct err *why) {
    dismiss(s, "refused");
    (void)session_step(s, IN_DENY, why);
}

static void session_close(struct session *s) {
    struct session_event ev = {.type = SE_CLOSED};

    s->closed = true;
    loop_timer_set(s->tick, -1);
    if (s->asking)
        browse_cancel(s->c.browse);
    s->asking = false;
    items_free(s);
    fetches_free(s);
    xfer_in_free(s->in);
    s->in = NULL;
    session_keep_ids(s);
    candidates_free(s);
    pool_free(s->pool);
    s->pool = NULL;
    outbox_free(s->out);
    s->out = NULL;
    keypair_free(s->u);
    s->u = NULL;
    session_emit(s, &ev);
}

static void tick_final(struct session *s, int64_t now) {
    if (outbox_pending(s->out) == 0 || now - s->entered >= LINGER_MS)
        session_close(s);
}

/* --- time --- */

static int limit_ms(const struct session *s, const struct limit *l) {
    if (s->state == SESSION_REQUESTED && s->c.answer_ms)
        return s->c.answer_ms;
    if (s->state == SESSION_STARTING && s->c.hello_ms)
        return s->c.hello_ms;
    if (s->state == SESSION_DECISION)
        return (int)offer_accept_ms(s->offer);
    return l->ms;
}

static void overdue(struct session *s, const struct limit *l) {
    struct err e;

    if (s->state == SESSION_ENDING) {
        receipt_try(s, true);
        if (!s->receipt)
            session_notice(s, l->code, l->text);
        (void)session_step(s, IN_DONE, NULL);
        return;
    }
    err_set(&e, l->code, "%s", l->text);
    dismiss(s, "refused");
    if (s->accepted)
        session_fail(s, &e);
    else
        (void)session_step(s, IN_ERROR, &e);
}

static void tick_deadline(struct session *s, int64_t now) {
    const struct limit *l = limit_of(s->state);
    int64_t from = s->state == SESSION_READY ? s->heard : s->entered;

    if (l && now - from >= limit_ms(s, l))
        overdue(s, l);
}

static void tick_guest(struct session *s, int64_t now) {
    struct err e;

    talk_tick(s->guest->talk, now);
    if (s->state == SESSION_ENDING)
        keep_tick(s, now);
    if (s->state != SESSION_ACCEPTED && s->state != SESSION_READY)
        return;
    if (now - s->pinged >= PING_MS) {
        s->pinged = now;
        if (talk_send(s->guest->talk, "ping", (struct view){0}, NULL, &e))
            session_notice(s, e.code, e.text);
    }
    sent_tick(s);
    items_step(s);
    keep_tick(s, now);
}

static void on_tick(void *arg) {
    struct session *s = arg;
    int64_t now = loop_now();

    loop_timer_set(s->tick, now + TICK_MS);
    if (session_state_final(s->state)) {
        tick_final(s, now);
        return;
    }
    session_recheck(s);
    if (s->accepted)
        tick_guest(s, now);
    if (s->state == SESSION_VERIFYING)
        session_try_verify(s);
    if (s->state == SESSION_ENDING)
        receipt_try(s, false);
    tick_deadline(s, now);
}

/* --- the beginning --- */

static int check_conf(const struct session_conf *c, const struct offer *o, struct err *e) {
    if (c->n_relays < 1)
        return err_set(e, "no-relay", "no relay is configured");
    if (c->n_params > JOB_PARAMS_MAX)
        return err_set(e, "bad-request", "more than %d parameters", JOB_PARAMS_MAX);
    if (o->price_msat > 0)
        return err_set(e, "unsupported",
                       "this offer costs %llu msat per %s, and this version cannot pay",
                       (unsigned long long)o->price_msat, o->price_unit);
    return 0;
}

static bool offer_serves(const struct offer *o, const char *url) {
    cleanup_free char *want = relay_url_normal(url);

    for (size_t i = 0; i < o->n_relays && want; i++) {
        cleanup_free char *have = relay_url_normal(o->relays[i]);

        if (have && !strcmp(have, want))
            return true;
    }
    return o->n_relays == 0;
}

/* A job runs on relays that both sides named: the user's own, as far as the offer has them. */
static int choose_relays(struct session *s, struct err *e) {
    for (size_t i = 0; i < s->c.n_relays && s->q.n_relays < JOB_RELAYS_MAX; i++)
        if (offer_serves(s->offer, s->c.relays[i]))
            text_clip(s->q.relays[s->q.n_relays++], sizeof s->q.relays[0], s->c.relays[i]);
    if (!s->q.n_relays)
        return err_set(e, "no-relay",
                       "the seller serves customers on '%s', which is not among your relays",
                       s->offer->relays[0]);
    return 0;
}

static void fill_request(struct session *s, const struct opening *op) {
    int64_t life = (s->c.max_minutes + 60) * INT64_C(60);

    s->q.kind = s->offer->job_kind;
    memcpy(s->q.provider, s->offer->pubkey, 32);
    memcpy(s->q.offer, s->offer->id, 32);
    memcpy(s->q.nonce, op->nonce, sizeof s->q.nonce);
    memcpy(s->q.introduction, op->introduction, sizeof s->q.introduction);
    s->q.expires = unix_now() + (life < JOB_EXPIRES_MAX ? life : JOB_EXPIRES_MAX - 60);
    s->q.max_msat = s->c.max_msat;
    if (s->c.n_params)
        memcpy(s->q.params, s->c.params, s->c.n_params * sizeof *s->c.params);
    s->q.n_params = s->c.n_params;
}

int session_open_pool(struct session *s, struct err *e) {
    cleanup_free char *u = hex_new(view_of(keypair_pub(s->u), 32));
    cleanup_free char *filter = mem_fmt("{\"kinds\":[1059,21059],\"#p\":[\"%s\"]}", u);

    s->pool = pool_new(s->c.net, s->u, &session_pool_handler, s);
    for (size_t i = 0; i < s->q.n_relays; i++)
        if (pool_add(s->pool, s->q.relays[i], e))
            return -1;
    return pool_subscribe(s->pool, "inbox", filter, e);
}

static int open_job(struct session *s, const struct offer *o, struct opening *op, struct err *e) {
    s->offer_event = event_parse(view_str(o->json), e);
    s->offer = s->offer_event ? offer_parse(s->offer_event, e) : NULL;
    if (!s->offer)
        return -1;
    if (choose_relays(s, e))
        return -1;
    s->u = op->u;
    op->u = NULL;
    fill_request(s, op);
    s->request = job_request_make(&s->q, s->u, unix_now(), e);
    if (!s->request || session_open_pool(s, e))
        return -1;
    s->out = outbox_new(s->pool, s->u, &s->q);
    return outbox_request(s->out, s->request, e);
}

struct session *session_blank(const struct session_conf *c, session_fn *fn, void *arg) {
    struct session *s = mem_new(sizeof *s);

    s->c = *c;
    s->c.opening = NULL;
    s->policy = *c->policy;
    if (!s->c.max_minutes)
        s->c.max_minutes = 60;
    s->fn = fn;
    s->arg = arg;
    s->entered = s->heard = loop_now();
    s->tick = loop_timer_add(ws_loop(c->net), loop_now() + TICK_MS, on_tick, s);
    buf_init(&s->messages, MESSAGES_KEPT);
    s->in = xfer_in_new(XFER_FILE_MAX, &session_xfer_handler, s);
    return s;
}

struct session *session_new(const struct session_conf *c, const struct offer *o, session_fn *fn,
                            void *arg, struct err *e) {
    struct opening *op = c->opening ? c->opening : opening_new();
    struct session *s = check_conf(c, o, e) ? NULL : session_blank(c, fn, arg);

    if (s && open_job(s, o, op, e)) {
        session_free(s);
        s = NULL;
    }
    opening_free(op);
    if (s)
        session_fetch_manifests(s);
    return s;
}

static void ignore_event(void *arg, const struct session_event *ev) {
    (void)arg;
    (void)ev;
}

void session_free(struct session *s) {
    if (!s)
        return;
    s->fn = ignore_event;
    if (!s->closed)
        session_close(s);
    keep_end(s);
    saved_free(s->saved);
    buf_free(&s->ready);
    buf_free(&s->confirmed);
    loop_timer_del(s->tick);
    for (size_t i = 0; i < s->n_sent; i++) {
        buf_wipe(&s->sent[i]->long_text);
        free(s->sent[i]);
    }
    free(s->sent);
    if (s->guest) {
        rumor_free(s->guest->hello);
        buf_free(&s->guest->gpu);
    }
    verdict_free(s->verdict);
    rumor_free(s->request);
    rumor_free(s->accept);
    collateral_set_free(&s->coll);
    buf_free(&s->release);
    buf_free(&s->workload);
    buf_free(&s->model);
    event_free(s->receipt);
    buf_wipe(&s->messages);
    free(s->ids[TALK_IN]);
    free(s->ids[TALK_OUT]);
    event_free(s->teardown);
    event_free(s->offer_event);
    offer_free(s->offer);
    explicit_bzero(s, sizeof *s);
    free(s);
}

/* --- what a person does --- */

void session_refuse(struct session *s) {
    struct err e;

    if (s->state != SESSION_DECISION)
        return;
    err_set(&e, "refused-by-you", "you did not accept this guest");
    session_deny(s, &e);
}

void session_end(struct session *s) {
    struct err e;

    if (s->state == SESSION_DECISION) {
        session_refuse(s);
        return;
    }
    if (s->state == SESSION_ACCEPTED || s->state == SESSION_READY) {
        if (send_end(s, "end", &e))
            session_fail(s, &e);
        else
            (void)session_step(s, IN_END, NULL);
        return;
    }
    if (!session_state_final(s->state))
        dismiss(s, "end");
    (void)session_step(s, IN_QUIT, NULL);
}

/* --- looking --- */

enum session_state session_state(const struct session *s) {
    return s->state;
}
const struct offer *session_offer(const struct session *s) {
    return s->offer;
}
const struct job_request *session_request(const struct session *s) {
    return &s->q;
}
const struct verdict *session_verdict(const struct session *s) {
    return s->verdict;
}
const uint8_t *session_guest(const struct session *s) {
    return s->guest ? s->guest->key : NULL;
}
const struct err *session_why(const struct session *s) {
    return &s->why;
}
