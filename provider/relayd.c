#include "relayd_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PURGE_MS 60000
#define ACCEPTS_PER_TURN 32

/* ---- libwebsockets ---- */

static struct peer *peer_new(struct relayd *r, struct lws *wsi) {
    struct peer *p = mem_new(sizeof *p);

    *p = (struct peer){.rd = r, .wsi = wsi, .next = r->peers};
    if (r->peers)
        r->peers->prev = p;
    r->peers = p;
    r->n_peers++;
    lws_set_opaque_user_data(wsi, p);
    return p;
}

static void peer_free(struct peer *p) {
    lws_set_opaque_user_data(p->wsi, NULL);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->rd->peers = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->rd->n_peers--;
    conn_free(p->conn);
    http_job_free(p->http);
    free(p);
}

/* A socket without a peer belonged to a relay that is gone; it is about to be closed. */
static int on_lws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n) {
    struct peer *p = lws_get_opaque_user_data(wsi);

    (void)user;
    if (!p)
        return why == LWS_CALLBACK_HTTP || why == LWS_CALLBACK_ESTABLISHED ? -1 : 0;
    switch ((int)why) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: /* "in" names the protocol; never h2c */
        return strcmp(in, "websocket") == 0 ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
        conn_open(p);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return p->conn ? conn_received(p->conn, view_of(in, n)) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return p->conn ? conn_writable(p->conn) : -1;
    case LWS_CALLBACK_CLOSED:
        conn_free(p->conn);
        p->conn = NULL;
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        peer_free(p);
        return 0;
    }
    return relay_http(p, why, in, n);
}

static const struct lws_protocols protocols[] = {
    {.name = "nostr", .callback = on_lws, .rx_buffer_size = 65536},
    {0},
};

static const lws_retry_bo_t keepalive = {.secs_since_valid_ping = 60,
                                         .secs_since_valid_hangup = 120};

/* The listening socket is ours, not lws's: its 4.1 versions listen on every interface when given an
 * address, and tell of a port in use only in their log. */
static void on_listener(void *arg, unsigned ready) {
    struct relayd *r = arg;
    const int one = 1;

    (void)ready;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct lws *wsi;
        int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return;
        if (r->n_peers >= r->o.max_conns) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* lws does so for its own */
        if ((wsi = lws_adopt_socket_vhost(r->vhost, fd)))           /* closes it on failure */
            peer_new(r, wsi);
    }
}

static int bind_address(struct relayd *r, struct sockaddr_storage *ss, socklen_t *len,
                        struct err *e) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)ss;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ss;

    memset(ss, 0, sizeof *ss);
    *len = sizeof *v4;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(r->o.port);
    if (inet_pton(AF_INET, r->bind, &v4->sin_addr) == 1) {
        r->loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
        return 0;
    }
    *len = sizeof *v6;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(r->o.port);
    if (inet_pton(AF_INET6, r->bind, &v6->sin6_addr) != 1)
        return err_set(e, "bad-address", "'%s' is not a numeric address to listen on", r->bind);
    r->loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return 0;
}

static int listen_on(struct relayd *r, struct err *e) {
    struct sockaddr_storage ss;
    socklen_t len;
    int one = 1;

    if (bind_address(r, &ss, &len, e) < 0)
        return -1;
    r->listener = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->listener < 0)
        return err_sys(e, errno, "cannot make a socket");
    setsockopt(r->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (ss.ss_family == AF_INET6)
        setsockopt(r->listener, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(r->listener, (struct sockaddr *)&ss, len) < 0 || listen(r->listener, 512) < 0)
        return err_sys(e, errno, "cannot listen on %s port %u", r->bind, r->o.port);
    if (getsockname(r->listener, (struct sockaddr *)&ss, &len) < 0)
        return err_sys(e, errno, "cannot learn the port");
    r->port = ntohs(ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port
                                            : ((struct sockaddr_in6 *)&ss)->sin6_port);
    r->watch = loop_fd_add(ws_loop(r->net), r->listener, LOOP_IN, on_listener, r);
    return r->watch ? 0 : err_sys(e, errno, "cannot watch the socket");
}

/* One vhost for all relays of the context: lws finds the vhost of a request by port and name, which
 * ours have in common, and forgets a vhost only some time after it was told to. */
static struct lws_vhost *vhost_get(struct lws_context *ctx) {
    static const char name[] = "cdvm-relay";
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

static int serve(struct relayd *r, struct err *e) {
    r->vhost = vhost_get(ws_context(r->net));
    return r->vhost ? listen_on(r, e) : err_set(e, "lws", "libwebsockets made no server");
}

/* ---- files ---- */

static bool ends_in_db(const char *s) {
    size_t n = strlen(s);

    return n > 3 && strcmp(s + n - 3, ".db") == 0;
}

static int make_dir(const char *path, struct err *e) {
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return err_sys(e, errno, "cannot make the folder '%s'", path);
}

static int open_files(struct relayd *r, struct err *e) {
    const char *path = r->o.path;
    bool file = ends_in_db(path);
    cleanup_free char *db = file ? mem_str(path) : mem_fmt("%s/relay.db", path);
    cleanup_free char *blobs = file ? mem_fmt("%s-blobs", path) : mem_fmt("%s/blobs", path);

    if ((!file && make_dir(path, e) < 0) || make_dir(blobs, e) < 0)
        return -1;
    r->store = relay_store_new(db, e);
    r->blobs = r->store ? relay_blobs_new(blobs, r->o.max_blob, r->o.max_blobs, e) : NULL;
    return r->blobs ? 0 : -1;
}

/* ---- lifecycle ---- */

static void on_commit(void *arg) {
    relayd_commit(arg);
}

static void on_purge(void *arg) {
    struct relayd *r = arg;

    relay_store_purge(r->store, unix_now());
    relayd_commit(r);
    loop_timer_set(r->purge, loop_now() + PURGE_MS);
}

static void defaults(struct relayd *r) {
    struct relayd_opts *o = &r->o;

    o->events_per_s = o->events_per_s ? o->events_per_s : r->loopback ? 50000 : 100;
    o->reqs_per_s = o->reqs_per_s ? o->reqs_per_s : r->loopback ? 5000 : 20;
    o->max_conns = o->max_conns ? o->max_conns : 1000;
}

static void name_urls(struct relayd *r) {
    bool v6 = strchr(r->bind, ':') != NULL;
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";

    r->own_url = mem_fmt("ws://%s%s%s:%u", open, r->bind, close, r->port);
    r->own_http = mem_fmt("http://%s%s%s:%u", open, r->bind, close, r->port);
}

struct relayd *relayd_new(struct ws_net *n, const struct relayd_opts *o, struct err *e) {
    struct relayd *r = mem_new(sizeof *r);

    r->net = n;
    r->o = *o;
    r->listener = -1;
    r->bind = mem_str(o->bind ? o->bind : "127.0.0.1");
    r->url = o->url ? relay_url_normal(o->url) : NULL;
    r->o.max_blob = o->max_blob ? o->max_blob : (uint64_t)64 << 20;
    r->o.max_blobs = o->max_blobs ? o->max_blobs : (uint64_t)8 << 30;
    r->commit = loop_timer_add(ws_loop(n), -1, on_commit, r);
    r->purge = loop_timer_add(ws_loop(n), -1, on_purge, r);
    r->auth_used = idset_new();
    if ((o->url && !r->url &&
         err_set(e, "bad-url", "the public address must be ws:// or wss://")) ||
        open_files(r, e) < 0 || serve(r, e) < 0) {
        relayd_free(r);
        return NULL;
    }
    defaults(r);
    name_urls(r);
    loop_timer_set(r->purge, loop_now() + PURGE_MS);
    return r;
}

void relayd_free(struct relayd *r) {
    if (!r)
        return;
    if (r->store)
        relayd_commit(r);
    loop_fd_del(r->watch);
    if (r->listener >= 0)
        close(r->listener);
    while (r->peers) {
        lws_set_timeout(r->peers->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        peer_free(r->peers);
    }
    loop_timer_del(r->commit);
    loop_timer_del(r->purge);
    relay_store_free(r->store);
    relay_blobs_free(r->blobs);
    idset_free(r->auth_used);
    free(r->pending);
    free(r->bind);
    free(r->url);
    free(r->own_url);
    free(r->own_http);
    free(r);
}

uint16_t relayd_port(const struct relayd *r) {
    return r->port;
}

bool relayd_loopback(const struct relayd *r) {
    return r->loopback;
}

const char *relayd_url(const struct relayd *r) {
    return r->own_url;
}

const char *relayd_blob_url(const struct relayd *r) {
    return r->own_http;
}
