#include "relayd_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/enc.h"
#include "core/json.h"
#include "core/log.h"
#include "core/secret.h"

#define PURGE_MS 60000
#define ACCEPTS_PER_TURN 32

/* The vhost's user pointer. lws lets go of a vhost and its sockets some time after
 * lws_vhost_destroy, so the door outlives the relay, shut, until lws says that the vhost is gone.
 */
struct door {
    struct relayd *rd; /* NULL: shut */
};

void bucket_init(struct bucket *b, unsigned rate) {
    *b = (struct bucket){.tokens = 2.0 * rate, .at = loop_now(), .rate = rate};
}

bool bucket_take(struct bucket *b) {
    int64_t now = loop_now();

    b->tokens += (double)(now - b->at) * b->rate / 1000;
    b->at = now;
    if (b->tokens > 2.0 * b->rate)
        b->tokens = 2.0 * b->rate;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

/* ---- one websocket client ---- */

void conn_send(struct conn *c, struct view text) {
    if (c->closing || wsio_push(&c->out, c->wsi, text, NULL) == 0)
        return;
    c->closing = true; /* reads too slowly */
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

void conn_notice(struct conn *c, const char *fmt, ...) {
    cleanup_buf struct buf b = {0};
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_str(&b, "[\"NOTICE\",");
    json_escape(view_str(text), &b);
    buf_str(&b, "]");
    conn_send(c, buf_view(&b));
}

bool conn_has_key(const struct conn *c, const uint8_t key[static 32]) {
    for (size_t i = 0; i < c->n_keys; i++)
        if (memcmp(c->keys[i], key, 32) == 0)
            return true;
    return false;
}

struct relay_reader conn_reader(const struct conn *c) {
    return (struct relay_reader){c->keys, c->n_keys};
}

static void greet(struct conn *c) {
    uint8_t random[16];
    cleanup_buf struct buf b = {0};

    random_bytes(random, sizeof random);
    hex_encode(view_of(random, sizeof random), c->challenge);
    buf_fmt(&b, "[\"AUTH\",\"%s\"]", c->challenge);
    conn_send(c, buf_view(&b));
}

static struct conn *conn_new(struct relayd *r, struct lws *wsi, struct slot *slot) {
    struct conn *c = mem_new(sizeof *c);

    c->rd = r;
    c->wsi = wsi;
    c->slot = slot;
    slot->conn = c;
    c->out.max = RELAYD_OUT_MAX;
    buf_init(&c->in, RELAYD_MESSAGE_MAX);
    bucket_init(&c->events, r->o.events_per_s);
    bucket_init(&c->reqs, r->o.reqs_per_s);
    c->next = r->conns;
    if (r->conns)
        r->conns->prev = c;
    r->conns = c;
    return c;
}

static void conn_free(struct conn *c) {
    struct relayd *r;

    if (!c)
        return;
    r = c->rd;
    c->slot->conn = NULL;
    if (c->prev)
        c->prev->next = c->next;
    else
        r->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    for (size_t i = 0; i < r->n_pending; i++)
        if (r->pending[i].from == c)
            r->pending[i].from = NULL;
    while (c->subs)
        rsub_drop(c, c->subs->id);
    buf_free(&c->in);
    wsio_out_free(&c->out);
    free(c);
}

static int close_with(struct conn *c, enum lws_close_status status, const char *text) {
    lws_close_reason(c->wsi, status, (unsigned char *)(uintptr_t)text, strlen(text));
    return -1;
}

static int conn_received(struct conn *c, struct view piece) {
    struct view msg;

    switch (wsio_take(&c->in, c->wsi, piece, &msg)) {
    case WSIO_MORE:
        return 0;
    case WSIO_WHOLE:
        relayd_take(c, msg);
        if (c->strikes > RELAYD_STRIKES_MAX)
            return close_with(c, LWS_CLOSE_STATUS_POLICY_VIOLATION, "too many broken messages");
        return c->closing ? -1 : 0;
    case WSIO_TOO_LARGE:
        return close_with(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "a message may have 131072 bytes");
    case WSIO_BINARY:
        return close_with(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "messages are text");
    }
    return -1;
}

static int conn_writable(struct conn *c) {
    if (c->closing || wsio_write(&c->out, c->wsi) < 0)
        return -1;
    relayd_backfill(c);
    return c->closing ? -1 : 0;
}

/* ---- libwebsockets ---- */

static int serve_lws(struct relayd *r, struct lws *wsi, enum lws_callback_reasons why,
                     struct slot *slot, void *in, size_t n) {
    switch ((int)why) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: /* "in" names the protocol; never h2c */
        return strcmp(in, "websocket") == 0 ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
        greet(conn_new(r, wsi, slot));
        return 0;
    case LWS_CALLBACK_RECEIVE:
        return slot->conn ? conn_received(slot->conn, view_of(in, n)) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return slot->conn ? conn_writable(slot->conn) : -1;
    case LWS_CALLBACK_CLOSED:
        conn_free(slot->conn);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        r->n_conns -= r->n_conns > 0;
        return 0;
    }
    return relay_http(r, wsi, why, slot, in, n);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n) {
    struct lws_vhost *vh = lws_get_vhost(wsi);
    struct door *door = vh ? lws_vhost_user(vh) : NULL;

    if (!door)
        return 0;
    if (why == LWS_CALLBACK_PROTOCOL_DESTROY) {
        free(door);
        return 0;
    }
    if (door->rd)
        return serve_lws(door->rd, wsi, why, user, in, n);
    return why == LWS_CALLBACK_HTTP || why == LWS_CALLBACK_ESTABLISHED ? -1 : 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "nostr",
     .callback = on_lws,
     .per_session_data_size = sizeof(struct slot),
     .rx_buffer_size = 65536},
    {0},
};

static const lws_retry_bo_t keepalive = {.secs_since_valid_ping = 60,
                                         .secs_since_valid_hangup = 120};

/* The listening socket is ours, not lws's: its 4.1 versions listen on every interface when given an
 * address, and tell of a port in use only in their log. */
static void on_listener(void *arg, unsigned ready) {
    struct relayd *r = arg;

    (void)ready;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
            return;
        if (r->n_conns >= r->o.max_conns) {
            close(fd);
            continue;
        }
        if (lws_adopt_socket_vhost(r->vhost, fd)) /* closes it on failure */
            r->n_conns++;
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

static int serve(struct relayd *r, struct err *e) {
    struct door *door = mem_new(sizeof *door);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .vhost_name = "relay",
        .user = door,
        .options = LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .keepalive_timeout = 30,
        .timeout_secs = 20,
        .retry_and_idle_policy = &keepalive,
    };

    door->rd = r;
    r->vhost = lws_create_vhost(ws_context(r->net), &info);
    if (!r->vhost) {
        free(door);
        return err_set(e, "lws", "libwebsockets made no server");
    }
    r->door = door;
    return listen_on(r, e);
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

static void vhost_close(struct relayd *r) {
    while (r->conns) {
        lws_set_timeout(r->conns->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        conn_free(r->conns);
    }
    relay_http_stop(r);
    if (!r->vhost)
        return;
    r->door->rd = NULL;
    lws_vhost_destroy(r->vhost);
}

void relayd_free(struct relayd *r) {
    if (!r)
        return;
    if (r->store)
        relayd_commit(r);
    loop_fd_del(r->watch);
    if (r->listener >= 0)
        close(r->listener);
    vhost_close(r);
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

const char *relayd_url(const struct relayd *r) {
    return r->own_url;
}

const char *relayd_blob_url(const struct relayd *r) {
    return r->own_http;
}
