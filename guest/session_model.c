/* The session while the key of a sealed model is due (modelkey.h). */
#include "session_priv.h"

static void on_wrap(void *arg, const struct event *wrap) {
    session_send_event(arg, wrap);
}

static void on_report(void *arg, const uint8_t data[64]) {
    session_ask_report(arg, data);
}

/* The exchange is still running here: it is freed by session_key_event. */
static void on_key(void *arg, struct secret *key) {
    struct session *s = arg;

    s->model_key = key;
    s->had_model_key = true;
}

void session_ask_key(struct session *s) {
    static const struct modelkey_handler h = {on_wrap, on_report, on_key};
    const struct modelkey_subject subject = {
        .cmdline = s->conf->cmdline,
        .request = &s->q,
        .guest = s->me,
        .gpu_digest = session_gpu_digest(s),
        .gpu_json = session_gpu_json(s),
    };

    s->stage = STAGE_KEYING;
    s->stage_until = loop_now() + SESSION_KEY_MS;
    s->asking = modelkey_new(&subject, &h, s);
}

/* With the key in hand, its owner is forgotten before hello. */
void session_key_event(struct session *s, const struct event *wrap) {
    modelkey_event(s->asking, wrap);
    if (!s->model_key || s->stage != STAGE_KEYING)
        return;
    modelkey_free(s->asking);
    s->asking = NULL;
    session_attest(s);
}

/* The host may answer only what was asked. */
void session_key_report(struct session *s, struct view report) {
    if (modelkey_wants_report(s->asking))
        modelkey_report(s->asking, report);
    else
        session_stop(s, "error", CHAN_ERR_FRAME);
}
