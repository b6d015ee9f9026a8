#include "blossom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enc.h"
#include "hash.h"
#include "loop.h"
#include "ws.h"

#define KIND_AUTH 24242
#define AUTH_SECONDS 600
#define ANSWER_MAX 16384 /* bytes of an upload's descriptor */

struct blossom_op {
    struct http *h;
    struct http_req *req;
    char *server; /* without a trailing slash */
    char host[256];
    uint8_t sha[32];
    struct view data;
    bool allow_private, padded;
    blossom_fn *fn;
    http_progress_fn *progress;
    void *arg;
};

char *blossom_auth(const struct keypair *k, const char *verb, const uint8_t sha[static 32],
                   const char *server_host, int64_t now, bool padded) {
    cleanup_free char *until = mem_fmt("%lld", (long long)now + AUTH_SECONDS);
    cleanup_buf struct buf json = {0};
    struct buf out = {0};
    struct fields f = fields_new(KIND_AUTH, now, view_str("cdvm: one blob"));
    struct event *ev;
    uint8_t random[16];
    char hex[65], nonce[33];

    hex_encode(view_of(sha, 32), hex);
    random_bytes(random, sizeof random); /* two requests in one second are two authorizations */
    hex_encode(view_of(random, sizeof random), nonce);
    fields_add(&f, "t", verb);
    fields_add(&f, "x", hex);
    fields_add(&f, "expiration", until);
    fields_add(&f, "server", server_host);
    fields_add(&f, "nonce", nonce);
    ev = event_sign(&f, k);
    event_json(ev, &json);
    event_free(ev);
    buf_str(&out, "Nostr ");
    if (padded)
        base64_encode(buf_view(&json), &out);
    else
        base64url_encode(buf_view(&json), &out);
    return buf_take(&out);
}

static void op_free(struct blossom_op *op) {
    free(op->server);
    free(op);
}

static void op_done(struct blossom_op *op, struct view body, const struct err *e) {
    op->fn(op->arg, body, e);
    op_free(op);
}

static struct blossom_op *op_new(struct http *h, const char *server, bool allow_private,
                                 blossom_fn *fn, http_progress_fn *progress, void *arg,
                                 struct err *e) {
    struct blossom_op *op;
    struct url u;
    size_t n = strlen(server);

    if (url_parse(server, &u, e) < 0)
        return NULL;
    if (u.scheme[0] != 'h') {
        err_set(e, "bad-url", "a blob server's address begins with http:// or https://");
        return NULL;
    }
    op = mem_new(sizeof *op);
    *op = (struct blossom_op){.h = h,
                              .server = mem_strn(server, n && server[n - 1] == '/' ? n - 1 : n),
                              .allow_private = allow_private,
                              .fn = fn,
                              .progress = progress,
                              .arg = arg};
    snprintf(op->host, sizeof op->host, "%s", u.host);
    return op;
}

static void on_progress(void *arg, uint64_t done, uint64_t total) {
    struct blossom_op *op = arg;

    op->progress(op->arg, done, total);
}

/* A sentence from whatever the server said. */
static void refusal(struct err *e, const struct blossom_op *op, const struct http_answer *a) {
    const char *code = a->status == 404   ? "not-found"
                       : a->status == 413 ? "too-large"
                       : a->status == 401 ? "unauthorized"
                                          : "refused";

    err_set(e, code, "'%s' answered %ld%s%s", op->server, a->status, *a->reason ? ": " : "",
            a->reason);
}

/* ---- put ---- */

static int put_start(struct blossom_op *op, struct err *e);

static void put_answered(void *arg, struct http_answer *a) {
    struct blossom_op *op = arg;
    struct err e;

    op->req = NULL;
    if (a->err) {
        op_done(op, (struct view){0}, a->err);
    } else if (a->status == 401 && !op->padded) { /* older servers want padded base64 */
        op->padded = true;
        if (put_start(op, &e) < 0)
            op_done(op, (struct view){0}, &e);
    } else if (a->status == 200 || a->status == 201) {
        op_done(op, (struct view){0}, NULL);
    } else {
        refusal(&e, op, a);
        op_done(op, (struct view){0}, &e);
    }
}

/* Every request has a key of its own: uploads cannot be linked to each other or to a job. */
static int put_start(struct blossom_op *op, struct err *e) {
    struct keypair *k = keypair_new();
    cleanup_free char *auth = blossom_auth(k, "upload", op->sha, op->host, unix_now(), op->padded);
    cleanup_free char *header = mem_fmt("Authorization: %s", auth);
    cleanup_free char *url = mem_fmt("%s/upload", op->server);
    char hex[65];
    cleanup_free char *named = NULL;
    const char *headers[] = {header, "Content-Type: application/octet-stream", NULL, NULL};

    keypair_free(k);
    hex_encode(view_of(op->sha, 32), hex);
    headers[2] = named = mem_fmt("X-SHA-256: %s", hex);
    op->req = http_start(op->h,
                         &(struct http_ask){.method = "PUT",
                                            .url = url,
                                            .headers = headers,
                                            .body = op->data,
                                            .max_body = ANSWER_MAX,
                                            .allow_private = op->allow_private},
                         put_answered, op->progress ? on_progress : NULL, op, e);
    return op->req ? 0 : -1;
}

struct blossom_op *blossom_put(struct http *h, const char *server, struct view data,
                               bool allow_private, blossom_fn *fn, http_progress_fn *progress,
                               void *arg, struct err *e) {
    struct blossom_op *op = op_new(h, server, allow_private, fn, progress, arg, e);

    if (!op)
        return NULL;
    op->data = data;
    sha256(data, op->sha);
    if (put_start(op, e) == 0)
        return op;
    op_free(op);
    return NULL;
}

/* ---- get ---- */

static void get_answered(void *arg, struct http_answer *a) {
    struct blossom_op *op = arg;
    uint8_t sha[32];
    struct err e;

    op->req = NULL;
    if (a->err) {
        op_done(op, (struct view){0}, a->err);
        return;
    }
    sha256(buf_view(&a->body), sha);
    if (a->status != 200)
        refusal(&e, op, a);
    else if (memcmp(sha, op->sha, sizeof sha) != 0)
        err_set(&e, "bad-hash", "'%s' sent other bytes than asked for", op->server);
    else
        e.code[0] = 0;
    op_done(op, e.code[0] ? (struct view){0} : buf_view(&a->body), e.code[0] ? &e : NULL);
}

struct blossom_op *blossom_get(struct http *h, const char *server, const uint8_t sha[static 32],
                               size_t max, bool allow_private, blossom_fn *fn,
                               http_progress_fn *progress, void *arg, struct err *e) {
    struct blossom_op *op = op_new(h, server, allow_private, fn, progress, arg, e);
    cleanup_free char *url = NULL;
    char hex[65];

    if (!op)
        return NULL;
    memcpy(op->sha, sha, sizeof op->sha);
    hex_encode(view_of(sha, 32), hex);
    url = mem_fmt("%s/%s", op->server, hex);
    op->req = http_start(
        h,
        &(struct http_ask){
            .method = "GET", .url = url, .max_body = max, .allow_private = allow_private},
        get_answered, progress ? on_progress : NULL, op, e);
    if (op->req)
        return op;
    op_free(op);
    return NULL;
}

void blossom_cancel(struct blossom_op *op) {
    if (!op)
        return;
    http_cancel(op->req);
    op_free(op);
}
