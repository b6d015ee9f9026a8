/* From hello to verdict to accept. */
#include "session_priv.h"

#include <string.h>
#include <time.h>

#include "attest/carried.h"
#include "core/enc.h"
#include "core/hello.h"
#include "core/loop.h"
#include "core/release.h"

#define COLLATERAL_MS 20000 /* patience for the provider's certificates, the guest's GPUs */
#define MANIFESTS_MS 8000   /* patience for relays to answer about manifests */
#define OPEN_MAX 64         /* ids of checks named in accept */

/* --- manifests --- */

static bool complete(const struct session *s) {
    return s->release.n && s->workload.n && (!strcmp(s->offer->model, "none") || s->model.n);
}

/* Those at hand. */
static void load_manifests(struct session *s) {
    const struct offer *o = s->offer;
    const struct wanted_volume work = {false, o->workload_name, o->workload},
                               model = {true, o->model_name, o->model};
    const struct pins *p = &s->c.trust->pins;

    (void)!manifest_load(o->release, &s->release, NULL);
    (void)!manifest_load_volume(p, &work, &s->workload, NULL);
    if (strcmp(o->model, "none") != 0)
        (void)!manifest_load_volume(p, &model, &s->model, NULL);
}

static bool names_volume(struct view content, bool model, const char *volume) {
    struct manifest *m = manifest_parse(content, model, NULL);
    char text[VOLUME_TEXT];

    if (!m)
        return false;
    volume_text(&m->volume, text);
    manifest_free(m);
    return strcmp(text, volume) == 0;
}

/* The manifest is about this offer, and is what its x tag says. */
static bool concerns(const struct session *s, const struct event *ev) {
    struct view content = view_of(ev->f.content, ev->f.content_len);
    uint8_t x[32], digest[32];

    manifest_digest(content, digest);
    if (!hex_decode_str(fields_get(&ev->f, "x", 1), x, 32) || memcmp(x, digest, 32) != 0)
        return false;
    return !memcmp(digest, s->offer->release, 32) ||
           names_volume(content, false, s->offer->workload) ||
           names_volume(content, true, s->offer->model);
}

static bool by_pinned(const struct session *s, const struct event *ev) {
    const struct pins *p = &s->c.trust->pins;

    for (size_t i = 0; i < p->n_endorsers; i++)
        if (!memcmp(p->endorser[i], ev->f.pubkey, 32))
            return true;
    return false;
}

static void on_manifest(void *arg, const struct event *ev) {
    struct session *s = arg;
    struct err e;

    /* All that a pinned key says is kept: a newer word of its, or an empty one, takes back an
     * older. */
    if (by_pinned(s, ev))
        trust_add(s->c.trust, ev);
    if (!concerns(s, ev))
        return;
    if (manifest_save(view_of(ev->f.content, ev->f.content_len), &e))
        session_notice(s, e.code, e.text);
}

static void on_manifests_done(void *arg, unsigned answers) {
    struct session *s = arg;

    s->asking = false;
    s->answers = answers;
    s->asked = true;
    s->manifests_settled = true;
    load_manifests(s);
    session_try_verify(s);
}

void session_fetch_manifests(struct session *s) {
    struct browse_query q = {on_manifest, on_manifests_done, s};
    const struct pins *pins = &s->c.trust->pins;

    load_manifests(s);
    if (s->c.browse && (!complete(s) || pins->n_endorsers))
        s->asking = browse_manifests(s->c.browse, s->offer, pins->endorser, pins->n_endorsers, &q,
                                     NULL) == 0;
    s->manifests_settled = !s->asking;
}

/* --- accept --- */

static void write_ids(struct jw *w, const struct verdict *v) {
    const struct check *open[OPEN_MAX];
    size_t n = verdict_open(v, open, OPEN_MAX);

    jw_key(w, "ids");
    jw_arr(w);
    for (size_t i = 0; i < n && i < OPEN_MAX; i++)
        jw_str(w, open[i]->id);
    jw_end_arr(w);
}

static void write_verdict(const struct session *s, struct buf *out) {
    const struct verdict *v = s->verdict;
    struct jw w = jw_new(out);

    jw_obj(&w);
    jw_kstr(&w, "state", check_state_name(verdict_state(v)));
    jw_kbool(&w, "simulated", verdict_simulated(v));
    jw_kstr(&w, "policy", policy_profile_name(s->policy.profile));
    write_ids(&w, v);
    jw_end_obj(&w);
}

static int accept_send(struct session *s, struct err *e) {
    cleanup_buf struct buf body = {0}, verdict = {0};
    struct accept a = {.now = verdict_as_of(s->verdict), .max_minutes = s->c.max_minutes};

    write_verdict(s, &verdict);
    a.verdict = buf_view(&verdict);
    memcpy(a.hello, verdict_hello(s->verdict), 32);
    accept_body(&a, &body);
    s->accepted = true; /* from here what the talk sends goes to the verdict's guest */
    s->pinged = loop_now();
    if (talk_send(s->guest->talk, "accept", buf_view(&body), NULL, e)) {
        s->accepted = false;
        return -1;
    }
    (void)session_step(s, IN_ACCEPT, NULL);
    session_release_held(s);
    return 0;
}

/* A guest that was accepted before this program died is not told so again. */
static int accept_now(struct session *s, struct err *e) {
    if (!s->saved)
        return accept_send(s, e);
    saved_go(s);
    return 0;
}

int session_confirm(struct session *s, const char *check_id, bool remembered, struct err *e) {
    if (s->state != SESSION_DECISION)
        return err_set(e, "not-now", "there is nothing to confirm now");
    if (verdict_confirm(s->verdict, check_id, remembered, e))
        return -1;
    buf_fmt(&s->confirmed, "%s\n", check_id);
    return 0;
}

int session_accept(struct session *s, bool simulated_ok, struct err *e) {
    if (s->state != SESSION_DECISION)
        return err_set(e, "not-now", "there is nothing to accept now");
    if (s->c.look_only)
        return err_set(e, "look-only",
                       "look-only is set: guests are verified, and never accepted (cdvm.conf)");
    if (!verdict_allows(s->verdict))
        return err_set(e, "not-allowed", "the verdict has warnings that are not confirmed");
    if (verdict_simulated(s->verdict) && !simulated_ok)
        return err_set(e, "not-allowed", "say that you know that this machine is simulated");
    s->simulated_ok = simulated_ok;
    return accept_now(s, e);
}

/* --- verdict --- */

/* What the guest says of itself; a hello that does not parse is one without a report. */
static void evidence_fill(struct evidence *ev, const struct candidate *c, const struct hello *h) {
    memcpy(ev->guest, c->key, 32);
    memcpy(ev->hello, c->hello->f.id, 32);
    ev->report = buf_view(&h->report);
    ev->gpu = h->gpu;
    ev->n_gpu = h->n_gpu;
    ev->gpu_unreadable = h->gpu_error.code[0] ? h->gpu_error.text : NULL;
    ev->has_echo = h->has_echo;
    memcpy(ev->echo_customer, h->echo_customer, 32);
    memcpy(ev->echo_nonce, h->echo_nonce, 32);
    memcpy(ev->echo_job, h->echo_job, 32);
}

static struct expect expectations(const struct session *s) {
    struct expect x = {.request = &s->q,
                       .offer = s->offer,
                       .release = buf_view(&s->release),
                       .workload = buf_view(&s->workload),
                       .model = buf_view(&s->model),
                       .pins = s->c.trust->pins,
                       .sim_roots = (const uint8_t(*)[32])s->c.trust->sim_root,
                       .n_sim_roots = s->c.trust->n_sim_roots};

    x.pins.asked = s->asked;
    x.pins.n_answers = s->answers;
    return x;
}

static bool passes(const struct verdict *v) {
    return verdict_state(v) == CHECK_PASS || verdict_state(v) == CHECK_WARN;
}

/* What a provider shows counts as met once it passed. */
static void learn(struct session *s) {
    const struct expect x = expectations(s);
    struct err e;

    if (trust_learn(s->c.trust, passes(s->verdict) ? &x : NULL, verdict_chip(s->verdict),
                    unix_now(), &e))
        session_notice(s, e.code, e.text);
}

static struct verdict *verify(struct session *s, const struct candidate *c) {
    const struct expect x = expectations(s);
    struct evidence ev = {0};
    struct collateral col;
    struct carried carried = {0};
    struct verdict *v;
    struct hello hello = {0};
    struct msg m;
    struct err e;

    s->words = x.pins.n_endorsements;
    if (msg_parse(c->hello, &m, &e) || hello_parse(m.o, &hello, &e))
        session_notice(s, e.code, e.text);
    if (hello.gpu_follows && c->gpu.n)
        hello_gpu_file(&hello, buf_view(&c->gpu));
    if (collateral_set_read(&s->coll, &col, &e))
        session_notice(s, e.code, e.text);
    evidence_fill(&ev, c, &hello);
    carried_add(&carried, &col);
    v = evidence_verify(&ev, &carried.snp, &carried.gpu, &x, &s->policy, unix_now());
    collateral_free(&col);
    hello_free(&hello);
    msg_free(&m);
    return v;
}

/* The first hello that passes; where none does, the first is what is shown and refused. */
static void choose(struct session *s) {
    for (size_t i = 0; i < s->n_cand; i++) {
        struct verdict *v = verify(s, &s->cand[i]);
        struct verdict *worse = v;

        if (!s->verdict || passes(v)) {
            worse = s->verdict;
            s->verdict = v;
            s->guest = &s->cand[i];
        }
        verdict_free(worse);
        if (passes(s->verdict))
            return;
    }
}

/* The first leaf that is as bad as the whole, for the one-line reason. */
static const struct check *worst(const struct check *c, enum check_state state) {
    if (c->n_children == 0)
        return c->state == state && (state != CHECK_NOT_CHECKED || c->required) ? c : NULL;
    for (size_t i = 0; i < c->n_children; i++) {
        const struct check *w = worst(c->child[i], state);

        if (w)
            return w;
    }
    return NULL;
}

/* "bind" says which part of the report data is wrong, where the report's own check only says that.
 */
static const struct check *reason(const struct verdict *v, enum check_state state) {
    const struct check *bind = verdict_find(v, "bind"), *c = bind ? worst(bind, state) : NULL;

    return c ? c : worst(verdict_tree(v), state);
}

static void deny(struct session *s, const struct verdict *v) {
    enum check_state state = verdict_state(v);
    const struct check *c = reason(v, state);
    struct err e;

    err_set(&e, c ? c->id : "verdict", "%s: %s", check_state_name(state), c ? c->why : "refused");
    if (s->accepted)
        session_fail(s, &e);
    else
        session_deny(s, &e);
}

/* What is learned later, a revocation, stops a job that runs. */
void session_recheck(struct session *s) {
    struct verdict *v;

    if (!s->verdict || session_state_final(s->state) || s->state == SESSION_ENDING ||
        s->words == s->c.trust->pins.n_endorsements)
        return;
    v = verify(s, s->guest);
    learn(s);
    if (verdict_state(v) == CHECK_FAIL)
        deny(s, v);
    verdict_free(v);
}

static void decide(struct session *s) {
    enum check_state state = verdict_state(s->verdict);
    struct err e;

    if (s->state != SESSION_VERIFYING) /* the person left while looking at it */
        return;
    if (s->saved && saved_confirm(s, &e))
        session_notice(s, e.code, e.text);
    if (state == CHECK_FAIL || state == CHECK_NOT_CHECKED) {
        deny(s, s->verdict);
    } else if (verdict_allows(s->verdict) && !s->c.look_only &&
               (!verdict_simulated(s->verdict) || (s->saved && s->simulated_ok))) {
        if (accept_now(s, &e))
            session_fail(s, &e);
    } else {
        (void)session_step(s, IN_ASK, NULL);
    }
}

static uint64_t micros_now(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool all_here(const struct session *s) {
    for (size_t i = 0; i < s->n_cand; i++)
        if (s->cand[i].gpu_awaited)
            return false;
    return collateral_set_whole(&s->coll);
}

static bool patient(const struct session *s) {
    int64_t waited = loop_now() - s->entered;

    return (!all_here(s) && waited < COLLATERAL_MS) ||
           (!s->manifests_settled && waited < MANIFESTS_MS);
}

void session_try_verify(struct session *s) {
    struct session_event ev = {.type = SE_VERDICT};
    uint64_t began;

    if (s->state != SESSION_VERIFYING || s->verdict || patient(s))
        return;
    began = micros_now();
    choose(s);
    ev.done = micros_now() - began;
    learn(s);
    ev.verdict = s->verdict;
    session_emit(s, &ev);
    decide(s);
    session_show_seconds(s);
}
