#include "session.h"

#include <string.h>
#include <sys/sysinfo.h>
#include "answers.h"
#include "core/binding.h"
#include "core/enc.h"
#include "core/hello.h"
#include "core/receipt.h"
#include "core/wrap.h"
#include "entropy.h"
#include "load.h"
#include "request.h"

#define TICK_IDLE_MS 250
#define AUTH_MAX 20
#define WRAP_GRACE (3600) /* seconds that relays keep a wrap after the job has expired */

enum stage {
    STAGE_JOB = 1,
    STAGE_REPORTING = 2,
    STAGE_OFFERED = 4,
    STAGE_TALKING = 8,
    STAGE_OVER = 16
};

struct session {
    const struct session_conf *conf;
    struct loop *loop;
    struct port *port;
    struct loop_timer *tick;
    enum stage stage;
    struct job_request q;
    struct keypair *me;
    struct wrap_keys *keys;
    struct talk *talk;
    struct blobs *blobs;
    struct xfer_in *files;
    struct answers *answers;
    struct load *load;
    struct workload *workload;
    struct buf ready; /* body of `ready`, once the workload has said it is */
    bool told_ready, dying;
    uint8_t hello_id[32], accept_id[32];
    const struct rumor *taking; /* the message in hand */
    struct {                    /* the rumor that began each file */
        uint8_t xid[16], id[32];
    } begun[XFER_OPEN_MAX];
    unsigned n_begun, n_auth;
    int64_t hello_at, stage_until, idle_until, lease_until; /* loop_now milliseconds; 0 = not set */
    char reason[32];
    uint8_t error;
};

/* --- the end --- */

/* Only the first call counts: what follows is a consequence. */
static void end(struct session *s, const char *reason, uint8_t error) {
    if (s->stage == STAGE_OVER)
        return;
    s->stage = STAGE_OVER;
    s->error = error;
    memcpy(s->reason, reason, strnlen(reason, sizeof s->reason - 1));
    loop_quit(s->loop);
}

static void on_broken_port(void *arg, const struct err *e) {
    end(arg, "error", strcmp(e->code, "bad-frame") ? CHAN_ERR_TIMEOUT : CHAN_ERR_FRAME);
}

static void send_receipt(struct session *s) {
    struct receipt r = {0};
    struct event *ev;
    struct err ignored;
    int rc;

    memcpy(r.job, s->q.id, 32);
    memcpy(r.hello, s->hello_id, 32);
    memcpy(r.accept, s->accept_id, 32);
    memcpy(r.reason, s->reason, sizeof r.reason);
    receipt_count(&r, s->talk);
    ev = receipt_make(&r, s->me, unix_now());
    rc = receipt_send(s->talk, ev, &ignored);
    (void)rc;
    event_free(ev);
}

static void wipe(struct session *s) {
    workload_free(s->workload);
    load_free(s->load);
    answers_free(s->answers);
    xfer_in_free(s->files);
    blobs_free(s->blobs);
    talk_free(s->talk);
    wrap_keys_free(s->keys);
    keypair_free(s->me);
    buf_wipe(&s->ready);
    loop_timer_del(s->tick);
    explicit_bzero(s, sizeof *s);
}

/* --- out --- */

static void send_event(struct session *s, const struct event *ev) {
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
        send_event(s, wrap);
    event_free(wrap);
}

static void say(struct session *s, const char *type, struct view body, uint8_t *id) {
    struct err e;

    if (talk_send(s->talk, type, body, id, &e))
        end(s, "error", CHAN_ERR_PROTOCOL);
}

/* --- what the customer says --- */

static void maybe_ready(struct session *s) {
    if (s->told_ready || !s->ready.n || s->stage != STAGE_TALKING)
        return;
    s->told_ready = true;
    say(s, "ready", buf_view(&s->ready), NULL);
    port_state(s->port, CHAN_READY);
}

static void on_accept(struct session *s, const struct talk_msg *m) {
    struct accept a;
    struct err e;

    if (accept_parse(m->o, &a, &e) || memcmp(a.hello, s->hello_id, 32)) {
        end(s, "error", CHAN_ERR_PROTOCOL);
        return;
    }
    memcpy(s->accept_id, m->rumor->f.id, 32);
    s->stage = STAGE_TALKING;
    s->stage_until = 0;
    s->lease_until = loop_now() + (int64_t)a.max_minutes * 60 * 1000;
    port_state(s->port, CHAN_ACCEPTED);
    maybe_ready(s);
}

static void on_end(struct session *s, const struct talk_msg *m) {
    (void)m;
    end(s, "end", 0);
}

static void on_ping(struct session *s, const struct talk_msg *m) {
    (void)m;
    say(s, "pong", view_of(NULL, 0), NULL);
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
    if (s->stage == STAGE_TALKING && xfer_in_take(s->files, m)) {
        answers_hold(s->answers, xfer_in_open(s->files) > 0);
        return;
    }
    for (size_t i = 0; i < COUNT(messages) && s->stage != STAGE_OVER; i++)
        if (!strcmp(m->type, messages[i].type) && (messages[i].early || s->told_ready))
            messages[i].run(s, m);
}

static void on_broken_talk(void *arg, const struct err *e) {
    (void)e;
    end(arg, "error", CHAN_ERR_PROTOCOL);
}

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
        end(s, "error", CHAN_ERR_WORKLOAD);
        return;
    }
    answers_fail(s->answers, e);
    s->dying = true; /* once the last answer is out */
}

static void start_workload(struct session *s) {
    struct contract_param params[JOB_PARAMS_MAX];
    cleanup_buf struct buf line = {0};

    for (size_t i = 0; i < s->q.n_params; i++)
        params[i] = (struct contract_param){s->q.params[i].key, s->q.params[i].value};
    contract_start(&line, params, s->q.n_params);
    workload_say(s->workload, buf_view(&line));
    answers_workload(s->answers, s->workload);
}

static void on_loaded(void *arg) {
    static const struct workload_handler h = {on_workload, on_workload_gone};
    struct session *s = arg;
    struct err e;

    s->workload = workload_start(s->loop, load_work(s->load), load_model(s->load), &h, s, &e);
    if (s->workload)
        start_workload(s);
    else
        end(s, "error", CHAN_ERR_WORKLOAD);
}

static void on_load_failed(void *arg, const struct err *e) {
    (void)e;
    end(arg, "error", CHAN_ERR_VOLUME);
}

/* --- key, report, hello --- */

static uint64_t files_max(void) {
    struct sysinfo si;
    uint64_t part = sysinfo(&si) ? 0 : (uint64_t)si.totalram * si.mem_unit / 4;

    return part && part < XFER_FILE_MAX ? part : XFER_FILE_MAX;
}

static void open_talk(struct session *s) {
    static const struct talk_handler th = {on_send, on_message, on_broken_talk};
    static const struct xfer_in_handler xh = {
        .begin = on_file_begin, .file = on_file, .failed = on_file_failed, .want = on_want};
    static const struct blobs_handler bh = {on_blob, on_blob_lost, on_blob_stored};
    const char *pace = job_param(&s->q, "pace");

    s->keys = wrap_keys_new(s->me);
    s->talk = talk_new(TALK_GUEST, s->me, s->q.customer, s->q.id, &th, s);
    s->files = xfer_in_new(files_max(), &xh, s);
    s->blobs = blobs_new(s->port, &bh, s);
    s->answers = answers_new(s->talk, s->blobs, pace && !strcmp(pace, "free"));
}

/* The evidence is out: from here on the customer decides. */
static void send_hello(struct session *s, struct view report) {
    static const struct load_handler lh = {on_loaded, on_load_failed};
    struct hello h = {.report = {0}};
    cleanup_buf struct buf body = {0};

    buf_add(&h.report, report.p, report.n);
    memcpy(h.echo_customer, s->q.customer, 32);
    memcpy(h.echo_nonce, s->q.nonce, 32);
    memcpy(h.echo_job, s->q.id, 32);
    hello_body(&h, &body);
    hello_free(&h);
    s->stage = STAGE_OFFERED;
    say(s, "hello", buf_view(&body), s->hello_id);
    port_state(s->port, CHAN_ATTESTED);
    s->hello_at = loop_now() + SESSION_HELLO_MS;
    s->stage_until = loop_now() + SESSION_ACCEPT_MS;
    s->load = load_start(s->loop, s->conf->cmdline, &lh, s);
}

static void ask_report(struct session *s) {
    cleanup_buf struct buf report = {0};
    uint8_t data[64];
    struct err e;
    int rc;

    binding_report_data(keypair_pub(s->me), s->q.customer, s->q.nonce, s->q.id, view_of(NULL, 0),
                        data);
    rc = report_get(&s->conf->report, data, &report, &e);
    s->stage = STAGE_REPORTING;
    s->stage_until = loop_now() + SESSION_REPORT_MS;
    if (rc < 0)
        end(s, "error", CHAN_ERR_REPORT);
    else if (rc)
        send_hello(s, buf_view(&report));
    else
        port_send(s->port, CHAN_REPORT_REQ, view_of(data, sizeof data));
}

/* --- frames --- */

static int take_job(struct session *s, struct view payload, struct err *e) {
    int64_t time;

    if (request_parse(payload, &s->q, &time, e)) {
        end(s, "error", CHAN_ERR_JOB);
        return 0;
    }
    if (s->conf->set_clock)
        s->conf->set_clock(time);
    s->me = entropy_keypair(s->q.nonce, e);
    if (!s->me) {
        end(s, "error", CHAN_ERR_ENTROPY);
        return 0;
    }
    open_talk(s);
    port_state(s->port, CHAN_KEYED);
    ask_report(s);
    return 0;
}

static int take_report(struct session *s, struct view payload, struct err *e) {
    (void)e;
    if (payload.n == REPORT_LEN)
        send_hello(s, payload);
    else
        end(s, "error", CHAN_ERR_REPORT);
    return 0;
}

/* What relays deliver may be anything; only a wrap to us that holds the customer's word counts. */
static int take_event(struct session *s, struct view payload, struct err *e) {
    struct event *ev = event_parse(payload, e);
    struct rumor *r = NULL;
    int rc;

    if (ev && (ev->f.kind == KIND_WRAP || ev->f.kind == KIND_WRAP_EPHEMERAL))
        r = wrap_open(ev, s->me, s->keys, e);
    if (r && !memcmp(r->f.pubkey, s->q.customer, 32)) {
        rc = talk_take(s->talk, r, e);
        (void)rc;
    }
    rumor_free(r);
    event_free(ev);
    return 0;
}

static int take_auth(struct session *s, struct view payload, struct err *e) {
    struct fields f = fields_new(KIND_AUTH, unix_now(), view_of(NULL, 0));
    cleanup_buf struct buf json = {0}, frame = {0};
    struct chan_auth a;
    struct event *ev;
    cleanup_free char *challenge = NULL;

    if (chan_auth_parse(payload, &a, e) || !chan_challenge_ok(a.body) || a.relay >= s->q.n_relays ||
        ++s->n_auth > AUTH_MAX) {
        fields_free(&f);
        return err_set(e, "bad-frame", "the host asks for a signature that it may not have");
    }
    challenge = mem_strn(a.body.p, a.body.n);
    fields_add(&f, "relay", s->q.relays[a.relay]);
    fields_add(&f, "challenge", challenge);
    ev = event_sign(&f, s->me);
    event_json(ev, &json);
    event_free(ev);
    if (chan_put_auth(&frame, a.relay, buf_view(&json), e))
        return -1;
    port_send_bytes(s->port, buf_view(&frame));
    return 0;
}

static int take_blob(struct session *s, struct view payload, struct err *e) {
    return blobs_take_data(s->blobs, payload, e);
}

static int take_blob_status(struct session *s, struct view payload, struct err *e) {
    return blobs_take_status(s->blobs, payload, e);
}

static int take_shutdown(struct session *s, struct view payload, struct err *e) {
    (void)payload, (void)e;
    end(s, "lease", 0);
    return 0;
}

#define KEYED (STAGE_REPORTING | STAGE_OFFERED | STAGE_TALKING)

static const struct {
    enum chan_type type;
    unsigned stages;
    int (*take)(struct session *s, struct view payload, struct err *e);
} frames[] = {
    {CHAN_JOB, STAGE_JOB, take_job},
    {CHAN_REPORT, STAGE_REPORTING, take_report},
    {CHAN_EVENT, KEYED, take_event},
    {CHAN_AUTH, KEYED, take_auth},
    {CHAN_BLOB_DATA, STAGE_TALKING, take_blob},
    {CHAN_BLOB_STATUS, STAGE_TALKING, take_blob_status},
    {CHAN_SHUTDOWN, STAGE_JOB | KEYED, take_shutdown},
};

static void on_frame(void *arg, const struct chan_frame *f) {
    struct session *s = arg;
    struct err e;

    if (s->stage == STAGE_OVER)
        return;
    for (size_t i = 0; i < COUNT(frames); i++)
        if (frames[i].type == f->type && frames[i].stages & (unsigned)s->stage) {
            if (frames[i].take(s, f->payload, &e))
                end(s, "error", CHAN_ERR_FRAME);
            return;
        }
    end(s, "error", CHAN_ERR_FRAME);
}

static void on_drained(void *arg) {
    struct session *s = arg;

    if (s->blobs)
        blobs_pump(s->blobs);
}

/* --- time --- */

static bool passed(int64_t deadline, int64_t now) {
    return deadline && now >= deadline;
}

static void check_deadlines(struct session *s, int64_t now) {
    if (passed(s->stage_until, now))
        end(s, "timeout", CHAN_ERR_TIMEOUT);
    else if (s->stage == STAGE_TALKING && passed(s->idle_until, now))
        end(s, "idle", 0);
    else if (passed(s->lease_until, now))
        end(s, "lease", 0);
    else if (s->dying && answers_idle(s->answers))
        end(s, "error", CHAN_ERR_WORKLOAD);
}

static void on_tick(void *arg) {
    struct session *s = arg;
    int64_t now = loop_now();

    if (s->talk) {
        talk_tick(s->talk, now);
        answers_tick(s->answers, now);
    }
    if (s->stage == STAGE_OFFERED && now >= s->hello_at) {
        talk_resend(s->talk, 0);
        s->hello_at = now + SESSION_HELLO_MS;
    }
    check_deadlines(s, now);
    loop_timer_set(
        s->tick, now + (s->answers && !answers_idle(s->answers) ? ANSWERS_TICK_MS : TICK_IDLE_MS));
}

uint8_t session_run(struct loop *l, const struct session_conf *conf) {
    static const struct port_handler h = {on_frame, on_drained, on_broken_port};
    struct session s = {.conf = conf, .loop = l, .port = conf->port, .stage = STAGE_JOB};
    uint8_t error;

    s.stage_until = loop_now() + SESSION_JOB_MS;
    s.tick = loop_timer_add(l, loop_now() + TICK_IDLE_MS, on_tick, &s);
    port_watch(s.port, l, &h, &s);
    loop_run(l);
    if (s.talk && s.lease_until)
        send_receipt(&s);
    error = s.error;
    port_state(s.port, error ? (enum chan_state)error : CHAN_WIPING);
    wipe(&s);
    port_flush(conf->port, SESSION_FLUSH_MS);
    return error;
}
