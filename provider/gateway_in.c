/* What a guest sends, one function a frame type. A guest is hostile to this host: what is not
 * exactly allowed breaks the channel. */
#include <string.h>

#include "core/enc.h"
#include "core/log.h"
#include "core/wrap.h"
#include "gateway_priv.h"

static int take_event(struct gateway *g, struct view payload, struct err *e) {
    struct event *ev;
    struct waiting *w = gateway_free_waiting(g);

    if (payload.n > EVENT_MAX)
        return err_set(e, "bad-frame", "the guest's event has %zu bytes", payload.n);
    ev = event_parse(payload, e);
    if (!ev)
        return err_wrap(e, "the guest's event");
    if (ev->f.kind != KIND_WRAP && ev->f.kind != KIND_WRAP_EPHEMERAL) {
        err_set(e, "bad-frame", "the guest wants to publish kind %u", ev->f.kind);
        event_free(ev);
        return -1;
    }
    if (pool_publish(g->pool, ev, e) < 0) {
        log_line(LOG_WARN, "gateway", "no relay takes the guest's event: %s", e->text);
    } else if (w) {
        memcpy(w->id, ev->f.id, 32);
        w->until = loop_now() + GATE_WAITING_MS;
    }
    g->tokens -= 1000;
    g->stats.events_out++;
    event_free(ev);
    return 0;
}

static int check_auth(const struct gateway *g, size_t i, const struct event *ev, struct err *e) {
    const char *challenge = fields_get(&ev->f, "challenge", 1);
    const char *relay = fields_get(&ev->f, "relay", 1);
    cleanup_free char *said = relay ? relay_url_normal(relay) : NULL;
    cleanup_free char *have = relay_url_normal(g->relays[i]);

    if (ev->f.kind != KIND_AUTH || !challenge || strcmp(challenge, g->challenge[i]))
        return err_set(e, "bad-frame", "the guest's AUTH does not answer the challenge");
    if (!said || !have || strcmp(said, have))
        return err_set(e, "bad-frame", "the guest's AUTH names another relay");
    if (g->known && memcmp(ev->f.pubkey, g->guest, 32))
        return err_set(e, "bad-frame", "the guest's AUTH is signed with another key than before");
    return 0;
}

static void learned(struct gateway *g, const uint8_t key[static 32]) {
    char hex[65];
    cleanup_free char *filter = NULL;
    struct err e;

    g->known = true;
    memcpy(g->guest, key, 32);
    hex_encode(view_of(key, 32), hex);
    filter = mem_fmt("{\"kinds\":[%d,%d],\"#p\":[\"%s\"]}", KIND_WRAP, KIND_WRAP_EPHEMERAL, hex);
    if (pool_subscribe(g->pool, "guest", filter, &e) < 0)
        log_line(LOG_WARN, "gateway", "cannot subscribe for the guest: %s", e.text);
    g->h.guest(g->arg, g->guest);
}

/* An answer goes to its relay while that still waits for it: not one to a challenge of our own, nor
 * one that has been replaced since. Then what was asked meanwhile is passed on. */
static void use_auth(struct gateway *g, size_t i, const struct event *ev) {
    struct relay *r = pool_find(g->pool, g->relays[i]);
    const char *newest = r ? relay_challenge(r) : NULL;
    struct err e;

    g->asked[i] = false;
    if (newest && !strcmp(newest, g->challenge[i]) && relay_auth(r, ev, &e) < 0)
        log_line(LOG_WARN, "gateway", "AUTH was not sent: %s", e.text);
    if (!g->known)
        learned(g, ev->f.pubkey);
    for (size_t k = 0; k < g->n_relays; k++)
        gateway_ask_newest(g, k);
}

static int take_auth(struct gateway *g, struct view payload, struct err *e) {
    struct chan_auth a;
    struct event *ev;
    int rc;

    if (chan_auth_parse(payload, &a, e) < 0)
        return -1;
    if (a.relay >= g->n_relays || !g->asked[a.relay])
        return err_set(e, "bad-frame", "the guest sent an AUTH that nobody asked for");
    ev = event_parse(a.body, e);
    if (!ev)
        return err_wrap(e, "the guest's AUTH");
    rc = check_auth(g, a.relay, ev, e);
    if (rc == 0)
        use_auth(g, a.relay, ev);
    event_free(ev);
    return rc;
}

static int take_blob_put(struct gateway *g, struct view payload, struct err *e) {
    int rc = gateblob_put(g->blobs, payload, e);

    gateway_flush(g);
    return rc;
}

static int take_blob_get(struct gateway *g, struct view payload, struct err *e) {
    int rc = gateblob_get(g->blobs, payload, e);

    gateway_flush(g);
    return rc;
}

static int take_state(struct gateway *g, struct view payload, struct err *e) {
    if (payload.n != 1 || ++g->states > GATE_STATES_MAX)
        return err_set(e, "bad-frame", "the guest's STATE number %u has %zu bytes", g->states,
                       payload.n);
    g->h.state(g->arg, payload.p[0]);
    return 0;
}

static int take_report_req(struct gateway *g, struct view payload, struct err *e) {
    uint8_t report[GATEWAY_REPORT];

    if (payload.n != 64 || ++g->reports > GATE_REPORTS_MAX)
        return err_set(e, "bad-frame", "the guest asks for reports in a way that is not allowed");
    if (g->h.report(g->arg, payload.p, report) == 0)
        gateway_send(g, CHAN_REPORT, view_of(report, sizeof report));
    else
        gateway_send(g, CHAN_REPORT, view_of(NULL, 0));
    return 0;
}

/* Before JOB a guest has nothing to say but its state; types that are not here are the host's. */
static const struct {
    enum chan_type type;
    bool before_job;
    int (*take)(struct gateway *g, struct view payload, struct err *e);
} takes[] = {
    {CHAN_EVENT, false, take_event},       {CHAN_AUTH, false, take_auth},
    {CHAN_BLOB_PUT, false, take_blob_put}, {CHAN_BLOB_GET, false, take_blob_get},
    {CHAN_STATE, true, take_state},        {CHAN_REPORT_REQ, false, take_report_req},
};

int gateway_take(struct gateway *g, const struct chan_frame *f, struct err *e) {
    for (size_t i = 0; i < COUNT(takes); i++)
        if (takes[i].type == f->type && (g->briefed || takes[i].before_job))
            return takes[i].take(g, f->payload, e);
    return err_set(e, "bad-frame",
                   "the guest sent a frame of type %d, which is not its to send now", (int)f->type);
}
