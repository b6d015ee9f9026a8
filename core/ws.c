#include "ws.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "wsio.h"

#define QUEUE_MAX ((size_t)4 << 20)
#define CONNECT_SECONDS 15

struct ws {
    struct ws_net *net;
    struct ws *prev, *next;
    struct url url;
    char host_header[272];
    struct dns_query *query; /* while the name is looked up */
    struct lws *wsi;         /* NULL before and after the connection */
    bool starting;           /* inside lws_client_connect_via_info */
    bool up, dead;           /* dead: closed by the owner, waits for lws to let go */
    bool public_only;
    struct err why;
    struct buf in;
    struct wsio_out out;
    struct ws_handler h;
    void *arg;
};

struct ws_net {
    struct loop *loop;
    struct dns *dns;
    struct lws_context *ctx;
    struct lws_vhost *vhost;
    struct ws *list;
};

/* A relay that falls silent is asked after 25 s and given up after 60 s. */
static const lws_retry_bo_t keepalive = {.secs_since_valid_ping = 25,
                                         .secs_since_valid_hangup = 60};

static int on_ws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n);
static int on_loop(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n);

static const struct lws_protocols protocols[] = {
    {.name = "cdvm-client", .callback = on_ws, .rx_buffer_size = 65536},
    {.name = "cdvm-loop", .callback = on_loop},
    {0},
};

/* ---- one connection ---- */

static void ws_free(struct ws *w) {
    if (w->prev)
        w->prev->next = w->next;
    else
        w->net->list = w->next;
    if (w->next)
        w->next->prev = w->prev;
    dns_cancel(w->query);
    buf_free(&w->in);
    wsio_out_free(&w->out);
    free(w);
}

static void ws_gone(struct ws *w) {
    struct err why = w->why;

    w->wsi = NULL;
    w->up = false;
    if (!w->why.code[0])
        err_set(&why, "closed", "'%s' closed the connection", w->url.host);
    if (!w->dead)
        w->h.closed(w->arg, &why);
    ws_free(w);
}

static void connect_to(struct ws *w, const char *addr) {
    const struct lws_client_connect_info ci = {
        .context = w->net->ctx,
        .vhost = w->net->vhost,
        .address = addr,
        .port = w->url.port,
        .path = w->url.path,
        .host = w->host_header,
        .ssl_connection = w->url.tls ? LCCSCF_USE_SSL : 0,
        .local_protocol_name = "cdvm-client",
        .opaque_user_data = w,
        .pwsi = &w->wsi,
        .retry_and_idle_policy = &keepalive,
    };

    w->starting = true;
    if (!lws_client_connect_via_info(&ci)) {
        if (!w->why.code[0])
            err_set(&w->why, "connect", "cannot connect to '%s'", w->url.host);
        ws_gone(w);
        return;
    }
    w->starting = false;
}

static void on_address(void *arg, const char *addr, const struct err *e) {
    struct ws *w = arg;

    w->query = NULL;
    if (addr && w->public_only && addr_is_private(addr)) {
        err_set(&w->why, "private-address", "'%s' is inside a private network (%s)", w->url.host,
                addr);
        addr = NULL;
    } else if (!addr) {
        w->why = *e;
    }
    if (addr)
        connect_to(w, addr);
    else
        ws_gone(w);
}

static void header_host(struct ws *w) {
    const char *v6 = strchr(w->url.host, ':') ? "[]" : "";
    bool plain = w->url.port == (w->url.tls ? 443 : 80);
    int n = snprintf(w->host_header, sizeof w->host_header, "%.1s%s%s", v6, w->url.host,
                     *v6 ? "]" : "");

    if (!plain)
        snprintf(w->host_header + n, sizeof w->host_header - (size_t)n, ":%u", w->url.port);
}

struct ws *ws_connect(struct ws_net *n, const char *url, size_t max_msg, bool public_only,
                      const struct ws_handler *h, void *arg, struct err *e) {
    struct url u;
    struct ws *w;

    if (url_parse(url, &u, e) < 0)
        return NULL;
    if (u.scheme[0] != 'w') {
        err_set(e, "bad-url", "'%s' is not a relay address (ws:// or wss://)", u.host);
        return NULL;
    }
    w = mem_new(sizeof *w);
    *w = (struct ws){.net = n, .url = u, .h = *h, .arg = arg, .public_only = public_only};
    w->out.max = QUEUE_MAX;
    buf_init(&w->in, max_msg);
    header_host(w);
    w->next = n->list;
    if (n->list)
        n->list->prev = w;
    n->list = w;
    w->query = dns_resolve(n->dns, u.host, on_address, w);
    return w;
}

int ws_send(struct ws *w, struct view text, struct err *e) {
    if (!w->up || w->dead)
        return err_set(e, "not-connected", "'%s' is not connected", w->url.host);
    return wsio_push(&w->out, w->wsi, text, e);
}

/* An open connection gets its queued messages and a close frame out first, within two seconds. */
void ws_close(struct ws *w) {
    if (!w || w->dead)
        return;
    w->dead = true;
    if (!w->wsi) {
        ws_free(w);
        return;
    }
    lws_set_timeout(w->wsi, PENDING_TIMEOUT_CLOSE_SEND, w->up ? 2 : LWS_TO_KILL_ASYNC);
    lws_callback_on_writable(w->wsi);
}

/* The owner hears of it at once; the other side may take its time over the closing handshake. */
static int break_off(struct ws *w, enum lws_close_status status) {
    lws_close_reason(w->wsi, status, NULL, 0);
    w->dead = true;
    w->h.closed(w->arg, &w->why);
    return -1;
}

static int received(struct ws *w, struct view piece) {
    struct view msg;

    if (w->dead)
        return 0;
    switch (wsio_take(&w->in, w->wsi, piece, &msg)) {
    case WSIO_MORE:
        return 0;
    case WSIO_WHOLE:
        w->h.text(w->arg, msg);
        return 0;
    case WSIO_TOO_LARGE:
        err_set(&w->why, "too-large", "'%s' sent a message over %zu bytes", w->url.host, w->in.max);
        return break_off(w, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    case WSIO_BINARY:
        err_set(&w->why, "bad-message", "'%s' sent a binary message", w->url.host);
        return break_off(w, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
    }
    return -1;
}

static int writable(struct ws *w) {
    if (wsio_write(&w->out, w->wsi) < 0)
        return -1;
    if (!w->dead || w->out.head)
        return 0;
    lws_close_reason(w->wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
    return -1;
}

/* lws's words for a failed handshake ("connect SSL err 1", "server's cert didn't look good") say
 * little: the cause is nearly always this. */
static void refused(struct ws *w, const char *text) {
    if (w->url.tls && text && (strstr(text, "SSL") || strstr(text, "cert")))
        err_set(&w->why, "tls",
                "cannot connect to '%s': TLS failed: its certificate is not trusted on this "
                "machine, or is for another name",
                w->url.host);
    else
        err_set(&w->why, "connect", "cannot connect to '%s': %s", w->url.host,
                text ? text : "no answer");
    if (!w->starting) /* else connect_to sees the failure and reports it once */
        ws_gone(w);
}

static int on_ws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n) {
    struct ws *w = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!w)
        return 0;
    switch ((int)why) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        w->up = true;
        if (!w->dead)
            w->h.open(w->arg);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return received(w, view_of(in, n));
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writable(w);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        lws_set_opaque_user_data(wsi, NULL);
        refused(w, in);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        lws_set_opaque_user_data(wsi, NULL);
        ws_gone(w);
        return 0;
    }
    return 0;
}

/* ---- the context, and our loop inside it ---- */

static int on_loop(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n) {
    struct ws_net *net = lws_context_user(lws_get_context(wsi));

    (void)user, (void)in, (void)n;
    if (why == LWS_CALLBACK_RAW_RX_FILE)
        loop_dispatch(net->loop);
    return 0;
}

static void wait_in_lws(void *arg) {
    struct ws_net *n = arg;

    lws_service(n->ctx, 0); /* sleeps until something happens, whatever the number */
}

static void on_lws_log(int level, const char *line) {
    log_line(level & LLL_ERR ? LOG_WARN : LOG_DEBUG, "lws", "%.*s", (int)strcspn(line, "\n"), line);
}

/* lws closes what it adopts: it gets a duplicate of the epoll descriptor. */
static int adopt_loop(struct ws_net *n, struct err *e) {
    lws_sock_file_fd_type fd;

    fd.filefd = fcntl(loop_epoll_fd(n->loop), F_DUPFD_CLOEXEC, 3);
    if (fd.filefd < 0)
        return err_sys(e, errno, "cannot duplicate the event loop's descriptor");
    if (!lws_adopt_descriptor_vhost(n->vhost, LWS_ADOPT_RAW_FILE_DESC, fd, "cdvm-loop", NULL)) {
        close(fd.filefd);
        return err_set(e, "lws", "libwebsockets did not take the event loop");
    }
    loop_set_waiter(n->loop, wait_in_lws, n);
    return 0;
}

static int net_open(struct ws_net *n, struct err *e) {
    struct lws_context_creation_info info = {
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .user = n,
        .pt_serv_buf_size = 131072,
        .max_http_header_data = 8192,    /* Authorization headers pass 4 KiB */
        .gid = (__typeof__(info.gid))-1, /* int in 4.1, gid_t in 4.3 */
        .uid = (__typeof__(info.uid))-1,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, on_lws_log);
    n->ctx = lws_create_context(&info);
    if (!n->ctx)
        return err_set(e, "lws", "libwebsockets did not start");
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.vhost_name = "client";
    info.connect_timeout_secs = info.timeout_secs = CONNECT_SECONDS;
    n->vhost = lws_create_vhost(n->ctx, &info);
    if (!n->vhost)
        return err_set(e, "lws", "libwebsockets made no client");
    n->dns = dns_new(n->loop, e);
    return n->dns ? adopt_loop(n, e) : -1;
}

struct ws_net *ws_net_new(struct loop *l, struct err *e) {
    struct ws_net *n = mem_new(sizeof *n);

    n->loop = l;
    if (net_open(n, e) == 0)
        return n;
    ws_net_free(n);
    return NULL;
}

void ws_net_free(struct ws_net *n) {
    struct ws *next;

    if (!n)
        return;
    for (struct ws *w = n->list; w; w = next) {
        next = w->next;
        ws_close(w);
    }
    if (n->ctx)
        lws_context_destroy(n->ctx);
    while (n->list) /* lws says nothing of connections that were still being made */
        ws_free(n->list);
    loop_set_waiter(n->loop, NULL, NULL);
    dns_free(n->dns);
    free(n);
}

struct lws_context *ws_context(struct ws_net *n) {
    return n->ctx;
}

struct loop *ws_loop(struct ws_net *n) {
    return n->loop;
}
