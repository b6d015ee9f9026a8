/* Websocket clients of the embedded relay: limits, queue, end. */
#include "relayd_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/json.h"
#include "core/secret.h"

void bucket_init(struct bucket *b, unsigned rate) {
    *b = (struct bucket){.tokens = 2.0 * rate, .at = loop_now(), .rate = rate};
}

bool bucket_take(struct bucket *b) {
    int64_t now = loop_now();

    b->tokens += (double)(now - b->at) * b->rate / 1000;
    b->at = now;
    if (b->tokens > 2.0 * b->rate)
        b->tokens = 2.0 * b->rate;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

/* ---- one websocket client ---- */

void conn_send(struct conn *c, struct view text) {
    if (c->closing || wsio_push(&c->out, c->wsi, text, NULL) == 0)
        return;
    c->closing = true; /* reads too slowly */
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

void conn_notice(struct conn *c, const char *fmt, ...) {
    cleanup_buf struct buf b = {0};
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_str(&b, "[\"NOTICE\",");
    json_escape(view_str(text), &b);
    buf_str(&b, "]");
    conn_send(c, buf_view(&b));
}

bool conn_has_key(const struct conn *c, const uint8_t key[static 32]) {
    for (size_t i = 0; i < c->n_keys; i++)
        if (memcmp(c->keys[i], key, 32) == 0)
            return true;
    return false;
}

struct relay_reader conn_reader(const struct conn *c) {
    return (struct relay_reader){c->keys, c->n_keys};
}

static void greet(struct conn *c) {
    uint8_t random[16];
    cleanup_buf struct buf b = {0};

    random_bytes(random, sizeof random);
    hex_encode(view_of(random, sizeof random), c->challenge);
    buf_fmt(&b, "[\"AUTH\",\"%s\"]", c->challenge);
    conn_send(c, buf_view(&b));
}

void conn_open(struct peer *p) {
    struct relayd *r = p->rd;
    struct conn *c = mem_new(sizeof *c);

    c->rd = r;
    c->wsi = p->sock.wsi;
    p->conn = c;
    c->out.max = RELAYD_OUT_MAX;
    buf_init(&c->in, RELAYD_MESSAGE_MAX);
    bucket_init(&c->events, r->o.events_per_s);
    bucket_init(&c->reqs, r->o.reqs_per_s);
    c->next = r->conns;
    if (r->conns)
        r->conns->prev = c;
    r->conns = c;
    greet(c);
}

void conn_free(struct conn *c) {
    struct relayd *r;

    if (!c)
        return;
    r = c->rd;
    if (c->prev)
        c->prev->next = c->next;
    else
        r->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    for (size_t i = 0; i < r->n_pending; i++)
        if (r->pending[i].from == c)
            r->pending[i].from = NULL;
    while (c->subs)
        rsub_drop(c, c->subs->id);
    buf_free(&c->in);
    wsio_out_free(&c->out);
    free(c);
}

static int close_with(struct conn *c, enum lws_close_status status, const char *text) {
    lws_close_reason(c->wsi, status, (unsigned char *)(uintptr_t)text, strlen(text));
    return -1;
}

int conn_received(struct conn *c, struct view piece) {
    struct view msg;

    switch (wsio_take(&c->in, c->wsi, piece, &msg)) {
    case WSIO_MORE:
        return 0;
    case WSIO_WHOLE:
        relayd_take(c, msg);
        if (c->strikes > RELAYD_STRIKES_MAX)
            return close_with(c, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many broken messages");
        return c->closing ? -1 : 0;
    case WSIO_TOO_LARGE:
        return close_with(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "a message may have 131072 bytes");
    case WSIO_BINARY:
        return close_with(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "messages are text");
    }
    return -1;
}

int conn_writable(struct conn *c) {
    if (c->closing || wsio_write(&c->out, c->wsi) < 0)
        return -1;
    relayd_backfill(c);
    return c->closing ? -1 : 0;
}
