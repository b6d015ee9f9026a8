#include "session_priv.h"

#include <string.h>
#include "core/receipt.h"

#define TICK_IDLE_MS 250

void session_stop(struct session *s, const char *reason, uint8_t error) {
    if (s->stage == STAGE_OVER)
        return;
    s->stage = STAGE_OVER;
    s->error = error;
    memcpy(s->reason, reason, strnlen(reason, sizeof s->reason - 1));
    loop_quit(s->loop);
}

static void on_broken_port(void *arg, const struct err *e) {
    session_stop(arg, "error", strcmp(e->code, "bad-frame") ? CHAN_ERR_TIMEOUT : CHAN_ERR_FRAME);
}

static void send_receipt(struct session *s) {
    struct receipt r = {0};
    struct event *ev;
    struct err ignored;

    memcpy(r.job, s->q.id, 32);
    memcpy(r.hello, s->hello_id, 32);
    memcpy(r.accept, s->accept_id, 32);
    memcpy(r.reason, s->reason, sizeof r.reason);
    r.model_key = s->had_model_key;
    receipt_count(&r, s->talk);
    ev = receipt_make(&r, s->me, unix_now());
    (void)!receipt_send(s->talk, ev, &ignored);
    event_free(ev);
}

static void wipe(struct session *s) {
    modelkey_free(s->asking);
    secret_free(s->model_key);
    workload_free(s->workload);
    session_close_gpus(s);
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

/* --- time --- */

static bool passed(int64_t deadline, int64_t now) {
    return deadline && now >= deadline;
}

static void check_deadlines(struct session *s, int64_t now) {
    if (passed(s->stage_until, now))
        session_stop(s, "timeout", s->stage == STAGE_KEYING ? CHAN_ERR_KEY : CHAN_ERR_TIMEOUT);
    else if (s->stage == STAGE_TALKING && passed(s->idle_until, now))
        session_stop(s, "idle", 0);
    else if (passed(s->lease_until, now))
        session_stop(s, "lease", 0);
    else if (s->dying && answers_idle(s->answers))
        session_stop(s, "error", CHAN_ERR_WORKLOAD);
}

static void on_tick(void *arg) {
    struct session *s = arg;
    int64_t now = loop_now();

    if (s->talk) {
        talk_tick(s->talk, now);
        answers_tick(s->answers, now);
    }
    if (s->stage == STAGE_KEYING)
        modelkey_tick(s->asking, now);
    if (s->stage == STAGE_OFFERED && now >= s->hello_at) {
        talk_resend(s->talk, 0);
        s->hello_at = now + SESSION_HELLO_MS;
    }
    check_deadlines(s, now);
    loop_timer_set(
        s->tick, now + (s->answers && !answers_idle(s->answers) ? ANSWERS_TICK_MS : TICK_IDLE_MS));
}

static void on_frame(void *arg, const struct chan_frame *f) {
    session_frame(arg, f);
}

static void on_drained(void *arg) {
    struct session *s = arg;

    if (s->blobs)
        blobs_pump(s->blobs);
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
