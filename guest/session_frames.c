#include "session_priv.h"

#include <string.h>

#define AUTH_MAX 20

static int take_job(struct session *s, struct view payload, struct err *e) {
    (void)e;
    session_brief(s, payload);
    return 0;
}

static int take_report(struct session *s, struct view payload, struct err *e) {
    (void)e;
    session_report(s, payload);
    return 0;
}

/* What relays deliver may be anything; only a wrap to us that holds the customer's word counts, and
 * while the key of a sealed model is due, its owner's. */
static int take_event(struct session *s, struct view payload, struct err *e) {
    struct event *ev = event_parse(payload, e);
    const bool wrap = ev && (ev->f.kind == KIND_WRAP || ev->f.kind == KIND_WRAP_EPHEMERAL);
    struct rumor *r = NULL;

    if (wrap && s->stage == STAGE_KEYING)
        session_key_event(s, ev);
    else if (wrap)
        r = wrap_open(ev, s->me, s->keys, e);
    if (r && !memcmp(r->f.pubkey, s->q.customer, 32))
        (void)!talk_take(s->talk, r, e);
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
    session_stop(s, "lease", 0);
    return 0;
}

#define KEYED (STAGE_PROVING | STAGE_KEYING | STAGE_REPORTING | STAGE_OFFERED | STAGE_TALKING)

static const struct {
    enum chan_type type;
    unsigned stages;
    int (*take)(struct session *s, struct view payload, struct err *e);
} frames[] = {
    {CHAN_JOB, STAGE_JOB, take_job},
    {CHAN_REPORT, STAGE_KEYING | STAGE_REPORTING, take_report},
    {CHAN_EVENT, KEYED, take_event},
    {CHAN_AUTH, KEYED, take_auth},
    {CHAN_BLOB_DATA, STAGE_TALKING, take_blob},
    {CHAN_BLOB_STATUS, STAGE_TALKING, take_blob_status},
    {CHAN_SHUTDOWN, STAGE_JOB | KEYED, take_shutdown},
};

void session_frame(struct session *s, const struct chan_frame *f) {
    struct err e;

    if (s->stage == STAGE_OVER)
        return;
    for (size_t i = 0; i < COUNT(frames); i++)
        if (frames[i].type == f->type && frames[i].stages & (unsigned)s->stage) {
            if (frames[i].take(s, f->payload, &e))
                session_stop(s, "error", CHAN_ERR_FRAME);
            return;
        }
    session_stop(s, "error", CHAN_ERR_FRAME);
}
