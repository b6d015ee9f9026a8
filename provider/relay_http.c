/* HTTP on the relay's port: requests, answers, the NIP-11 document. */
#include "relay_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"

static struct http_job *job_new(struct peer *p) {
    struct http_job *j = mem_new(sizeof *j);

    *j = (struct http_job){.rd = p->rd, .wsi = p->sock.wsi, .peer = p, .fd = -1};
    p->http = j;
    return j;
}

void http_job_free(struct http_job *j) {
    if (!j)
        return;
    j->peer->http = NULL;
    relay_upload_free(j->up);
    event_free(j->auth);
    if (j->fd >= 0)
        close(j->fd);
    free(j);
}

/* ---- answers ---- */

static void head_preflight(struct httpd_head *h) {
    static const char *const cors[][2] = {
        {"access-control-allow-methods:", "GET, HEAD, PUT, DELETE, OPTIONS"},
        {"access-control-allow-headers:",
         "Authorization, Content-Type, Content-Length, X-SHA-256, X-Content-Type, "
         "X-Content-Length, *"},
        {"access-control-max-age:", "86400"},
    };

    for (size_t i = 0; i < COUNT(cors); i++)
        httpd_head_add(h, cors[i][0], cors[i][1]);
}

static int head_send(struct http_job *j, const struct http_answered *a) {
    struct httpd_head h;

    httpd_head_begin(&h, j->wsi, a->status);
    httpd_head_add(&h, "access-control-allow-origin:", "*");
    httpd_head_add(&h, "access-control-expose-headers:", "*");
    httpd_head_add(&h, "x-content-type-options:", "nosniff");
    httpd_head_add(&h, "content-type:", a->type);
    httpd_head_add(&h, "accept-ranges:", a->file ? "bytes" : NULL);
    httpd_head_add(&h, "x-reason:", a->reason);
    httpd_head_add(&h, "content-range:", a->range);
    httpd_head_add(&h, "connection:", a->close ? "close" : NULL);
    if (j->method == LWSHUMETH_OPTIONS)
        head_preflight(&h);
    if (a->status != 204)
        httpd_head_length(&h, a->file ? j->left : a->body.n);
    return httpd_head_send(&h);
}

int http_answer(struct http_job *j, const struct http_answered *a) {
    bool silent = j->method == LWSHUMETH_HEAD || a->status == 204;

    if (head_send(j, a) == HTTPD_CLOSE)
        return HTTPD_CLOSE;
    if (a->file && !silent && j->left) {
        lws_callback_on_writable(j->wsi);
        return HTTPD_GO_ON;
    }
    if (!a->file && !silent && a->body.n && httpd_write(j->wsi, a->body, true) == HTTPD_CLOSE)
        return HTTPD_CLOSE;
    return a->close ? HTTPD_CLOSE : httpd_finished(j->wsi);
}

int http_answer_text(struct http_job *j, unsigned status, const char *text) {
    return http_answer(
        j, &(struct http_answered){.status = status, .type = "text/plain", .body = view_str(text)});
}

/* The sentence goes to people both ways: in X-Reason (BUD-01) and as the body. */
int http_refuse(struct http_job *j, unsigned status, const char *why) {
    bool unread = j->method == LWSHUMETH_PUT || j->method == LWSHUMETH_POST;

    return http_answer(j, &(struct http_answered){.status = status,
                                                  .type = "text/plain",
                                                  .body = view_str(why),
                                                  .reason = why,
                                                  .close = unread});
}

static const struct {
    const char *code;
    unsigned status;
} statuses[] = {
    {"unauthorized", 401}, {"bad-id", 401},      {"bad-sig", 401},  {"bad-json", 401},
    {"bad-event", 401},    {"too-large", 413},   {"full", 507},     {"not-found", 404},
    {"not-owner", 403},    {"bad-request", 400}, {"bad-hash", 409},
};

int http_refuse_err(struct http_job *j, const struct err *e) {
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (strcmp(statuses[i].code, e->code) == 0)
            return http_refuse(j, statuses[i].status, e->text);
    log_line(LOG_WARN, "relay", "%s %s: %s", "http", e->code, e->text);
    return http_refuse(j, 500, "something went wrong inside the server");
}

/* ---- NIP-11 ---- */

static void limits_json(const struct relayd *r, struct jw *w) {
    jw_key(w, "limitation");
    jw_obj(w);
    jw_kint(w, "max_message_length", (int64_t)RELAYD_MESSAGE_MAX);
    jw_kint(w, "max_content_length", (int64_t)EVENT_MAX);
    jw_kint(w, "max_subscriptions", RELAYD_SUBS_MAX);
    jw_kint(w, "max_filters", RELAYD_FILTERS_MAX);
    jw_kint(w, "max_limit", RELAYD_LIMIT_MAX);
    jw_kint(w, "max_subid_length", RELAYD_SUB_ID_MAX);
    jw_kint(w, "max_event_tags", EVENT_TAGS_MAX);
    jw_kint(w, "min_pow_difficulty", r->o.min_pow);
    jw_kint(w, "created_at_upper_limit", RELAYD_FUTURE_S);
    jw_kbool(w, "auth_required", false);
    jw_kbool(w, "payment_required", false);
    jw_kbool(w, "restricted_writes", r->o.min_pow > 0);
    jw_end_obj(w);
}

static int serve_info(struct http_job *j) {
    static const int nips[] = {1, 9, 11, 13, 40, 42, 45, 59, 70};
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    jw_obj(&w);
    jw_kstr(&w, "name", "cdvm relay");
    jw_kstr(&w, "description", "An embedded relay and blob store for confidential jobs.");
    jw_kstr(&w, "software", "cdvm");
    jw_key(&w, "supported_nips");
    jw_arr(&w);
    for (size_t i = 0; i < COUNT(nips); i++)
        jw_int(&w, nips[i]);
    jw_end_arr(&w);
    limits_json(j->rd, &w);
    jw_end_obj(&w);
    return http_answer(j, &(struct http_answered){.status = 200,
                                                  .type = "application/nostr+json",
                                                  .body = buf_view(&b)});
}

static int serve_root(struct http_job *j) {
    cleanup_free char *accept = httpd_header(j->wsi, WSI_TOKEN_HTTP_ACCEPT);

    if (accept && strstr(accept, "application/nostr+json"))
        return serve_info(j);
    return http_answer_text(
        j, 200, "A Nostr relay and blob store. Connect with a Nostr client (websocket).\n");
}

/* ---- routes ---- */

static int options(struct http_job *j) {
    return http_answer(j, &(struct http_answered){.status = 204});
}

static int no_such_method(struct http_job *j) {
    return http_refuse(j, 405, "this method is not known here");
}

static int no_mirror(struct http_job *j) {
    return http_refuse(j, 501, "this server does not fetch blobs from others: upload the bytes");
}

static const struct {
    int method;
    const char *path; /* NULL: any */
    int (*serve)(struct http_job *j);
} routes[] = {
    {LWSHUMETH_OPTIONS, NULL, options},
    {LWSHUMETH_GET, "/", serve_root},
    {LWSHUMETH_HEAD, "/", serve_root},
    {LWSHUMETH_PUT, "/upload", blobs_upload},
    {LWSHUMETH_HEAD, "/upload", blobs_preflight},
    {LWSHUMETH_PUT, "/mirror", no_mirror},
    {LWSHUMETH_GET, NULL, blobs_serve},
    {LWSHUMETH_HEAD, NULL, blobs_serve},
    {LWSHUMETH_DELETE, NULL, blobs_delete},
};

static int route(struct http_job *j) {
    for (size_t i = 0; i < COUNT(routes); i++)
        if (routes[i].method == j->method &&
            (!routes[i].path || strcmp(routes[i].path, j->path) == 0))
            return routes[i].serve(j);
    return no_such_method(j);
}

static int request(struct peer *p) {
    struct http_job *j;
    char *uri = NULL;
    int n = 0;

    http_job_free(p->http); /* an earlier request on the same connection */
    j = job_new(p);
    j->method = lws_http_get_uri_and_method(p->sock.wsi, &uri, &n);
    if (j->method < 0 || n < 0 || (size_t)n >= sizeof j->path)
        return http_refuse(j, 414, "the address is too long");
    memcpy(j->path, uri, (size_t)n);
    return route(j);
}

int relay_http(struct peer *p, enum lws_callback_reasons why, void *in, size_t n) {
    struct http_job *j = p->http;

    switch ((int)why) {
    case LWS_CALLBACK_HTTP:
        return request(p);
    case LWS_CALLBACK_HTTP_BODY:
        return j ? blobs_piece(j, view_of(in, n)) : HTTPD_CLOSE;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return j && j->up ? blobs_finish(j) : HTTPD_CLOSE;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return j && j->fd >= 0 && j->left ? blobs_chunk(j) : HTTPD_GO_ON;
    case LWS_CALLBACK_CLOSED_HTTP:
        http_job_free(j);
        return HTTPD_GO_ON;
    }
    return HTTPD_GO_ON;
}
