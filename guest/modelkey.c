#include "modelkey.h"

#include <string.h>
#include "core/binding.h"
#include "core/loop.h"
#include "core/modelkey.h"

enum step { ASKED, REPORTING, SHOWN, DONE };

struct modelkey {
    struct modelkey_subject s;
    struct wrap_keys *keys;
    struct modelkey_handler h;
    void *arg;
    enum step step;
    uint8_t nonce[32];  /* Nk */
    struct rumor *last; /* what K has not answered */
    int64_t again;
};

static void send_last(struct modelkey *k) {
    int64_t now = unix_now();
    struct event *wrap = wrap_make(k->last, k->s.guest, k->keys, k->s.cmdline->broker, KIND_WRAP,
                                   now, now + MODELKEY_LIFE_S, NULL);

    if (wrap)
        k->h.send(k->arg, wrap);
    event_free(wrap);
    k->again = loop_now() + MODELKEY_AGAIN_MS;
}

static void say(struct modelkey *k, const char *type, struct view body) {
    rumor_free(k->last);
    k->last = msg_make(type, k->s.request->id, body, k->s.guest, k->s.cmdline->broker, unix_now());
    if (k->last)
        send_last(k);
}

/* --- what K says --- */

static void take_nonce(struct modelkey *k, const struct msg *m) {
    uint8_t data[64];

    if (key_nonce_parse(m->o, k->nonce, NULL))
        return;
    k->step = REPORTING;
    binding_model_data(keypair_pub(k->s.guest), k->s.cmdline->broker, k->nonce,
                       k->s.cmdline->model.root, k->s.gpu_digest, data);
    k->h.report(k->arg, data);
}

static void take_key(struct modelkey *k, const struct msg *m) {
    struct secret *key = key_parse(m->o, NULL);

    if (!key)
        return;
    k->step = DONE;
    k->h.got(k->arg, key);
}

static const struct {
    const char *type;
    enum step due;
    void (*take)(struct modelkey *k, const struct msg *m);
} answers[] = {{"key_nonce", ASKED, take_nonce}, {"key", SHOWN, take_key}};

static void take(struct modelkey *k, const struct rumor *r) {
    struct msg m;

    if (memcmp(r->f.pubkey, k->s.cmdline->broker, 32) || msg_parse(r, &m, NULL))
        return;
    for (size_t i = 0; i < COUNT(answers); i++)
        if (k->step == answers[i].due && !strcmp(m.type, answers[i].type) &&
            !memcmp(m.job, k->s.request->id, 32)) {
            answers[i].take(k, &m);
            break;
        }
    msg_free(&m);
}

void modelkey_event(struct modelkey *k, const struct event *wrap) {
    struct rumor *r = wrap_open(wrap, k->s.guest, k->keys, NULL);

    if (!r)
        return;
    take(k, r);
    explicit_bzero(r->f.content, r->f.content_len);
    rumor_free(r);
}

/* --- what K is shown --- */

bool modelkey_wants_report(const struct modelkey *k) {
    return k->step == REPORTING;
}

void modelkey_report(struct modelkey *k, struct view report) {
    struct key_evidence ev = {.work = k->s.cmdline->work, .gpu_json = k->s.gpu_json};
    cleanup_buf struct buf body = {0};

    buf_add(&ev.report, report.p, report.n);
    memcpy(ev.nonce, k->s.request->nonce, 32);
    key_evidence_body(&ev, &body);
    key_evidence_free(&ev);
    k->step = SHOWN;
    say(k, "key_evidence", buf_view(&body));
}

void modelkey_tick(struct modelkey *k, int64_t now_ms) {
    if (k->last && (k->step == ASKED || k->step == SHOWN) && now_ms >= k->again)
        send_last(k);
}

struct modelkey *modelkey_new(const struct modelkey_subject *s, const struct modelkey_handler *h,
                              void *arg) {
    struct modelkey *k = mem_new(sizeof *k);
    cleanup_buf struct buf body = {0};

    *k = (struct modelkey){.s = *s, .h = *h, .arg = arg, .step = ASKED};
    k->keys = wrap_keys_new(s->guest);
    key_ask_body(s->cmdline->model.root, &body);
    say(k, "key_ask", buf_view(&body));
    return k;
}

void modelkey_free(struct modelkey *k) {
    if (!k)
        return;
    wrap_keys_free(k->keys);
    rumor_free(k->last);
    explicit_bzero(k, sizeof *k);
    cleanup_free_fn(&k);
}
