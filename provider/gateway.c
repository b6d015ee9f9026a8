#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "core/wrap.h"
#include "gateway_priv.h"

#define OUT_MAX ((size_t)4 << 20) /* bytes that wait for the guest to read */
/* Over OUT_EVENTS, events from the world are dropped: the conversation asks for them again. */
#define OUT_EVENTS ((size_t)2 << 20)
#define OUT_BLOBS ((size_t)512 << 10) /* under this, the next piece of a blob is sent */
#define RATE_PER_S 60                 /* events of the guest, on average... */
#define RATE_BURST 400                /* ...and at once */
#define RETRY_MS 100
#define LIMITED_LINGER_MS 45000 /* of an end, for relays that limit our rate */

static void update_wants(struct gateway *g);

static void broken(struct gateway *g, const struct err *why) {
    if (g->deaf)
        return;
    g->deaf = true;
    update_wants(g);
    if (!g->gone)
        g->h.broken(g->arg, why);
}

/* --- to the guest --- */

static void update_wants(struct gateway *g) {
    unsigned want = (g->deaf || g->paused ? 0 : LOOP_IN) | (g->out.n && !g->deaf ? LOOP_OUT : 0);

    if (g->watch)
        loop_fd_want(g->watch, want);
}

void gateway_flush(struct gateway *g) {
    while (g->out.n && !g->deaf) {
        ssize_t n = send(g->fd, g->out.p, g->out.n, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        buf_drop(&g->out, (size_t)n);
        while (g->out.n < OUT_BLOBS && gateblob_pump(g->blobs))
            ;
    }
    update_wants(g);
    if (g->out.full)
        broken(g, &(struct err){"bad-frame", "the guest asks for more than it reads"});
}

static void emit(void *arg, struct view frame) {
    struct gateway *g = arg;

    buf_add(&g->out, frame.p, frame.n);
    update_wants(g);
}

static void blob_ready(void *arg) {
    struct gateway *g = arg;

    while (g->out.n < OUT_BLOBS && gateblob_pump(g->blobs))
        ;
    gateway_flush(g);
}

void gateway_send(struct gateway *g, enum chan_type type, struct view payload) {
    struct err e;

    if (chan_put(&g->out, type, payload, &e) < 0)
        log_line(LOG_WARN, "gateway", "a frame for the guest was not sent: %s", e.text);
    gateway_flush(g);
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
    gateway_send(g, CHAN_JOB, buf_view(&json));
}

void gateway_shutdown(struct gateway *g) {
    gateway_send(g, CHAN_SHUTDOWN, view_of(NULL, 0));
}

static void ask_auth(struct gateway *g, size_t relay, const char *challenge) {
    cleanup_buf struct buf frame = {0};
    struct err e;

    if (g->auths >= GATE_AUTH_MAX || g->deaf)
        return;
    if (chan_put_auth(&frame, (uint8_t)relay, view_str(challenge), &e) < 0) {
        log_line(LOG_WARN, "gateway", "a relay's challenge was not passed on: %s", e.text);
        return;
    }
    g->auths++;
    g->asked[relay] = true;
    snprintf(g->challenge[relay], sizeof g->challenge[relay], "%s", challenge);
    emit(g, buf_view(&frame));
    gateway_flush(g);
}

void gateway_ask_newest(struct gateway *g, size_t relay) {
    struct relay *r = pool_find(g->pool, g->relays[relay]);
    const char *newest = r ? relay_challenge(r) : NULL;

    if (newest && !g->asked[relay] && strcmp(newest, g->challenge[relay]))
        ask_auth(g, relay, newest);
}

static bool any_asked(const struct gateway *g) {
    for (size_t i = 0; i < g->n_relays; i++)
        if (g->asked[i])
            return true;
    return false;
}

/* Any signed 22242 shows the agent's key. When no relay has sent a challenge yet, one of our own
 * does as well: it is never sent to a relay. */
void gateway_learn(struct gateway *g) {
    uint8_t random[16];
    char own[33];

    for (size_t i = 0; i < g->n_relays && !g->known && !any_asked(g); i++)
        gateway_ask_newest(g, i);
    if (g->known || any_asked(g))
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
    gateway_send(g, CHAN_EVENT, buf_view(&json));
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

    (void)challenge; /* it is the relay's newest */
    if (g->known && i < g->n_relays)
        gateway_ask_newest(g, i);
}

static void resume_if_room(struct gateway *g);

static void on_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    struct gateway *g = arg;

    if (!ok)
        log_line(LOG_WARN, "gateway", "%s refused an event of the guest: %s", url, msg);
    for (size_t i = 0; i < GATE_WAITING; i++)
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

struct waiting *gateway_free_waiting(struct gateway *g) {
    int64_t now = loop_now();

    for (size_t i = 0; i < GATE_WAITING; i++)
        if (g->waiting[i].until < now)
            return &g->waiting[i];
    return NULL;
}

static size_t waiting_count(const struct gateway *g) {
    size_t n = 0;
    int64_t now = loop_now();

    for (size_t i = 0; i < GATE_WAITING; i++)
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

static bool has_room(struct gateway *g) {
    return gateway_free_waiting(g) && has_token(g) && pool_backlog(g->pool) < GATE_BACKLOG;
}

static void take_frames(struct gateway *g);

static void pause_reading(struct gateway *g) {
    g->paused = true;
    loop_timer_set(g->timer, loop_now() + RETRY_MS);
    update_wants(g);
}

static void resume_if_room(struct gateway *g) {
    if (!g->paused || g->gone || !has_room(g))
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

static void take_frames(struct gateway *g) {
    struct chan_frame f;
    struct err e;
    int rc = 0;

    while (!g->deaf && !g->paused) {
        if (!g->gone && !has_room(g)) {
            pause_reading(g);
            return;
        }
        rc = chan_next(&g->in, &f, &e);
        if (rc == 0)
            return;
        if (rc < 0 || gateway_take(g, &f, &e) < 0)
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
        gateway_flush(g);
    if (ready & (LOOP_IN | LOOP_HUP))
        (void)read_once(g);
    update_wants(g);
    if (g->deaf) { /* a hung-up descriptor would wake us for ever */
        loop_fd_del(g->watch);
        g->watch = NULL;
    }
}

/* --- the end --- */

/* A relay that limits our rate takes the last events as well, only later. */
static bool still_sending(const struct gateway *g) {
    int64_t late = loop_now() - g->finish_by;

    if (late < 0)
        return waiting_count(g) > 0;
    return late < LIMITED_LINGER_MS && pool_up(g->pool) && pool_backlog(g->pool);
}

static void finish_step(struct gateway *g) {
    if (still_sending(g))
        loop_timer_set(g->timer, loop_now() + RETRY_MS);
    else
        g->h.finished(g->arg);
}

void gateway_hear_out(struct gateway *g) {
    if (g->gone)
        return;
    g->gone = true;
    g->paused = false;
    take_frames(g);
    while (!g->deaf && read_once(g))
        ;
    g->deaf = true;
    loop_fd_del(g->watch);
    g->watch = NULL;
}

void gateway_finish(struct gateway *g) {
    if (g->finishing)
        return;
    gateway_hear_out(g);
    g->finishing = true;
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
