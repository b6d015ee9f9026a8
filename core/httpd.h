/* What an HTTP server on libwebsockets is made of: accepted sockets, request headers, answers. The
 * embedded relay (provider/relayd.c) and `cdvm ask --serve` (tui/endpoint.c) are two of them.
 *
 * All share one vhost of their ws_net's context: libwebsockets finds the vhost of a request by port
 * and name, which sockets that are only adopted have in common, and forgets a vhost only some time
 * after it was told to. */
#ifndef CDVM_HTTPD_H
#define CDVM_HTTPD_H

#include <libwebsockets.h>

#include "ws.h"

/* What libwebsockets is to do next; callbacks and the functions below return one of these. */
enum { HTTPD_GO_ON = 0, HTTPD_CLOSE = -1 };

/* The first member of a server's own struct of one connection. It may be freed in
 * LWS_CALLBACK_WSI_DESTROY, the last call, and not before: httpd_drop ends it otherwise. */
struct httpd_conn;
typedef int httpd_fn(struct httpd_conn *c, enum lws_callback_reasons why, void *in, size_t n);
struct httpd_conn {
    struct lws *wsi;
    httpd_fn *fn;
};
/* Takes fd over, also on failure. */
int httpd_adopt(struct ws_net *n, int fd, struct httpd_conn *c) WARN_UNUSED;
/* The connection is closed some time later and nothing is called for it any more: c may go. */
void httpd_drop(struct httpd_conn *c);
/* It is closed some time later, with its last calls. */
void httpd_kill(struct httpd_conn *c);

char *httpd_header(struct lws *wsi, enum lws_token_indexes which); /* owned; NULL when absent */

/* Response headers being written; a failure sticks. */
#define HTTPD_HEAD_MAX 2048
struct httpd_head {
    struct lws *wsi;
    uint8_t raw[LWS_PRE + HTTPD_HEAD_MAX];
    uint8_t *at, *end;
    bool failed;
};
void httpd_head_begin(struct httpd_head *h, struct lws *wsi, unsigned status);
void httpd_head_add(struct httpd_head *h, const char *name,
                    const char *value);                   /* "name:"; NULL: not */
void httpd_head_length(struct httpd_head *h, uint64_t n); /* of the body */
int httpd_head_send(struct httpd_head *h);

int httpd_write(struct lws *wsi, struct view bytes, bool last); /* of the body */
int httpd_finished(struct lws *wsi);                            /* the answer is out */

#endif
