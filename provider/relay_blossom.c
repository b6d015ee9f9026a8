/* Blossom on the relay's port: BUD-01 (get, ranges), BUD-02 (upload, delete), BUD-06 (preflight),
 * BUD-11. */
#include "relay_http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "relay_auth.h"
#include "core/enc.h"
#include "core/json.h"

#define CHUNK 65536
#define CONTENT_SECONDS 30 /* a transfer that stands still this long is cut */

/* ---- authorization ---- */

/* Sets j->auth. claim: marks it used (each is good for one request). */
static int authorize(struct http_job *j, const char *verb, const uint8_t *sha, bool claim,
                     struct err *e) {
    struct url u = {0};
    const char *const hosts[] = {j->rd->bind, "127.0.0.1", "localhost", "::1", u.host, NULL};
    const struct http_auth_want want = {
        .verb = verb, .sha = sha, .hosts = hosts, .now = unix_now()};
    cleanup_free char *header = httpd_header(j->wsi, WSI_TOKEN_HTTP_AUTHORIZATION);

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
    cleanup_free char *header = httpd_header(j->wsi, WSI_TOKEN_HTTP_RANGE);
    uint64_t first = 0, count = size;
    char range[80];

    switch (http_range_parse(view_str(header), size, &first, &count)) {
    case RANGE_NONE:
        j->left = size;
        return http_answer(j, &(struct http_answered){
                                  .status = 200, .type = "application/octet-stream", .file = true});
    case RANGE_PART:
        j->left = count;
        snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)first,
                 (unsigned long long)(first + count - 1), (unsigned long long)size);
        if (lseek(j->fd, (off_t)first, SEEK_SET) < 0)
            return HTTPD_CLOSE;
        return http_answer(j, &(struct http_answered){.status = 206,
                                                      .type = "application/octet-stream",
                                                      .file = true,
                                                      .range = range});
    case RANGE_BAD:
        snprintf(range, sizeof range, "bytes */%llu", (unsigned long long)size);
        return http_answer(j, &(struct http_answered){.status = 416,
                                                      .range = range,
                                                      .reason = "the range lies outside the blob"});
    }
    return HTTPD_CLOSE;
}

int blobs_serve(struct http_job *j) {
    uint8_t sha[32];
    uint64_t size;
    struct err e;

    if (!http_blob_path(view_str(j->path), sha))
        return http_refuse(j, 404, "there is nothing at this address");
    j->fd = relay_blob_open(j->rd->blobs, sha, &size, &e);
    return j->fd < 0 ? http_refuse_err(j, &e) : serve_range(j, size);
}

int blobs_chunk(struct http_job *j) {
    uint8_t out[LWS_PRE + CHUNK];
    size_t want = j->left < CHUNK ? (size_t)j->left : CHUNK;
    ssize_t n = read(j->fd, out + LWS_PRE, want);

    if (n <= 0)
        return HTTPD_CLOSE; /* shorter than Content-Length said: the reader must notice */
    j->left -= (uint64_t)n;
    lws_set_timeout(j->wsi, PENDING_TIMEOUT_HTTP_CONTENT, CONTENT_SECONDS);
    if (lws_write(j->wsi, out + LWS_PRE, (size_t)n,
                  j->left ? LWS_WRITE_HTTP : LWS_WRITE_HTTP_FINAL) < 0)
        return HTTPD_CLOSE;
    if (!j->left)
        return httpd_finished(j->wsi);
    lws_callback_on_writable(j->wsi);
    return HTTPD_GO_ON;
}

int blobs_delete(struct http_job *j) {
    uint8_t sha[32];
    struct err e;

    if (!http_blob_path(view_str(j->path), sha))
        return http_refuse(j, 404, "there is nothing at this address");
    if (authorize(j, "delete", sha, true, &e) < 0 ||
        relay_blob_delete(j->rd->blobs, sha, j->auth->f.pubkey, &e) < 0)
        return http_refuse_err(j, &e);
    return http_answer_text(j, 200, "deleted\n");
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
int blobs_preflight(struct http_job *j) {
    static const char name[] = "x-content-length:";
    char text[24] = "";
    uint8_t sha[32];
    uint64_t size;
    bool present;
    struct err e;

    if (!header_sha(j, sha, &present))
        return http_refuse(j, 400, "X-SHA-256 is missing or is not 64 hex digits");
    if (lws_hdr_custom_copy(j->wsi, text, sizeof text, name, sizeof name - 1) < 0 ||
        !http_length_parse(view_str(text), &size))
        return http_refuse(j, 411, "X-Content-Length is missing or is not a number");
    if (size > relay_blobs_max(j->rd->blobs))
        return http_refuse(j, 413, "the blob is larger than this server takes");
    if (authorize(j, "upload", sha, false, &e) < 0)
        return http_refuse_err(j, &e);
    return http_answer(j, &(struct http_answered){.status = 200});
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
    return http_answer(j, &(struct http_answered){.status = fresh ? 201 : 200,
                                                  .type = "application/json",
                                                  .body = buf_view(&b)});
}

int blobs_finish(struct http_job *j) {
    struct relay_upload *up = j->up;
    uint64_t size = relay_upload_size(up);
    uint8_t sha[32];
    bool fresh;
    struct err e;

    if (relay_upload_hash(up, sha, &e) < 0)
        return http_refuse_err(j, &e);
    if (!http_auth_names(j->auth, sha))
        return http_refuse(j, 409, "the bytes do not have the sha256 that was authorized");
    j->up = NULL;
    if (relay_upload_keep(up, j->auth->f.pubkey, &fresh, &e) < 0)
        return http_refuse_err(j, &e);
    return answer_descriptor(j, sha, size, fresh);
}

int blobs_upload(struct http_job *j) {
    cleanup_free char *chunked = httpd_header(j->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING);
    cleanup_free char *length = httpd_header(j->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    uint8_t sha[32];
    uint64_t size;
    bool named;
    struct err e;

    if (chunked || !length)
        return http_refuse(j, 411, "Content-Length is needed; chunked uploads are not taken");
    if (!http_length_parse(view_str(length), &size))
        return http_refuse(j, 400, "Content-Length is not a number");
    if (!header_sha(j, sha, &named) && named)
        return http_refuse(j, 400, "X-SHA-256 is not 64 hex digits");
    if (size > relay_blobs_max(j->rd->blobs))
        return http_refuse(j, 413, "the blob is larger than this server takes");
    if (authorize(j, "upload", named ? sha : NULL, true, &e) < 0 ||
        !(j->up = relay_upload_new(j->rd->blobs, size, &e)))
        return http_refuse_err(j, &e);
    return size ? HTTPD_GO_ON : blobs_finish(j); /* lws calls no more for an empty body */
}

int blobs_piece(struct http_job *j, struct view piece) {
    struct err e;

    if (!j->up || relay_upload_add(j->up, piece, &e) == 0)
        return j->up ? HTTPD_GO_ON : HTTPD_CLOSE;
    return http_refuse_err(j, &e);
}
