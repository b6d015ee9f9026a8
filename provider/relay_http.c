/* HTTP on the relay's port: the NIP-11 document and the Blossom routes. */
#include "relay_http.h"
#include "relayd_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/log.h"

#define HEADERS_MAX 2048
#define CHUNK 65536
#define CONTENT_SECONDS 30 /* a transfer that stands still this long is cut */

/* One request. */
struct http_job {
    struct relayd *rd;
    struct peer *peer;
    struct lws *wsi;
    int method; /* LWSHUMETH_* */
    char path[256];
    struct relay_upload *up;
    struct event *auth;
    int fd; /* of the blob being sent, or -1 */
    uint64_t left;
};

/* What lws is to do next: 0 carry on, -1 close. */
enum { GO_ON = 0, CLOSE = -1 };

static struct http_job *job_new(struct peer *p) {
    struct http_job *j = mem_new(sizeof *j);

    *j = (struct http_job){.rd = p->rd, .wsi = p->wsi, .peer = p, .fd = -1};
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

static char *header_copy(struct lws *wsi, enum lws_token_indexes which) {
    int n = lws_hdr_total_length(wsi, which);
    char *s;

    if (n <= 0)
        return NULL;
    s = mem_new((size_t)n + 1);
    if (lws_hdr_copy(wsi, s, n + 1, which) == n)
        return s;
    free(s);
    return NULL;
}

/* ---- answers ---- */

struct answer {
    unsigned status;
    const char *type; /* NULL: no body */
    struct view body;
    bool file;          /* j->left bytes of j->fd follow instead of body */
    const char *reason; /* X-Reason */
    const char *range;  /* Content-Range */
    bool close;         /* the request's own body was not read: the connection is of no more use */
};

/* Response headers being written; failure sticks. */
struct head {
    struct lws *wsi;
    uint8_t raw[LWS_PRE + HEADERS_MAX];
    uint8_t *at, *end;
    bool failed;
};

static void head_add(struct head *h, const char *name, const char *value) {
    if (value && lws_add_http_header_by_name(h->wsi, (const unsigned char *)name,
                                             (const unsigned char *)value, (int)strlen(value),
                                             &h->at, h->end))
        h->failed = true;
}

static void head_preflight(struct head *h) {
    static const char *const cors[][2] = {
        {"access-control-allow-methods:", "GET, HEAD, PUT, DELETE, OPTIONS"},
        {"access-control-allow-headers:",
         "Authorization, Content-Type, Content-Length, X-SHA-256, X-Content-Type, "
         "X-Content-Length, *"},
        {"access-control-max-age:", "86400"},
    };

    for (size_t i = 0; i < COUNT(cors); i++)
        head_add(h, cors[i][0], cors[i][1]);
}

static int head_send(struct http_job *j, const struct answer *a) {
    struct head h = {.wsi = j->wsi};

    h.at = h.raw + LWS_PRE;
    h.end = h.raw + sizeof h.raw;
    h.failed = lws_add_http_header_status(j->wsi, a->status, &h.at, h.end) != 0;
    head_add(&h, "access-control-allow-origin:", "*");
    head_add(&h, "access-control-expose-headers:", "*");
    head_add(&h, "x-content-type-options:", "nosniff");
    head_add(&h, "content-type:", a->type);
    head_add(&h, "accept-ranges:", a->file ? "bytes" : NULL);
    head_add(&h, "x-reason:", a->reason);
    head_add(&h, "content-range:", a->range);
    head_add(&h, "connection:", a->close ? "close" : NULL);
    if (j->method == LWSHUMETH_OPTIONS)
        head_preflight(&h);
    if (a->status != 204 &&
        lws_add_http_header_content_length(j->wsi, a->file ? j->left : a->body.n, &h.at, h.end))
        h.failed = true;
    return h.failed || lws_finalize_write_http_header(j->wsi, h.raw + LWS_PRE, &h.at, h.end)
               ? CLOSE
               : GO_ON;
}

static int finished(struct http_job *j) {
    return lws_http_transaction_completed(j->wsi) ? CLOSE : GO_ON;
}

static int body_send(struct http_job *j, struct view body) {
    cleanup_free uint8_t *out = mem_new(LWS_PRE + body.n);

    memcpy(out + LWS_PRE, body.p, body.n);
    return lws_write(j->wsi, out + LWS_PRE, body.n, LWS_WRITE_HTTP_FINAL) < 0 ? CLOSE : GO_ON;
}

static int answer(struct http_job *j, const struct answer *a) {
    bool silent = j->method == LWSHUMETH_HEAD || a->status == 204;

    if (head_send(j, a) == CLOSE)
        return CLOSE;
    if (a->file && !silent && j->left) {
        lws_callback_on_writable(j->wsi);
        return GO_ON;
    }
    if (!a->file && !silent && a->body.n && body_send(j, a->body) == CLOSE)
        return CLOSE;
    return a->close ? CLOSE : finished(j);
}

static int answer_text(struct http_job *j, unsigned status, const char *text) {
    return answer(j,
                  &(struct answer){.status = status, .type = "text/plain", .body = view_str(text)});
}

/* The sentence goes to people both ways: in X-Reason (BUD-01) and as the body. */
static int refuse(struct http_job *j, unsigned status, const char *why) {
    bool unread = j->method == LWSHUMETH_PUT || j->method == LWSHUMETH_POST;

    return answer(j, &(struct answer){.status = status,
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

static int refuse_err(struct http_job *j, const struct err *e) {
    for (size_t i = 0; i < COUNT(statuses); i++)
        if (strcmp(statuses[i].code, e->code) == 0)
            return refuse(j, statuses[i].status, e->text);
    log_line(LOG_WARN, "relay", "%s %s: %s", "http", e->code, e->text);
    return refuse(j, 500, "something went wrong inside the server");
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
    return answer(
        j, &(struct answer){.status = 200, .type = "application/nostr+json", .body = buf_view(&b)});
}

static int serve_root(struct http_job *j) {
    cleanup_free char *accept = header_copy(j->wsi, WSI_TOKEN_HTTP_ACCEPT);

    if (accept && strstr(accept, "application/nostr+json"))
        return serve_info(j);
    return answer_text(j, 200,
                       "A Nostr relay and blob store. Connect with a Nostr client (websocket).\n");
}

/* ---- authorization ---- */

/* Sets j->auth. claim: marks it used (each is good for one request). */
static int authorize(struct http_job *j, const char *verb, const uint8_t *sha, bool claim,
                     struct err *e) {
    struct url u = {0};
    const char *const hosts[] = {j->rd->bind, "127.0.0.1", "localhost", "::1", u.host, NULL};
    const struct http_auth_want want = {
        .verb = verb, .sha = sha, .hosts = hosts, .now = unix_now()};
    cleanup_free char *header = header_copy(j->wsi, WSI_TOKEN_HTTP_AUTHORIZATION);

    if (j->rd->url && url_parse(j->rd->url, &u, e) < 0)
        return -1;
    j->auth = http_auth_parse(view_str(header), &want, e);
    if (!j->auth)
        return -1;
    if (idset_has(j->rd->auth_used, j->auth->f.id, 0) ||
        (claim && !idset_add(j->rd->auth_used, j->auth->f.id, 0)))
        return err_set(e, "unauthorized", "this authorization was used before");
    return 0;
}

/* ---- blobs ---- */

static int serve_range(struct http_job *j, uint64_t size) {
    cleanup_free char *header = header_copy(j->wsi, WSI_TOKEN_HTTP_RANGE);
    uint64_t first = 0, count = size;
    char range[80];

    switch (http_range_parse(view_str(header), size, &first, &count)) {
    case RANGE_NONE:
        j->left = size;
        return answer(
            j, &(struct answer){.status = 200, .type = "application/octet-stream", .file = true});
    case RANGE_PART:
        j->left = count;
        snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)first,
                 (unsigned long long)(first + count - 1), (unsigned long long)size);
        if (lseek(j->fd, (off_t)first, SEEK_SET) < 0)
            return CLOSE;
        return answer(j, &(struct answer){.status = 206,
                                          .type = "application/octet-stream",
                                          .file = true,
                                          .range = range});
    case RANGE_BAD:
        snprintf(range, sizeof range, "bytes */%llu", (unsigned long long)size);
        return answer(j, &(struct answer){.status = 416,
                                          .range = range,
                                          .reason = "the range lies outside the blob"});
    }
    return CLOSE;
}

static int serve_blob(struct http_job *j) {
    uint8_t sha[32];
    uint64_t size;
    struct err e;

    if (!http_blob_path(view_str(j->path), sha))
        return refuse(j, 404, "there is nothing at this address");
    j->fd = relay_blob_open(j->rd->blobs, sha, &size, &e);
    return j->fd < 0 ? refuse_err(j, &e) : serve_range(j, size);
}

static int send_chunk(struct http_job *j) {
    uint8_t out[LWS_PRE + CHUNK];
    size_t want = j->left < CHUNK ? (size_t)j->left : CHUNK;
    ssize_t n = read(j->fd, out + LWS_PRE, want);

    if (n <= 0)
        return CLOSE; /* shorter than Content-Length said: the reader must notice */
    j->left -= (uint64_t)n;
    lws_set_timeout(j->wsi, PENDING_TIMEOUT_HTTP_CONTENT, CONTENT_SECONDS);
    if (lws_write(j->wsi, out + LWS_PRE, (size_t)n,
                  j->left ? LWS_WRITE_HTTP : LWS_WRITE_HTTP_FINAL) < 0)
        return CLOSE;
    if (!j->left)
        return finished(j);
    lws_callback_on_writable(j->wsi);
    return GO_ON;
}

static int delete_blob(struct http_job *j) {
    uint8_t sha[32];
    struct err e;

    if (!http_blob_path(view_str(j->path), sha))
        return refuse(j, 404, "there is nothing at this address");
    if (authorize(j, "delete", sha, true, &e) < 0 ||
        relay_blob_delete(j->rd->blobs, sha, j->auth->f.pubkey, &e) < 0)
        return refuse_err(j, &e);
    return answer_text(j, 200, "deleted\n");
}

static bool header_sha(struct http_job *j, uint8_t sha[32], bool *present) {
    static const char name[] = "x-sha-256:";
    char hex[65];
    int n = lws_hdr_custom_length(j->wsi, name, sizeof name - 1);

    *present = n >= 0;
    return n == 64 && lws_hdr_custom_copy(j->wsi, hex, sizeof hex, name, sizeof name - 1) == 64 &&
           hex_decode_str(hex, sha, 32);
}

/* HEAD /upload (BUD-06): would this upload be taken? */
static int preflight(struct http_job *j) {
    static const char name[] = "x-content-length:";
    char text[24] = "";
    uint8_t sha[32];
    uint64_t size;
    bool present;
    struct err e;

    if (!header_sha(j, sha, &present))
        return refuse(j, 400, "X-SHA-256 is missing or is not 64 hex digits");
    if (lws_hdr_custom_copy(j->wsi, text, sizeof text, name, sizeof name - 1) < 0 ||
        !http_length_parse(view_str(text), &size))
        return refuse(j, 411, "X-Content-Length is missing or is not a number");
    if (size > relay_blobs_max(j->rd->blobs))
        return refuse(j, 413, "the blob is larger than this server takes");
    if (authorize(j, "upload", sha, false, &e) < 0)
        return refuse_err(j, &e);
    return answer(j, &(struct answer){.status = 200});
}

/* ---- upload ---- */

/* The Blob Descriptor (BUD-02). */
static int answer_descriptor(struct http_job *j, const uint8_t sha[32], uint64_t size, bool fresh) {
    const struct relayd *r = j->rd;
    cleanup_free char *base = r->url ? mem_fmt("http%s", r->url + 2) : mem_str(r->own_http);
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);
    cleanup_free char *url = NULL;
    char hex[65];

    hex_encode(view_of(sha, 32), hex);
    url = mem_fmt("%s/%s", base, hex);
    jw_obj(&w);
    jw_kstr(&w, "url", url);
    jw_kstr(&w, "sha256", hex);
    jw_kint(&w, "size", (int64_t)size);
    jw_kstr(&w, "type", "application/octet-stream");
    jw_kint(&w, "uploaded", unix_now());
    jw_end_obj(&w);
    return answer(j, &(struct answer){.status = fresh ? 201 : 200,
                                      .type = "application/json",
                                      .body = buf_view(&b)});
}

static int upload_finish(struct http_job *j) {
    struct relay_upload *up = j->up;
    uint64_t size = relay_upload_size(up);
    uint8_t sha[32];
    bool fresh;
    struct err e;

    if (relay_upload_hash(up, sha, &e) < 0)
        return refuse_err(j, &e);
    if (!http_auth_names(j->auth, sha))
        return refuse(j, 409, "the bytes do not have the sha256 that was authorized");
    j->up = NULL;
    if (relay_upload_keep(up, j->auth->f.pubkey, &fresh, &e) < 0)
        return refuse_err(j, &e);
    return answer_descriptor(j, sha, size, fresh);
}

static int upload_start(struct http_job *j) {
    cleanup_free char *chunked = header_copy(j->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
    cleanup_free char *length = header_copy(j->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    uint8_t sha[32];
    uint64_t size;
    bool named;
    struct err e;

    if (chunked || !length)
        return refuse(j, 411, "Content-Length is needed; chunked uploads are not taken");
    if (!http_length_parse(view_str(length), &size))
        return refuse(j, 400, "Content-Length is not a number");
    if (!header_sha(j, sha, &named) && named)
        return refuse(j, 400, "X-SHA-256 is not 64 hex digits");
    if (size > relay_blobs_max(j->rd->blobs))
        return refuse(j, 413, "the blob is larger than this server takes");
    if (authorize(j, "upload", named ? sha : NULL, true, &e) < 0 ||
        !(j->up = relay_upload_new(j->rd->blobs, size, &e)))
        return refuse_err(j, &e);
    return size ? GO_ON : upload_finish(j); /* lws calls no more for an empty body */
}

static int upload_piece(struct http_job *j, struct view piece) {
    struct err e;

    if (!j->up || relay_upload_add(j->up, piece, &e) == 0)
        return j->up ? GO_ON : CLOSE;
    return refuse_err(j, &e);
}

/* ---- routes ---- */

static int options(struct http_job *j) {
    return answer(j, &(struct answer){.status = 204});
}

static int no_such_method(struct http_job *j) {
    return refuse(j, 405, "this method is not known here");
}

static int no_mirror(struct http_job *j) {
    return refuse(j, 501, "this server does not fetch blobs from others: upload the bytes");
}

static const struct {
    int method;
    const char *path; /* NULL: any */
    int (*serve)(struct http_job *j);
} routes[] = {
    {LWSHUMETH_OPTIONS, NULL, options},     {LWSHUMETH_GET, "/", serve_root},
    {LWSHUMETH_HEAD, "/", serve_root},      {LWSHUMETH_PUT, "/upload", upload_start},
    {LWSHUMETH_HEAD, "/upload", preflight}, {LWSHUMETH_PUT, "/mirror", no_mirror},
    {LWSHUMETH_GET, NULL, serve_blob},      {LWSHUMETH_HEAD, NULL, serve_blob},
    {LWSHUMETH_DELETE, NULL, delete_blob},
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
    j->method = lws_http_get_uri_and_method(p->wsi, &uri, &n);
    if (j->method < 0 || n < 0 || (size_t)n >= sizeof j->path)
        return refuse(j, 414, "the address is too long");
    memcpy(j->path, uri, (size_t)n);
    return route(j);
}

int relay_http(struct peer *p, enum lws_callback_reasons why, void *in, size_t n) {
    struct http_job *j = p->http;

    switch ((int)why) {
    case LWS_CALLBACK_HTTP:
        return request(p);
    case LWS_CALLBACK_HTTP_BODY:
        return j ? upload_piece(j, view_of(in, n)) : CLOSE;
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return j && j->up ? upload_finish(j) : CLOSE;
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return j && j->fd >= 0 && j->left ? send_chunk(j) : GO_ON;
    case LWS_CALLBACK_CLOSED_HTTP:
        http_job_free(j);
        return GO_ON;
    }
    return GO_ON;
}
