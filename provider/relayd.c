#include "relayd_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PURGE_MS 60000

/* ---- libwebsockets ---- */

static void peer_free(struct peer *p) {
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

static int on_socket(struct httpd_conn *c, enum lws_callback_reasons why, void *in, size_t n) {
    struct peer *p = (struct peer *)c;

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

static void on_accepted(void *arg, int fd) {
    struct relayd *r = arg;
    struct peer *p;

    if (r->n_peers >= r->o.max_conns) {
        close(fd);
        return;
    }
    p = mem_new(sizeof *p);
    *p = (struct peer){.sock.fn = on_socket, .rd = r};
    if (httpd_adopt(r->net, fd, &p->sock)) {
        free(p);
        return;
    }
    p->next = r->peers;
    if (r->peers)
        r->peers->prev = p;
    r->peers = p;
    r->n_peers++;
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
    bool near = relayd_loopback(r);

    o->events_per_s = o->events_per_s ? o->events_per_s : near ? 50000 : 100;
    o->reqs_per_s = o->reqs_per_s ? o->reqs_per_s : near ? 5000 : 20;
    o->max_conns = o->max_conns ? o->max_conns : 1000;
}

static void name_urls(struct relayd *r) {
    bool v6 = strchr(r->bind, ':') != NULL;
    unsigned port = relayd_port(r);
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";

    r->own_url = mem_fmt("ws://%s%s%s:%u", open, r->bind, close, port);
    r->own_http = mem_fmt("http://%s%s%s:%u", open, r->bind, close, port);
}

struct relayd *relayd_new(struct ws_net *n, const struct relayd_opts *o, struct err *e) {
    struct relayd *r = mem_new(sizeof *r);

    r->net = n;
    r->o = *o;
    r->bind = mem_str(o->bind ? o->bind : "127.0.0.1");
    r->url = o->url ? relay_url_normal(o->url) : NULL;
    r->o.max_blob = o->max_blob ? o->max_blob : (uint64_t)64 << 20;
    r->o.max_blobs = o->max_blobs ? o->max_blobs : (uint64_t)8 << 30;
    r->commit = loop_timer_add(ws_loop(n), -1, on_commit, r);
    r->purge = loop_timer_add(ws_loop(n), -1, on_purge, r);
    r->auth_used = idset_new();
    if ((o->url && !r->url &&
         err_set(e, "bad-url", "the public address must be ws:// or wss://")) ||
        open_files(r, e) < 0 ||
        !(r->listener = listener_new(ws_loop(n), r->bind, o->port, on_accepted, r, e))) {
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
    listener_free(r->listener);
    while (r->peers) {
        httpd_drop(&r->peers->sock);
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
    return listener_port(r->listener);
}

bool relayd_loopback(const struct relayd *r) {
    return listener_loopback(r->listener);
}

const char *relayd_url(const struct relayd *r) {
    return r->own_url;
}

const char *relayd_blob_url(const struct relayd *r) {
    return r->own_http;
}
