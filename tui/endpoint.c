/* Connections, requests and replies. */
#include "endpoint_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/dvm.h"
#include "core/log.h"

/* --- replies --- */

static void reply_reset(struct reply *r) {
    buf_wipe(&r->body);
    free(r->ignored);
    *r = (struct reply){0};
}

void visitor_flush(struct visitor *v) {
    if (v->stage == STAGE_SEND || v->deadline < 0)
        v->deadline = loop_now() + SEND_MS;
    lws_callback_on_writable(v->sock.wsi);
}

void visitor_reply(struct visitor *v, unsigned status) {
    v->reply.status = status;
    v->reply.type = "application/json";
    v->stage = STAGE_SEND;
    visitor_flush(v);
}

void visitor_refuse(struct visitor *v, unsigned status, const struct err *e, const char *param) {
    buf_wipe(&v->reply.body);
    openai_error(&v->reply.body, status, e, param);
    visitor_reply(v, status);
}

static void add_identity(struct httpd_head *h, struct visitor *v) {
    struct endpoint_who who;
    struct err e;

    if (v->ep->port->ready(v->ep->arg, &who, &e))
        return;
    httpd_head_add(h, "cdvm-guest:", who.guest);
    httpd_head_add(h, "cdvm-verdict:", who.verdict);
}

static int head_send(struct visitor *v) {
    struct reply *r = &v->reply;
    struct httpd_head h;

    httpd_head_begin(&h, v->sock.wsi, r->status);
    httpd_head_add(&h, "content-type:", r->stream ? "text/event-stream" : r->type);
    httpd_head_add(&h, "cache-control:", "no-store");
    httpd_head_add(&h, "x-content-type-options:", "nosniff");
    httpd_head_add(&h, "www-authenticate:", r->status == 401 ? "Bearer" : NULL);
    httpd_head_add(&h, "retry-after:", r->status == 503 || r->status == 429 ? "5" : NULL);
    httpd_head_add(&h, "allow:", r->allow);
    httpd_head_add(&h, "cdvm-ignored:", r->ignored);
    httpd_head_add(&h, "connection:", r->close ? "close" : NULL);
    if (r->status == 200)
        add_identity(&h, v);
    if (r->stream)
        httpd_head_add(&h, "transfer-encoding:", "chunked");
    else
        httpd_head_length(&h, r->body.n);
    r->head_sent = true;
    return httpd_head_send(&h);
}

static int finished(struct visitor *v) {
    bool close = v->reply.close;

    reply_reset(&v->reply);
    v->stage = STAGE_IDLE;
    v->deadline = loop_now() + IDLE_MS;
    return close ? HTTPD_CLOSE : httpd_finished(v->sock.wsi);
}

/* RFC 9112, 7.1: one chunk of what there is, and the empty one that ends them. */
static int chunk_send(struct visitor *v) {
    struct reply *r = &v->reply;
    struct buf out = {0};
    int rc;

    if (r->body.n)
        buf_fmt(&out, "%zx\r\n", r->body.n);
    buf_add(&out, r->body.p, r->body.n);
    if (r->body.n)
        buf_str(&out, "\r\n");
    if (r->last)
        buf_str(&out, "0\r\n\r\n");
    rc = out.n ? httpd_write(v->sock.wsi, buf_view(&out), r->last) : HTTPD_GO_ON;
    buf_wipe(&out);
    buf_wipe(&r->body);
    if (rc == HTTPD_CLOSE)
        return rc;
    if (r->last)
        return finished(v);
    v->deadline = -1;
    return HTTPD_GO_ON;
}

static int writable(struct visitor *v) {
    struct reply *r = &v->reply;

    if (v->stage != STAGE_SEND && !r->stream)
        return HTTPD_GO_ON;
    if (!r->head_sent && head_send(v) == HTTPD_CLOSE)
        return HTTPD_CLOSE;
    if (r->stream)
        return chunk_send(v);
    if (r->body.n && httpd_write(v->sock.wsi, buf_view(&r->body), true) == HTTPD_CLOSE)
        return HTTPD_CLOSE;
    return finished(v);
}

/* --- what is served --- */

/* 200 with the tree once questions are taken; before and after, 503 with what is known. */
static void serve_attestation(struct visitor *v) {
    struct jw w = jw_new(&v->reply.body);
    struct endpoint_who who;
    struct err e;
    bool ready = v->ep->port->ready(v->ep->arg, &who, &e) == 0;

    jw_obj(&w);
    if (!ready)
        openai_error_members(&w, 503, &e, NULL);
    v->ep->port->attestation(v->ep->arg, &w);
    jw_end_obj(&w);
    visitor_reply(v, ready ? 200 : 503);
}

static void serve_models(struct visitor *v) {
    struct endpoint_who who;
    struct err e;

    if (v->ep->port->ready(v->ep->arg, &who, &e)) {
        visitor_refuse(v, 503, &e, NULL);
        return;
    }
    openai_models(&v->reply.body, &who.model);
    visitor_reply(v, 200);
}

static const struct {
    const char *path;
    int method;
    const char *allow;
    void (*serve)(struct visitor *v);
} routes[] = {
    {"/v1/models", LWSHUMETH_GET, "GET", serve_models},
    {"/v1/chat/completions", LWSHUMETH_POST, "POST", order_place},
    {"/cdvm/attestation", LWSHUMETH_GET, "GET", serve_attestation},
};

static unsigned find_route(struct visitor *v, int method, const char *path, struct err *e) {
    for (size_t i = 0; i < COUNT(routes); i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        v->route = i;
        if (routes[i].method == method)
            return 0;
        v->reply.allow = routes[i].allow;
        err_set(e, "bad-method", "%s takes %s", path, routes[i].allow);
        return 405;
    }
    err_set(e, "not-found", "there are /v1/models, /v1/chat/completions and /cdvm/attestation");
    return 404;
}

/* --- requests --- */

static unsigned check_door(struct visitor *v, struct err *e) {
    cleanup_free char *host = httpd_header(v->sock.wsi, WSI_TOKEN_HOST);
    cleanup_free char *origin = httpd_header(v->sock.wsi, WSI_TOKEN_ORIGIN);
    cleanup_free char *token = httpd_header(v->sock.wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
    const struct knock k = {host, origin, token};
    unsigned status = door_check(v->ep->door, &k, e);

    if (token)
        explicit_bzero(token, strlen(token));
    return status;
}

/* Anything else a page could send without asking first. */
static unsigned check_type(struct visitor *v, struct err *e) {
    cleanup_free char *type = httpd_header(v->sock.wsi, WSI_TOKEN_HTTP_CONTENT_TYPE);

    if (type && !strncasecmp(type, "application/json", 16))
        return 0;
    err_set(e, "bad-type", "the body is to be application/json");
    return 415;
}

static unsigned screen(struct visitor *v, struct err *e) {
    char path[64] = "";
    char *uri = NULL;
    int n = 0, method = lws_http_get_uri_and_method(v->sock.wsi, &uri, &n);
    unsigned status = check_door(v, e);

    if (status)
        return status;
    if (method < 0 || n < 0 || (size_t)n >= sizeof path) {
        err_set(e, "not-found", "this address is none of this server's");
        return 404;
    }
    memcpy(path, uri, (size_t)n);
    status = find_route(v, method, path, e);
    return status || method != LWSHUMETH_POST ? status : check_type(v, e);
}

/* -1: the body is not waited for, and the connection of no more use. */
static int check_length(struct visitor *v, uint64_t *length) {
    cleanup_free char *chunked = httpd_header(v->sock.wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
    cleanup_free char *said = httpd_header(v->sock.wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);

    *length = 0;
    v->refused = 0;
    if (chunked) {
        err_set(&v->why, "no-length", "send the body with its Content-Length, not in chunks");
        v->refused = 411;
    } else if (said && !decimal_parse(said, length)) {
        err_set(&v->why, "bad-length", "the Content-Length is no number");
        v->refused = 400;
    } else if (*length > OPENAI_BODY_MAX) {
        err_set(&v->why, "too-large", "a body has at most %zu bytes", OPENAI_BODY_MAX);
        v->refused = 413;
        return *length > DISCARD_MAX ? -1 : 0;
    }
    return v->refused ? -1 : 0;
}

/* What can be said at once is: libwebsockets calls again and again for a request without a body
 * that has got no reply. */
static int dispatch(struct visitor *v) {
    if (v->refused)
        visitor_refuse(v, v->refused, &v->why, NULL);
    else
        routes[v->route].serve(v);
    buf_wipe(&v->body);
    return v->stage == STAGE_SEND ? writable(v) : HTTPD_GO_ON;
}

static void visitor_reset(struct visitor *v) {
    if (v->order)
        order_drop(v->order);
    reply_reset(&v->reply);
    buf_wipe(&v->body);
    v->refused = 0;
}

/* A refused request's body is read all the same: a client that is still writing when the
 * connection ends may never see why. */
static int on_request(struct visitor *v) {
    uint64_t length;
    unsigned status;

    visitor_reset(v);
    buf_init(&v->body, OPENAI_BODY_MAX);
    v->stage = STAGE_BODY;
    v->deadline = loop_now() + BODY_MS;
    lws_set_timeout(v->sock.wsi, NO_PENDING_TIMEOUT, 0); /* ours are the deadlines from here on */
    if (check_length(v, &length)) {
        v->reply.close = true;
        return dispatch(v);
    }
    if ((status = screen(v, &v->why)))
        v->refused = status;
    return length ? HTTPD_GO_ON : dispatch(v);
}

/* Called too for what a client sends before it has got its answer: that is not waited for. */
static int on_body_end(struct visitor *v) {
    return v->stage == STAGE_BODY ? dispatch(v) : HTTPD_CLOSE;
}

static int on_body(struct visitor *v, struct view piece) {
    if (v->stage != STAGE_BODY)
        return HTTPD_CLOSE;
    if (!v->refused)
        buf_add(&v->body, piece.p, piece.n);
    return v->body.full ? HTTPD_CLOSE : HTTPD_GO_ON;
}

/* --- connections --- */

static void visitor_free(struct visitor *v) {
    struct endpoint *p = v->ep;

    visitor_reset(v);
    if (v->prev)
        v->prev->next = v->next;
    else
        p->visitors = v->next;
    if (v->next)
        v->next->prev = v->prev;
    p->n_visitors--;
    free(v);
}

static int on_socket(struct httpd_conn *c, enum lws_callback_reasons why, void *in, size_t n) {
    struct visitor *v = (struct visitor *)c;

    switch ((int)why) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: /* to websocket or HTTP/2: there is none here */
        return HTTPD_CLOSE;
    case LWS_CALLBACK_HTTP:
        return on_request(v);
    case LWS_CALLBACK_HTTP_BODY:
        return on_body(v, view_of(in, n));
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return on_body_end(v);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return writable(v);
    case LWS_CALLBACK_CLOSED_HTTP:
        visitor_reset(v);
        return HTTPD_GO_ON;
    case LWS_CALLBACK_WSI_DESTROY:
        visitor_free(v);
        return HTTPD_GO_ON;
    }
    return HTTPD_GO_ON;
}

static void on_accepted(void *arg, int fd) {
    struct endpoint *p = arg;
    struct visitor *v;

    if (p->n_visitors == VISITORS_MAX) {
        close(fd);
        return;
    }
    v = mem_new(sizeof *v);
    *v = (struct visitor){.sock.fn = on_socket, .ep = p, .deadline = loop_now() + HEAD_MS};
    if (httpd_adopt(p->net, fd, &v->sock)) {
        free(v);
        return;
    }
    v->next = p->visitors;
    if (p->visitors)
        p->visitors->prev = v;
    p->visitors = v;
    p->n_visitors++;
}

static void on_tick(void *arg) {
    struct endpoint *p = arg;
    int64_t now = loop_now();

    for (struct visitor *v = p->visitors; v; v = v->next)
        if (v->deadline >= 0 && now > v->deadline) {
            v->deadline = -1;
            httpd_kill(&v->sock);
        }
    orders_tick(p, now);
    loop_timer_set(p->tick, now + TICK_MS);
}

struct endpoint *endpoint_new(struct ws_net *n, struct door *d, const struct endpoint_port *port,
                              void *arg, struct err *e) {
    struct endpoint *p = mem_new(sizeof *p);

    *p = (struct endpoint){.net = n, .door = d, .port = port, .arg = arg};
    p->listener = listener_new(ws_loop(n), d->host, d->port, on_accepted, p, e);
    if (!p->listener) {
        free(p);
        return NULL;
    }
    d->port = listener_port(p->listener);
    p->tick = loop_timer_add(ws_loop(n), loop_now() + TICK_MS, on_tick, p);
    return p;
}

void endpoint_free(struct endpoint *p) {
    if (!p)
        return;
    listener_free(p->listener);
    loop_timer_del(p->tick);
    while (p->visitors) {
        httpd_drop(&p->visitors->sock);
        visitor_free(p->visitors);
    }
    free(p);
}
