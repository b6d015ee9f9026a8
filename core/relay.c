#include "relay_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define MESSAGE_MAX ((size_t)131072) /* one event plus envelope, with room for odd escaping */
#define OUTS_MAX 1024
#define SUB_ID_MAX 64
#define TICK_MS 5000
#define ANSWER_MS 20000    /* an event without OK is sent again after this */
#define EPHEMERAL_MS 60000 /* older ones are refused by relays anyway */
#define TRIES_MAX 5
#define STEADY_MS 10000 /* a connection that lasted this long clears the backoff */
#define BACKOFF_MAX_MS 60000

static void on_retry(void *arg);
static void on_tick(void *arg);
static void on_pace(void *arg);

/* ---- guarding against frees inside callbacks ---- */

static void sub_free(struct relay_sub *s) {
    for (size_t i = 0; i < s->n_f; i++)
        filter_free(s->f[i]);
    free(s->f);
    free(s->id);
    free(s->filters);
    free(s);
}

static void really_free(struct relay *r) {
    while (r->subs) {
        struct relay_sub *s = r->subs;

        r->subs = s->next;
        sub_free(s);
    }
    while (r->outs)
        relay_out_drop(r, r->outs);
    loop_timer_del(r->retry);
    loop_timer_del(r->tick);
    loop_timer_del(r->pace);
    free(r->challenge);
    free(r->url);
    free(r);
}

static void enter(struct relay *r) {
    r->busy++;
}

static void leave(struct relay *r) {
    if (--r->busy == 0 && r->freed)
        really_free(r);
}

void relay_free(struct relay *r) {
    if (!r || r->freed)
        return;
    r->freed = true;
    ws_close(r->ws);
    r->ws = NULL;
    if (!r->busy)
        really_free(r);
}

static void set_state(struct relay *r, enum relay_state s, const struct err *why) {
    r->state = s;
    if (r->h.state && !r->freed)
        r->h.state(r->arg, r, s, why);
}

static void refuse_out(struct relay *r, struct relay_out *o, const char *why) {
    uint8_t id[32];

    memcpy(id, o->id, sizeof id);
    relay_out_drop(r, o);
    if (r->h.ok && !r->freed)
        r->h.ok(r->arg, r, id, false, why);
}

/* ---- connection ---- */

static void on_open(void *arg) {
    struct relay *r = arg;

    enter(r);
    r->up_at = loop_now();
    loop_timer_set(r->tick, r->up_at + TICK_MS);
    set_state(r, RELAY_UP, NULL);
    if (!r->freed)
        relay_flush(r);
    leave(r);
}

static void on_text(void *arg, struct view msg) {
    struct relay *r = arg;

    enter(r);
    relay_take(r, msg);
    leave(r);
}

/* 1 s doubling to 60 s; the wait is a random part between half and all of it. */
static int64_t backoff_ms(unsigned failures) {
    int64_t whole = failures > 6 ? BACKOFF_MAX_MS : (int64_t)1000 << (failures ? failures - 1 : 0);

    if (whole > BACKOFF_MAX_MS)
        whole = BACKOFF_MAX_MS;
    return whole / 2 + (int64_t)random_below((uint64_t)whole / 2 + 1);
}

static void forget_connection(struct relay *r) {
    r->ws = NULL;
    r->authed = r->auth_sent = false;
    free(r->challenge);
    r->challenge = NULL;
    loop_timer_set(r->tick, -1);
    loop_timer_set(r->pace, -1);
    for (struct relay_sub *s = r->subs; s; s = s->next)
        s->sent = s->wants_auth = false;
    for (struct relay_out *o = r->outs, *next; o; o = next) {
        next = o->next;
        if (o->ephemeral && o->sent)
            relay_out_drop(r, o);
        else
            o->sent = o->wants_auth = false;
    }
}

static void wait_and_retry(struct relay *r, const struct err *why) {
    if (r->state == RELAY_UP && loop_now() - r->up_at >= STEADY_MS)
        r->failures = 0;
    r->failures++;
    r->retry_at = loop_now() + backoff_ms(r->failures);
    loop_timer_set(r->retry, r->retry_at);
    set_state(r, RELAY_WAITING, why);
}

static void on_closed(void *arg, const struct err *why) {
    struct relay *r = arg;

    enter(r);
    forget_connection(r);
    wait_and_retry(r, why);
    leave(r);
}

static void start(struct relay *r) {
    static const struct ws_handler h = {.open = on_open, .text = on_text, .closed = on_closed};
    struct err why;

    r->ws = ws_connect(r->net, r->url, MESSAGE_MAX, r->public_only, &h, r, &why);
    if (r->ws)
        set_state(r, RELAY_CONNECTING, NULL);
    else
        wait_and_retry(r, &why);
}

static void on_retry(void *arg) {
    struct relay *r = arg;

    enter(r);
    start(r);
    leave(r);
}

/* The caller holds r->busy. What waited for an OK is refused: nobody will send it again. */
void relay_drop(struct relay *r) {
    struct err why;

    r->dropped = true;
    ws_close(r->ws);
    forget_connection(r);
    while (!r->freed && r->outs)
        refuse_out(r, r->outs, "error: the relay broke the protocol and was dropped");
    err_set(&why, "bad-relay", "'%s' broke the protocol %u times and was dropped", r->url, r->lies);
    if (!r->freed)
        set_state(r, RELAY_DOWN, &why);
}

struct relay *relay_new(struct ws_net *n, const char *url, const struct keypair *auth,
                        const struct relay_handler *h, void *arg, struct err *e) {
    struct relay *r;
    struct url u;

    if (url_parse(url, &u, e) < 0)
        return NULL;
    if (u.scheme[0] != 'w') {
        err_set(e, "bad-url", "'%s' is not a relay address (ws:// or wss://)", u.host);
        return NULL;
    }
    r = mem_new(sizeof *r);
    *r = (struct relay){.net = n, .key = auth, .h = *h, .arg = arg, .latency = -1};
    r->url = relay_url_normal(url);
    r->retry = loop_timer_add(ws_loop(n), loop_now(), on_retry, r);
    r->tick = loop_timer_add(ws_loop(n), -1, on_tick, r);
    r->pace = loop_timer_add(ws_loop(n), -1, on_pace, r);
    return r;
}

void relay_public_only(struct relay *r) {
    r->public_only = true;
}

const char *relay_url(const struct relay *r) {
    return r->url;
}

enum relay_state relay_state(const struct relay *r) {
    return r->state;
}

const char *relay_challenge(const struct relay *r) {
    return r->challenge;
}

int64_t relay_latency_ms(const struct relay *r) {
    return r->latency;
}

size_t relay_backlog(const struct relay *r) {
    size_t n = 0;

    for (const struct relay_out *o = r->outs; o; o = o->next)
        n += !o->sent;
    return n;
}

uint64_t relay_events(const struct relay *r) {
    return r->events;
}

int64_t relay_retry_at(const struct relay *r) {
    return r->state == RELAY_WAITING ? r->retry_at : -1;
}

/* ---- sending ---- */

static int send_buf(struct relay *r, const struct buf *b, struct err *e) {
    return ws_send(r->ws, buf_view(b), e);
}

static bool send_req(struct relay *r, struct relay_sub *s) {
    cleanup_buf struct buf b = {0};

    buf_str(&b, "[\"REQ\",");
    json_escape(view_str(s->id), &b);
    buf_fmt(&b, ",%s]", s->filters);
    if (send_buf(r, &b, NULL) < 0)
        return false;
    s->sent = true;
    s->sent_at = loop_now();
    return true;
}

/* False: not now, and then nothing behind it either. */
static bool send_out(struct relay *r, struct relay_out *o) {
    int64_t now = loop_now(), wait = throttle_wait(&r->rate, now);

    if (wait > 0) {
        loop_timer_set(r->pace, now + wait);
        return false;
    }
    if (send_buf(r, &o->msg, NULL) < 0)
        return false;
    throttle_sent(&r->rate, now);
    o->sent = true;
    o->limited = false;
    o->tries++;
    o->sent_at = now;
    return true;
}

void relay_flush(struct relay *r) {
    if (r->state != RELAY_UP)
        return;
    for (struct relay_sub *s = r->subs; s; s = s->next)
        if (!s->sent && !s->wants_auth && !send_req(r, s))
            return;
    for (struct relay_out *o = r->outs; o; o = o->next)
        if (!o->sent && !o->wants_auth && !send_out(r, o))
            return;
}

static void on_pace(void *arg) {
    struct relay *r = arg;

    enter(r);
    relay_flush(r);
    leave(r);
}

static bool stale(const struct relay_out *o, int64_t now) {
    return o->ephemeral && now - o->made_at > EPHEMERAL_MS;
}

/* One that has not had its turn is no silence of the relay's. */
static bool unanswered(const struct relay_out *o, int64_t now) {
    return !o->ephemeral && (o->sent || o->wants_auth) &&
           now - (o->sent ? o->sent_at : o->made_at) > ANSWER_MS;
}

static struct relay_out *out_overdue(struct relay *r, int64_t now) {
    for (struct relay_out *o = r->outs; o; o = o->next)
        if (stale(o, now) || unanswered(o, now))
            return o;
    return NULL;
}

static void on_tick(void *arg) {
    struct relay *r = arg;
    int64_t now = loop_now();
    struct relay_out *o;

    enter(r);
    loop_timer_set(r->tick, now + TICK_MS);
    while (!r->freed && (o = out_overdue(r, now))) {
        if (o->limited)
            refuse_out(r, o, "rate-limited: the relay took too few events for this one");
        else if (stale(o, now) || o->tries >= TRIES_MAX)
            refuse_out(r, o, "error: the relay did not answer");
        else
            o->sent = o->wants_auth = false;
    }
    if (!r->freed)
        relay_flush(r);
    leave(r);
}

/* ---- subscriptions ---- */

struct relay_sub *relay_sub_find(struct relay *r, const char *id) {
    for (struct relay_sub *s = r->subs; s; s = s->next)
        if (strcmp(s->id, id) == 0)
            return s;
    return NULL;
}

static int sub_filters(struct relay_sub *s, struct err *e) {
    cleanup_free char *list = mem_fmt("[%s]", s->filters);
    cJSON *arr = json_parse(view_str(list), MESSAGE_MAX, e);
    const cJSON *o;
    int rc = arr ? 0 : -1;

    if (arr)
        s->f = mem_new((size_t)cJSON_GetArraySize(arr) * sizeof(struct filter *));
    cJSON_ArrayForEach(o, arr) {
        struct filter *f = filter_parse(o, e);

        if (!f) {
            rc = -1;
            break;
        }
        s->f[s->n_f++] = f;
    }
    cJSON_Delete(arr);
    if (rc == 0 && s->n_f == 0)
        return err_set(e, "invalid", "a subscription needs a filter");
    return rc;
}

int relay_subscribe(struct relay *r, const char *sub, const char *filters_json, struct err *e) {
    struct relay_sub *s, **end;

    if (!*sub || strlen(sub) > SUB_ID_MAX)
        return err_set(e, "invalid", "a subscription id has 1 to %d characters", SUB_ID_MAX);
    s = mem_new(sizeof *s);
    s->id = mem_str(sub);
    s->filters = mem_str(filters_json);
    if (sub_filters(s, e) < 0) {
        sub_free(s);
        return err_wrap(e, "subscription '%s'", sub);
    }
    for (end = &r->subs; *end; end = &(*end)->next)
        if (strcmp((*end)->id, sub) == 0) { /* the same id replaces, as on the wire (NIP-01) */
            s->next = (*end)->next;
            sub_free(*end);
            break;
        }
    *end = s;
    relay_flush(r);
    return 0;
}

void relay_unsubscribe(struct relay *r, const char *sub) {
    cleanup_buf struct buf b = {0};

    for (struct relay_sub **p = &r->subs; *p; p = &(*p)->next) {
        struct relay_sub *s = *p;

        if (strcmp(s->id, sub) != 0)
            continue;
        *p = s->next;
        buf_str(&b, "[\"CLOSE\",");
        json_escape(view_str(s->id), &b);
        buf_str(&b, "]");
        if (r->state == RELAY_UP && s->sent && send_buf(r, &b, NULL) < 0)
            s->sent = false; /* the relay's later events for it are ignored as strays */
        sub_free(s);
        return;
    }
}

/* ---- events ---- */

struct relay_out *relay_out_find(struct relay *r, const uint8_t id[32]) {
    for (struct relay_out *o = r->outs; o; o = o->next)
        if (memcmp(o->id, id, 32) == 0)
            return o;
    return NULL;
}

void relay_out_drop(struct relay *r, struct relay_out *o) {
    for (struct relay_out **p = &r->outs; *p; p = &(*p)->next)
        if (*p == o) {
            *p = o->next;
            r->n_outs--;
            buf_free(&o->msg);
            free(o);
            return;
        }
}

int relay_publish(struct relay *r, const struct event *ev, struct err *e) {
    struct relay_out *o, **end;

    if (r->dropped)
        return err_set(e, "bad-relay", "'%s' broke the protocol and was dropped", r->url);
    if (relay_out_find(r, ev->f.id))
        return 0;
    if (r->n_outs >= OUTS_MAX)
        return err_set(e, "busy", "%d events already wait for '%s'", OUTS_MAX, r->url);
    o = mem_new(sizeof *o);
    memcpy(o->id, ev->f.id, sizeof o->id);
    o->ephemeral = kind_class(ev->f.kind) == KIND_EPHEMERAL;
    o->made_at = loop_now();
    buf_str(&o->msg, "[\"EVENT\",");
    event_json(ev, &o->msg);
    buf_str(&o->msg, "]");
    for (end = &r->outs; *end; end = &(*end)->next)
        ;
    *end = o;
    r->n_outs++;
    relay_flush(r);
    return 0;
}

/* ---- NIP-42 ---- */

struct event *relay_auth_event(const char *url, const char *challenge, const struct keypair *k,
                               int64_t now) {
    struct fields f = fields_new(22242, now, view_str(""));

    fields_add(&f, "relay", url);
    fields_add(&f, "challenge", challenge);
    return event_sign(&f, k);
}

int relay_auth(struct relay *r, const struct event *ev22242, struct err *e) {
    cleanup_buf struct buf b = {0};

    if (r->state != RELAY_UP)
        return err_set(e, "not-connected", "'%s' is not connected", r->url);
    buf_str(&b, "[\"AUTH\",");
    event_json(ev22242, &b);
    buf_str(&b, "]");
    if (send_buf(r, &b, e) < 0)
        return -1;
    memcpy(r->auth_id, ev22242->f.id, sizeof r->auth_id);
    r->auth_sent = true;
    return 0;
}

int relay_authenticate(struct relay *r) {
    struct event *ev;
    int rc;

    if (!r->key || !r->challenge || r->auth_sent)
        return -1;
    ev = relay_auth_event(r->url, r->challenge, r->key, unix_now());
    rc = relay_auth(r, ev, NULL);
    event_free(ev);
    return rc;
}
