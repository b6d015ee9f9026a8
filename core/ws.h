/* Websocket clients on libwebsockets, driven by our loop. The server side is provider/relayd.c,
 * which makes its vhost in the same context (ws_context). */
#ifndef CDVM_WS_H
#define CDVM_WS_H

#include "dns.h"

struct lws_context;
struct ws_net; /* one lws context, the loop adopted into it, a DNS worker */

struct ws_net *ws_net_new(struct loop *l, struct err *e);
/* Not from inside a callback. Connections still open end without a call. NULL legal. */
void ws_net_free(struct ws_net *n);
struct lws_context *ws_context(struct ws_net *n);
struct loop *ws_loop(struct ws_net *n);

struct ws;
struct ws_handler {
    void (*open)(void *arg);
    void (*text)(void *arg, struct view msg);         /* a whole message, borrowed */
    void (*closed)(void *arg, const struct err *why); /* last call; ws is freed after it */
};
/* url: ws:// or wss://host[:port][/path]. Messages over max_msg bytes close the connection
 * ("too-large"). The queue of unsent bytes is capped at 4 MiB: ws_send then returns -1 ("busy").
 * public_only refuses a name that resolves to a private address ("private-address"). No callback
 * runs before ws_connect has returned. */
struct ws *ws_connect(struct ws_net *n, const char *url, size_t max_msg, bool public_only,
                      const struct ws_handler *h, void *arg, struct err *e);
int ws_send(struct ws *w, struct view text, struct err *e) WARN_UNUSED;
void ws_close(struct ws *w); /* no further callbacks, w is gone; NULL legal */

/* Splits and checks ws/wss/http/https URLs; refuses user info, fragments, control bytes. */
struct url {
    char scheme[8], host[256], path[512];
    uint16_t port;
    bool tls;
};
int url_parse(const char *s, struct url *out, struct err *e) WARN_UNUSED;
/* Normalised relay URL for comparison and for NIP-42 tags: lower-case scheme and host, default port
 * dropped, no trailing slash on an empty path. Owned; NULL when not ws/wss. */
char *relay_url_normal(const char *s);

#endif
