#include "session_priv.h"

#include <string.h>
#include "core/hello.h"

#define WRAP_GRACE 3600 /* seconds that relays keep a wrap after the job has expired */

/* --- out --- */

void session_send_event(struct session *s, const struct event *ev) {
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    port_send(s->port, CHAN_EVENT, buf_view(&json));
}

/* Wraps to the customer, whoever asks: there is no other recipient. */
static void on_send(void *arg, const struct rumor *r, bool stored) {
    struct session *s = arg;
    struct event *wrap =
        wrap_make(r, s->me, s->keys, s->q.customer, stored ? KIND_WRAP : KIND_WRAP_EPHEMERAL,
                  unix_now(), stored ? s->q.expires + WRAP_GRACE : 0, NULL);

    if (wrap)
        session_send_event(s, wrap);
    event_free(wrap);
}

void session_say(struct session *s, const char *type, struct view body, uint8_t *id) {
    struct err e;

    if (talk_send(s->talk, type, body, id, &e))
        session_stop(s, "error", CHAN_ERR_PROTOCOL);
}

/* --- what the customer says --- */

static void maybe_ready(struct session *s) {
    if (s->told_ready || !s->ready.n || s->stage != STAGE_TALKING)
        return;
    s->told_ready = true;
    session_say(s, "ready", buf_view(&s->ready), NULL);
    port_state(s->port, CHAN_READY);
}

static void on_accept(struct session *s, const struct talk_msg *m) {
    struct accept a;
    struct err e;

    if (accept_parse(m->o, &a, &e) || memcmp(a.hello, s->hello_id, 32)) {
        session_stop(s, "error", CHAN_ERR_PROTOCOL);
        return;
    }
    memcpy(s->accept_id, m->rumor->f.id, 32);
    s->stage = STAGE_TALKING;
    s->stage_until = 0;
    s->lease_until = loop_now() + (int64_t)a.max_minutes * 60 * 1000;
    port_state(s->port, CHAN_ACCEPTED);
    session_open_gpus(s);
    maybe_ready(s);
}

static void on_end(struct session *s, const struct talk_msg *m) {
    (void)m;
    session_stop(s, "end", 0);
}

static void on_ping(struct session *s, const struct talk_msg *m) {
    (void)m;
    session_say(s, "pong", view_of(NULL, 0), NULL);
}

static void on_text(struct session *s, const struct talk_msg *m) {
    answers_ask(s->answers, m->rumor->f.id, view_of(m->rumor->f.content, m->rumor->f.content_len));
}

static void on_cancel(struct session *s, const struct talk_msg *m) {
    uint8_t id[32];

    if (json_hex(m->o, "e", id, sizeof id, NULL))
        answers_cancel(s->answers, id);
}

static const struct {
    const char *type;
    bool early; /* before accept */
    void (*run)(struct session *s, const struct talk_msg *m);
} messages[] = {
    {"accept", true, on_accept}, {"end", true, on_end},        {"ping", true, on_ping},
    {"text", false, on_text},    {"cancel", false, on_cancel},
};

static void on_message(void *arg, const struct talk_msg *m) {
    struct session *s = arg;

    s->idle_until = loop_now() + SESSION_IDLE_MS;
    s->taking = m->rumor;
    if (s->told_ready && s->stage == STAGE_TALKING && xfer_in_take(s->files, m)) {
        answers_hold(s->answers, xfer_in_open(s->files) > 0);
        return;
    }
    for (size_t i = 0; i < COUNT(messages) && s->stage != STAGE_OVER; i++)
        if (!strcmp(m->type, messages[i].type) && (messages[i].early || s->told_ready))
            messages[i].run(s, m);
    loop_timer_set(s->tick, loop_now()); /* what it brings is begun at once */
}

static void on_broken_talk(void *arg, const struct err *e) {
    (void)e;
    session_stop(arg, "error", CHAN_ERR_PROTOCOL);
}

/* The host reads no faster than relays take events. */
static bool on_busy(void *arg) {
    const struct session *s = arg;

    return port_queued(s->port) > 0;
}

const struct talk_handler session_talk_handler = {on_send, on_message, on_broken_talk, on_busy};

/* --- files in --- */

static void on_file_begin(void *arg, const struct xfer_meta *m) {
    struct session *s = arg;
    unsigned i = s->n_begun++ % XFER_OPEN_MAX;

    memcpy(s->begun[i].xid, m->xid, 16);
    memcpy(s->begun[i].id, s->taking->f.id, 32);
}

/* The rumor that a complaint about a file is an answer to. */
static const uint8_t *file_rumor(const struct session *s, const struct xfer_meta *m) {
    for (unsigned i = 0; i < XFER_OPEN_MAX; i++)
        if (!memcmp(s->begun[i].xid, m->xid, 16))
            return s->begun[i].id;
    return s->q.id;
}

static void on_file(void *arg, const struct xfer_meta *m, struct view data) {
    struct session *s = arg;

    answers_file(s->answers, file_rumor(s, m), m, data);
}

static void on_file_failed(void *arg, const struct xfer_meta *m, const struct err *e) {
    struct session *s = arg;

    answers_refuse(s->answers, file_rumor(s, m), e);
}

static void on_want(void *arg, const uint8_t sha256[static 32], uint64_t max) {
    struct session *s = arg;

    blobs_get(s->blobs, sha256, max);
}

static void on_blob(void *arg, const uint8_t sha256[static 32], struct view data) {
    struct session *s = arg;

    xfer_in_blob(s->files, sha256, data);
    answers_hold(s->answers, xfer_in_open(s->files) > 0);
}

static void on_blob_lost(void *arg, const uint8_t sha256[static 32], const struct err *e) {
    struct session *s = arg;

    xfer_in_blob_failed(s->files, sha256, e);
    answers_hold(s->answers, xfer_in_open(s->files) > 0);
}

static void on_blob_stored(void *arg, const uint8_t sha256[static 32], bool ok) {
    struct session *s = arg;

    answers_stored(s->answers, sha256, ok);
}

const struct xfer_in_handler session_file_handler = {
    .begin = on_file_begin, .file = on_file, .failed = on_file_failed, .want = on_want};
const struct blobs_handler session_blob_handler = {on_blob, on_blob_lost, on_blob_stored};

/* --- the workload --- */

static void keep_ready(struct session *s, const struct contract_msg *m) {
    struct jw w = jw_new(&s->ready);

    if (s->ready.n)
        return;
    jw_kstr(&w, "name", m->name);
    jw_key(&w, "caps");
    jw_json(&w, m->caps);
    maybe_ready(s);
}

static void on_workload(void *arg, const struct contract_msg *m) {
    struct session *s = arg;

    if (m->type == CONTRACT_READY)
        keep_ready(s, m);
    else
        answers_message(s->answers, m);
}

static void on_workload_gone(void *arg, const struct err *e) {
    struct session *s = arg;

    if (!s->told_ready) {
        session_stop(s, "error", CHAN_ERR_WORKLOAD);
        return;
    }
    answers_fail(s->answers, e);
    s->dying = true; /* once the last answer is out */
}

static void tell_params(struct session *s) {
    struct contract_param params[JOB_PARAMS_MAX];
    cleanup_buf struct buf line = {0};

    for (size_t i = 0; i < s->q.n_params; i++)
        params[i] = (struct contract_param){s->q.params[i].key, s->q.params[i].value};
    contract_start(&line, params, s->q.n_params);
    workload_say(s->workload, buf_view(&line));
    answers_workload(s->answers, s->workload);
}

void session_start_workload(struct session *s) {
    static const struct workload_handler h = {on_workload, on_workload_gone};
    const struct workload_place at = {.root = load_work(s->load),
                                      .model = load_model(s->load),
                                      .gpus = s->conf->gpus ? gpus_count(s->conf->gpus) : 0};
    struct err e;

    if (!s->loaded || (s->conf->gpus && !s->gpus_open))
        return;
    s->workload = workload_start(s->loop, &at, &h, s, &e);
    if (s->workload)
        tell_params(s);
    else
        session_stop(s, "error", CHAN_ERR_WORKLOAD);
}

static void on_loaded(void *arg) {
    struct session *s = arg;

    s->loaded = true;
    session_start_workload(s);
}

static void on_load_failed(void *arg, const struct err *e) {
    session_stop(arg, "error", strcmp(e->code, "model-key") ? CHAN_ERR_VOLUME : CHAN_ERR_KEY);
}

const struct load_handler session_load_handler = {on_loaded, on_load_failed};
