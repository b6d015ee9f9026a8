/* A loop, an embedded relay on a free loopback port and recording clients, for network tests. */
#ifndef CDVM_TEST_NET_H
#define CDVM_TEST_NET_H

#include <fcntl.h>
#include <unistd.h>

#include "core/pool.h"
#include "core/ws.h"
#include "core/wrap.h"
#include "provider/relayd.h"

struct net {
    struct loop *loop;
    struct ws_net *ws;
    struct relayd *relay;
    char dir[64];
    uint16_t port;
};

static inline void net_relay(struct net *n, const struct relayd_opts *more) {
    struct relayd_opts o = more ? *more : (struct relayd_opts){0};
    struct err e;

    o.path = n->dir;
    o.port = n->port;
    n->relay = relayd_new(n->ws, &o, &e);
    if (!n->relay)
        fail_msg("%s", e.text);
    n->port = relayd_port(n->relay);
}

static inline void net_up(struct net *n, const struct relayd_opts *more) {
    struct err e;

    *n = (struct net){.dir = "/tmp/cdvm-test-XXXXXX"};
    assert_non_null(mkdtemp(n->dir));
    n->loop = loop_new(&e);
    assert_non_null(n->loop);
    n->ws = ws_net_new(n->loop, &e);
    assert_non_null(n->ws);
    net_relay(n, more);
}

static inline void net_down(struct net *n) {
    relayd_free(n->relay);
    ws_net_free(n->ws);
    loop_free(n->loop);
    remove_tree(n->dir);
}

/* Turns until *flag, at most ms. */
static inline bool net_until(struct net *n, const bool *flag, int ms) {
    int64_t end = loop_now() + ms;

    while (!*flag && loop_now() < end)
        loop_turn(n->loop, 20);
    return *flag;
}

static inline void net_for(struct net *n, int ms) {
    bool never = false;

    (void)net_until(n, &never, ms);
}

/* A client that writes down what it is told. */
struct client {
    struct net *net;
    struct keypair *key;
    struct pool *pool;
    bool eose, ok, answered, got, closed;
    size_t n_events;
    struct event *last;
    char why[256];
};

static inline void client_event(void *arg, const char *sub, const struct event *ev,
                                const char *url) {
    struct client *c = arg;

    (void)sub, (void)url;
    c->n_events++;
    c->got = true;
    event_free(c->last);
    c->last = event_copy(ev);
}

static inline void client_eose(void *arg, const char *sub) {
    (void)sub;
    ((struct client *)arg)->eose = true;
}

static inline void client_ok(void *arg, const uint8_t id[32], bool ok, const char *url,
                             const char *msg) {
    struct client *c = arg;

    (void)id, (void)url;
    c->answered = true;
    c->ok = ok;
    snprintf(c->why, sizeof c->why, "%s", msg);
}

static inline void client_closed(void *arg, const char *sub, const char *url, const char *why) {
    struct client *c = arg;

    (void)sub, (void)url;
    c->closed = true;
    snprintf(c->why, sizeof c->why, "%s", why);
}

static inline void client_up(struct client *c, struct net *n, bool with_key) {
    static const struct pool_handler h = {
        .event = client_event, .eose = client_eose, .ok = client_ok, .closed = client_closed};
    struct err e;

    *c = (struct client){.net = n, .key = keypair_new()};
    c->pool = pool_new(n->ws, with_key ? c->key : NULL, &h, c);
    if (pool_add(c->pool, relayd_url(n->relay), &e) < 0)
        fail_msg("%s", e.text);
}

static inline void client_down(struct client *c) {
    pool_free(c->pool);
    keypair_free(c->key);
    event_free(c->last);
}

static inline struct event *note_by(const struct keypair *k, uint32_t kind, int64_t at,
                                    const char *text, const char *tag, const char *value) {
    struct fields f = fields_new(kind, at, view_str(text));

    if (tag)
        fields_add(&f, tag, value);
    return event_sign(&f, k);
}

/* Publishes and waits for the answer: true when it was OK. Takes ev over. */
static inline bool client_put(struct client *c, struct event *ev) {
    c->answered = c->ok = false;
    c->why[0] = 0;
    assert_int_equal(pool_publish(c->pool, ev, NULL), 0);
    event_free(ev);
    assert_true(net_until(c->net, &c->answered, 5000));
    return c->ok;
}

/* Events that a fresh subscription brings up to EOSE (or CLOSED). */
static inline size_t client_ask(struct client *c, const char *filters) {
    struct err e;

    c->eose = c->closed = false;
    c->n_events = 0;
    c->why[0] = 0;
    if (pool_subscribe(c->pool, "ask", filters, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(net_until(c->net, &c->eose, 7000));
    pool_unsubscribe(c->pool, "ask");
    return c->n_events;
}

/* A bare websocket that keeps all it is sent, one message a line. */
struct raw {
    struct net *net;
    struct ws *ws;
    struct buf log;
    bool up, closed;
    struct err why;
    const char *await;
    bool seen;
};

static inline void raw_open(void *arg) {
    ((struct raw *)arg)->up = true;
}

static inline void raw_text(void *arg, struct view msg) {
    struct raw *r = arg;

    buf_add(&r->log, msg.p, msg.n);
    buf_str(&r->log, "\n");
    if (r->await && strstr((const char *)r->log.p, r->await))
        r->seen = true;
}

static inline void raw_closed(void *arg, const struct err *why) {
    struct raw *r = arg;

    r->closed = true;
    r->seen = true;
    r->why = *why;
    r->ws = NULL;
}

static inline void raw_connect(struct raw *r, struct net *n, const char *url) {
    static const struct ws_handler h = {.open = raw_open, .text = raw_text, .closed = raw_closed};
    struct err e;

    *r = (struct raw){.net = n};
    r->ws = ws_connect(n->ws, url, 1 << 20, false, &h, r, &e);
    assert_non_null(r->ws);
    assert_true(net_until(n, &r->up, 5000));
}

static inline void raw_down(struct raw *r) {
    ws_close(r->ws);
    buf_free(&r->log);
}

/* Sends, then waits until something that contains `await` has come (or the end). */
static inline bool raw_say(struct raw *r, struct view text, const char *await) {
    r->seen = false;
    r->await = await;
    buf_reset(&r->log);
    if (!r->ws || ws_send(r->ws, text, NULL) < 0)
        return false;
    return net_until(r->net, &r->seen, 5000) && !r->closed;
}

static inline bool raw_says(struct raw *r, const char *text, const char *await) {
    return raw_say(r, view_str(text), await);
}

#endif
