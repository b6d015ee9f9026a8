#include "httpd.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket without an owner belonged to a server that is gone; it is about to be closed. */
static int on_lws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n) {
    struct httpd_conn *c = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!c)
        return why == LWS_CALLBACK_HTTP || why == LWS_CALLBACK_ESTABLISHED ? HTTPD_CLOSE
                                                                           : HTTPD_GO_ON;
    if (why == LWS_CALLBACK_WSI_DESTROY)
        lws_set_opaque_user_data(wsi, NULL);
    return c->fn(c, why, in, n);
}

static const struct lws_protocols protocols[] = {
    {.name = "nostr", .callback = on_lws, .rx_buffer_size = 65536},
    {0},
};

static const lws_retry_bo_t keepalive = {.secs_since_valid_ping = 60,
                                         .secs_since_valid_hangup = 120};

static struct lws_vhost *vhost_get(struct lws_context *ctx) {
    static const char name[] = "cdvm-http";
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .vhost_name = name,
        .options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .keepalive_timeout = 30,
        .timeout_secs = 20,
        .retry_and_idle_policy = &keepalive,
    };
    struct lws_vhost *vh = lws_get_vhost_by_name(ctx, name);

    return vh ? vh : lws_create_vhost(ctx, &info);
}

int httpd_adopt(struct ws_net *n, int fd, struct httpd_conn *c) {
    struct lws_vhost *vh = vhost_get(ws_context(n));
    const int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* lws does so for its own */
    if (!vh) {
        close(fd);
        return -1;
    }
    c->wsi = lws_adopt_socket_vhost(vh, fd); /* closes it on failure */
    if (!c->wsi)
        return -1;
    lws_set_opaque_user_data(c->wsi, c);
    return 0;
}

void httpd_kill(struct httpd_conn *c) {
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

void httpd_drop(struct httpd_conn *c) {
    httpd_kill(c);
    lws_set_opaque_user_data(c->wsi, NULL);
}

char *httpd_header(struct lws *wsi, enum lws_token_indexes which) {
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

/* --- answers --- */

void httpd_head_begin(struct httpd_head *h, struct lws *wsi, unsigned status) {
    h->wsi = wsi;
    h->at = h->raw + LWS_PRE;
    h->end = h->raw + sizeof h->raw;
    h->failed = lws_add_http_header_status(wsi, status, &h->at, h->end) != 0;
}

void httpd_head_add(struct httpd_head *h, const char *name, const char *value) {
    if (value && lws_add_http_header_by_name(h->wsi, (const unsigned char *)name,
                                             (const unsigned char *)value, (int)strlen(value),
                                             &h->at, h->end))
        h->failed = true;
}

void httpd_head_length(struct httpd_head *h, uint64_t n) {
    if (lws_add_http_header_content_length(h->wsi, n, &h->at, h->end))
        h->failed = true;
}

int httpd_head_send(struct httpd_head *h) {
    return h->failed || lws_finalize_write_http_header(h->wsi, h->raw + LWS_PRE, &h->at, h->end)
               ? HTTPD_CLOSE
               : HTTPD_GO_ON;
}

int httpd_write(struct lws *wsi, struct view bytes, bool last) {
    cleanup_free uint8_t *out = mem_new(LWS_PRE + bytes.n);

    memcpy(out + LWS_PRE, bytes.p, bytes.n);
    return lws_write(wsi, out + LWS_PRE, bytes.n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0
               ? HTTPD_CLOSE
               : HTTPD_GO_ON;
}

int httpd_finished(struct lws *wsi) {
    return lws_http_transaction_completed(wsi) ? HTTPD_CLOSE : HTTPD_GO_ON;
}
