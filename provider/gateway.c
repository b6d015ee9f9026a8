#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/json.h"
#include "core/log.h"
#include "core/pool.h"
#include "core/text.h"
#include "core/wrap.h"
#include "gateblob.h"
#include "gateway.h"

#define OUT_MAX ((size_t)4 << 20) /* bytes that wait for the guest to read */
#define OUT_EVENTS                                                                                 \
    ((size_t)2 << 20) /* over this, events from the world are dropped: talk asks again */
#define OUT_BLOBS ((size_t)512 << 10) /* under this, the next piece of a blob is sent */
#define AUTH_MAX 20
#define REPORTS_MAX 4
#define WAITING 128      /* events that no relay has confirmed yet; full: the guest is not read */
#define WAITING_MS 10000 /* then forgotten: ephemeral events may never be confirmed */
#define RATE_PER_S 60    /* events of the guest, on average... */
#define RATE_BURST 400   /* ...and at once */
#define RETRY_MS 100

struct waiting {
    uint8_t id[32];
    int64_t until; /* 0: free */
};
struct gateway {
    struct loop *loop;
    struct gateway_handler h;
    void *arg;
    int fd;
    struct loop_fd *watch;
    struct loop_timer *timer; /* while paused, and while finishing */
    struct chan_in in;
    struct buf out;
    struct pool *pool;
    struct gateblob *blobs;
    struct rumor *request;
    char relays[GATEWAY_RELAYS][256];
    size_t n_relays;
    char challenge[GATEWAY_RELAYS][129]; /* asked and not yet answered; "" none */
    unsigned auths, reports;
    bool briefed, deaf, paused, known, finishing;
    uint8_t guest[32];
    struct waiting waiting[WAITING];
    int64_t tokens, tokens_at; /* in thousandths of an event */
    int64_t finish_by;
    struct gateway_stats stats;
};

static void update_wants(struct gateway *g);

static void broken(struct gateway *g, const struct err *why) {
    if (g->deaf)
        return;
    g->deaf = true;
    update_wants(g);
    if (!g->finishing)
        g->h.broken(g->arg, why);
}

/* --- to the guest --- */

static void update_wants(struct gateway *g) {
    unsigned want = (g->deaf || g->paused ? 0 : LOOP_IN) | (g->out.n && !g->deaf ? LOOP_OUT : 0);

    if (g->watch)
        loop_fd_want(g->watch, want);
}

static void flush(struct gateway *g) {
    while (g->out.n && !g->deaf) {
        ssize_t n = send(g->fd, g->out.p, g->out.n, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        buf_drop(&g->out, (size_t)n);
        while (g->out.n < OUT_BLOBS && gateblob_pump(g->blobs))
            ;
    }
    update_wants(g);
}

static void emit(void *arg, struct view frame) {
    struct gateway *g = arg;

    buf_add(&g->out, frame.p, frame.n);
}

static void blob_ready(void *arg) {
    struct gateway *g = arg;

    while (g->out.n < OUT_BLOBS && gateblob_pump(g->blobs))
        ;
    flush(g);
}

static void send_frame(struct gateway *g, enum chan_type type, struct view payload) {
    struct err e;

    if (chan_put(&g->out, type, payload, &e) < 0)
        log_line(LOG_WARN, "gateway", "a frame for the guest was not sent: %s", e.text);
    flush(g);
}

void gateway_brief(struct gateway *g) {
    cleanup_buf struct buf json = {0}, rumor = {0};
    struct jw w = jw_new(&json);

    if (g->briefed)
        return;
    g->briefed = true;
    rumor_json(g->request, &rumor);
    jw_obj(&w);
    jw_key(&w, "rumor");
    jw_raw(&w, buf_view(&rumor));
    jw_key(&w, "relays");
    jw_arr(&w);
    for (size_t i = 0; i < g->n_relays; i++)
        jw_str(&w, g->relays[i]);
    jw_end_arr(&w);
    jw_kint(&w, "time", unix_now());
    jw_end_obj(&w);
    send_frame(g, CHAN_JOB, buf_view(&json));
}

void gateway_shutdown(struct gateway *g) {
    send_frame(g, CHAN_SHUTDOWN, view_of(NULL, 0));
}

static void ask_auth(struct gateway *g, size_t relay, const char *challenge) {
    cleanup_buf struct buf frame = {0};
    struct err e;

    if (g->auths >= AUTH_MAX || g->deaf)
        return;
    if (chan_put_auth(&frame, (uint8_t)relay, view_str(challenge), &e) < 0) {
        log_line(LOG_WARN, "gateway", "a relay's challenge was not passed on: %s", e.text);
        return;
    }
    g->auths++;
    snprintf(g->challenge[relay], sizeof g->challenge[relay], "%s", challenge);
    emit(g, buf_view(&frame));
    flush(g);
}

/* Any signed 22242 shows the agent's key. When no relay has sent a challenge yet, one of our own
 * does as well: it is never sent to a relay. */
void gateway_learn(struct gateway *g) {
    uint8_t random[16];
    char own[33];

    for (size_t i = 0; i < g->n_relays && !g->known; i++) {
        struct relay *r = pool_find(g->pool, g->relays[i]);

        if (r && relay_challenge(r)) {
            ask_auth(g, i, relay_challenge(r));
            return;
        }
    }
    if (g->known)
        return;
    random_bytes(random, sizeof random);
    hex_encode(view_of(random, sizeof random), own);
    ask_auth(g, 0, own);
}

/* --- from the relays --- */

static void on_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct gateway *g = arg;
    cleanup_buf struct buf json = {0};

    (void)sub;
    (void)url;
    event_json(ev, &json);
    if (g->out.n > OUT_EVENTS || json.n > EVENT_MAX) {
        g->stats.dropped++;
        return;
    }
    g->stats.events_in++;
    send_frame(g, CHAN_EVENT, buf_view(&json));
}

static size_t relay_index(const struct gateway *g, const char *url) {
    cleanup_free char *want = relay_url_normal(url);

    for (size_t i = 0; i < g->n_relays && want; i++) {
        cleanup_free char *have = relay_url_normal(g->relays[i]);

        if (have && !strcmp(have, want))
            return i;
    }
    return g->n_relays;
}

/* Before the agent has a key it cannot answer; gateway_learn asks when it has. */
static void on_challenge(void *arg, const char *url, const char *challenge) {
    struct gateway *g = arg;
    size_t i = relay_index(g, url);

    if (g->known && i < g->n_relays)
        ask_auth(g, i, challenge);
}

static void resume_if_room(struct gateway *g);

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct gateway *g = arg;

    if (!ok)
        log_line(LOG_WARN, "gateway", "%s refused an event of the guest: %s", url, msg);
    for (size_t i = 0; i < WAITING; i++)
        if (g->waiting[i].until && !memcmp(g->waiting[i].id, id, 32))
            g->waiting[i].until = 0;
    resume_if_room(g);
}

static void on_state(void *arg) {
    (void)arg;
}

static void on_eose(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

/* --- flow control: the guest is read no faster than relays take its events --- */

static struct waiting *free_waiting(struct gateway *g) {
    int64_t now = loop_now();

    for (size_t i = 0; i < WAITING; i++)
        if (g->waiting[i].until < now)
            return &g->waiting[i];
    return NULL;
}

static size_t waiting_count(const struct gateway *g) {
    size_t n = 0;
    int64_t now = loop_now();

    for (size_t i = 0; i < WAITING; i++)
        n += g->waiting[i].until >= now;
    return n;
}

static bool has_token(struct gateway *g) {
    int64_t now = loop_now();

    g->tokens += (now - g->tokens_at) * RATE_PER_S;
    g->tokens_at = now;
    if (g->tokens > RATE_BURST * 1000)
        g->tokens = RATE_BURST * 1000;
    return g->tokens >= 1000;
}

static void take_frames(struct gateway *g);

static void pause_reading(struct gateway *g) {
    g->paused = true;
    loop_timer_set(g->timer, loop_now() + RETRY_MS);
    update_wants(g);
}

static void resume_if_room(struct gateway *g) {
    if (!g->paused || g->finishing || !free_waiting(g) || !has_token(g))
        return;
    g->paused = false;
    take_frames(g);
    update_wants(g);
}

static void finish_step(struct gateway *g);

static void on_timer(void *arg) {
    struct gateway *g = arg;

    if (g->finishing) {
        finish_step(g);
        return;
    }
    resume_if_room(g);
    if (g->paused)
        loop_timer_set(g->timer, loop_now() + RETRY_MS);
}

/* --- from the guest: one function a frame type --- */

static int take_event(struct gateway *g, struct view payload, struct err *e) {
    struct event *ev;
    struct waiting *w = free_waiting(g);

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
        w->until = loop_now() + WAITING_MS;
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

/* An answer to a challenge of our own is not sent on; then the relays' own challenges are asked. */
static void use_auth(struct gateway *g, size_t i, const struct event *ev) {
    struct relay *r = pool_find(g->pool, g->relays[i]);
    const char *wanted = r ? relay_challenge(r) : NULL;
    bool first = !g->known, relays = wanted && !strcmp(wanted, g->challenge[i]);
    struct err e;

    g->challenge[i][0] = 0;
    if (relays && relay_auth(r, ev, &e) < 0)
        log_line(LOG_WARN, "gateway", "AUTH was not sent: %s", e.text);
    if (!first)
        return;
    learned(g, ev->f.pubkey);
    for (size_t k = 0; k < g->n_relays; k++) {
        r = pool_find(g->pool, g->relays[k]);
        if (r && relay_challenge(r) && !(k == i && relays))
            ask_auth(g, k, relay_challenge(r));
    }
}

static int take_auth(struct gateway *g, struct view payload, struct err *e) {
    struct chan_auth a;
    struct event *ev;
    int rc;

    if (chan_auth_parse(payload, &a, e) < 0)
        return -1;
    if (a.relay >= g->n_relays || !g->challenge[a.relay][0])
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

    flush(g);
    return rc;
}

static int take_blob_get(struct gateway *g, struct view payload, struct err *e) {
    int rc = gateblob_get(g->blobs, payload, e);

    flush(g);
    return rc;
}

static int take_state(struct gateway *g, struct view payload, struct err *e) {
    if (payload.n != 1)
        return err_set(e, "bad-frame", "the guest's STATE has %zu bytes", payload.n);
    g->h.state(g->arg, payload.p[0]);
    return 0;
}

static int take_report_req(struct gateway *g, struct view payload, struct err *e) {
    uint8_t report[GATEWAY_REPORT];

    if (payload.n != 64 || ++g->reports > REPORTS_MAX)
        return err_set(e, "bad-frame", "the guest asks for reports in a way that is not allowed");
    if (g->h.report(g->arg, payload.p, report) == 0)
        send_frame(g, CHAN_REPORT, view_of(report, sizeof report));
    else
        send_frame(g, CHAN_REPORT, view_of(NULL, 0));
    return 0;
}

/* Before JOB a guest has nothing to say but its state; types that are not here are the host's. */
static const struct {
    enum chan_type type;
    bool before_job, counts;
    int (*take)(struct gateway *g, struct view payload, struct err *e);
} takes[] = {
    {CHAN_EVENT, false, true, take_event},        {CHAN_AUTH, false, false, take_auth},
    {CHAN_BLOB_PUT, false, false, take_blob_put}, {CHAN_BLOB_GET, false, false, take_blob_get},
    {CHAN_STATE, true, false, take_state},        {CHAN_REPORT_REQ, false, false, take_report_req},
};

static int take_frame(struct gateway *g, const struct chan_frame *f, struct err *e) {
    for (size_t i = 0; i < COUNT(takes); i++)
        if (takes[i].type == f->type && (g->briefed || takes[i].before_job))
            return takes[i].take(g, f->payload, e);
    return err_set(e, "bad-frame",
                   "the guest sent a frame of type %d, which is not its to send now", (int)f->type);
}

static void take_frames(struct gateway *g) {
    struct chan_frame f;
    struct err e;
    int rc = 0;

    while (!g->deaf && !g->paused) {
        if (!g->finishing && (!free_waiting(g) || !has_token(g))) {
            pause_reading(g);
            return;
        }
        rc = chan_next(&g->in, &f, &e);
        if (rc == 0)
            return;
        if (rc < 0 || take_frame(g, &f, &e) < 0)
            broken(g, &e);
    }
}

/* EOF is QEMU's end, which the job learns by itself: here it only ends the reading. */
static bool read_once(struct gateway *g) {
    uint8_t b[65536];
    ssize_t n = recv(g->fd, b, sizeof b, MSG_DONTWAIT);

    if (n < 0)
        return false;
    if (n == 0) {
        g->deaf = true;
        return false;
    }
    chan_feed(&g->in, view_of(b, (size_t)n));
    take_frames(g);
    return true;
}

static void on_ready(void *arg, unsigned ready) {
    struct gateway *g = arg;

    if (ready & LOOP_OUT)
        flush(g);
    if (ready & (LOOP_IN | LOOP_HUP))
        (void)read_once(g);
    update_wants(g);
    if (g->deaf) { /* a hung-up descriptor would wake us for ever */
        loop_fd_del(g->watch);
        g->watch = NULL;
    }
}

/* --- the end --- */

static void finish_step(struct gateway *g) {
    if (waiting_count(g) && loop_now() < g->finish_by) {
        loop_timer_set(g->timer, loop_now() + RETRY_MS);
        return;
    }
    g->h.finished(g->arg);
}

void gateway_finish(struct gateway *g) {
    if (g->finishing)
        return;
    g->finishing = true;
    g->paused = false;
    take_frames(g);
    while (!g->deaf && read_once(g))
        ;
    g->deaf = true;
    loop_fd_del(g->watch);
    g->watch = NULL;
    g->finish_by = loop_now() + GATEWAY_LINGER_MS;
    loop_timer_set(g->timer, loop_now());
}

/* --- making and unmaking --- */

static int open_pool(struct gateway *g, const struct gateway_conf *c, struct err *e) {
    static const struct pool_handler h = {.event = on_event,
                                          .eose = on_eose,
                                          .ok = on_ok,
                                          .state = on_state,
                                          .challenge = on_challenge};

    g->pool = pool_new(c->net, NULL, &h, g);
    for (size_t i = 0; i < c->job->n_relays; i++) {
        if (pool_add(g->pool, c->job->relays[i], e) < 0)
            return err_wrap(e, "relay of the request");
        snprintf(g->relays[g->n_relays++], sizeof g->relays[0], "%s", c->job->relays[i]);
    }
    return 0;
}

struct gateway *gateway_new(const struct gateway_conf *c, const struct gateway_handler *h,
                            void *arg, struct err *e) {
    struct gateway *g = mem_new(sizeof *g);
    struct gateblob_conf blobs = {.http = c->http,
                                  .servers = c->blossom,
                                  .n_servers = c->n_blossom,
                                  .allow_private = c->allow_private,
                                  .emit = emit,
                                  .more = blob_ready,
                                  .arg = g};

    g->loop = ws_loop(c->net);
    g->h = *h;
    g->arg = arg;
    g->fd = c->fd;
    g->request = rumor_copy(c->request);
    g->out.max = OUT_MAX;
    g->tokens = RATE_BURST * 1000;
    g->tokens_at = loop_now();
    chan_in_init(&g->in);
    g->blobs = gateblob_new(&blobs);
    g->timer = loop_timer_add(g->loop, -1, on_timer, g);
    g->watch = loop_fd_add(g->loop, c->fd, LOOP_IN, on_ready, g);
    if (open_pool(g, c, e) == 0 && g->watch)
        return g;
    gateway_free(g);
    return NULL;
}

void gateway_free(struct gateway *g) {
    if (!g)
        return;
    loop_fd_del(g->watch);
    loop_timer_del(g->timer);
    gateblob_free(g->blobs);
    pool_free(g->pool);
    chan_in_free(&g->in);
    buf_free(&g->out);
    rumor_free(g->request);
    free(g);
}

struct gateway_stats gateway_stats(const struct gateway *g) {
    return g->stats;
}
