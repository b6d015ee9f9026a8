/* Inside of the embedded relay: shared by relayd.c (sockets), relayd_conn.c (clients), relayd_msg.c
 * (what they say),
 * relayd_sub.c (what goes out to subscribers) and relay_http.c. */
#ifndef CDVM_RELAYD_PRIV_H
#define CDVM_RELAYD_PRIV_H

#include "relay_blob.h"
#include "relay_store.h"
#include "relayd.h"
#include "core/httpd.h"
#include "core/idset.h"
#include "core/listen.h"
#include "core/wsio.h"

#define RELAYD_SUBS_MAX 100   /* per connection */
#define RELAYD_FILTERS_MAX 20 /* per REQ or COUNT */
#define RELAYD_SUB_ID_MAX 64
#define RELAYD_LIMIT_MAX 5000 /* stored events per filter */
#define RELAYD_MESSAGE_MAX ((size_t)131072)
#define RELAYD_FUTURE_S 900                /* created_at may be this far ahead */
#define RELAYD_OUT_MAX ((size_t)4 << 20)   /* a reader slower than this is cut off */
#define RELAYD_OUT_LOW ((size_t)256 << 10) /* stored events are read on below this */
#define RELAYD_KEYS_MAX 8                  /* authenticated keys of one connection */
#define RELAYD_STRIKES_MAX 20              /* malformed messages before the connection is closed */

/* Refills `rate` tokens a second, holds two seconds' worth. */
struct bucket {
    double tokens;
    int64_t at; /* loop_now of the last refill */
    unsigned rate;
};
void bucket_init(struct bucket *b, unsigned rate);
bool bucket_take(struct bucket *b);

struct rsub {
    struct rsub *next;
    char *id;
    struct filter **f;
    size_t n_f;
    int64_t *rows; /* stored events still to be sent, then EOSE */
    size_t n_rows, at;
    bool eose; /* said */
};

/* One accepted socket. It speaks HTTP, or websocket from its upgrade on. */
struct peer {
    struct httpd_conn sock;
    struct relayd *rd;
    struct peer *prev, *next;
    struct conn *conn;     /* a websocket client, or NULL */
    struct http_job *http; /* the request being served, or NULL */
};

/* One websocket client. */
struct conn {
    struct relayd *rd;
    struct conn *prev, *next;
    struct lws *wsi;
    struct buf in;
    struct wsio_out out;
    char challenge[33];
    uint8_t keys[RELAYD_KEYS_MAX][32];
    size_t n_keys;
    struct rsub *subs;
    size_t n_subs;
    unsigned strikes;
    struct bucket events, reqs;
    bool closing; /* broken or too slow: ends at the next callback */
};

/* An accepted event whose OK and delivery wait for the commit. */
struct pending {
    struct conn *from; /* NULL when it has left */
    struct event *ev;
    struct buf json;
    const char *text; /* of the OK; static */
    bool deliver;
};

struct relayd {
    struct ws_net *net;
    struct relayd_opts o; /* pointers in it are owned copies below */
    char *bind, *url, *own_url, *own_http;
    struct listener *listener;
    struct relay_store *store;
    struct relay_blobs *blobs;
    struct peer *peers;
    size_t n_peers;
    struct conn *conns;
    struct pending *pending;
    size_t n_pending, cap_pending;
    struct loop_timer *commit, *purge;
    struct idset *auth_used; /* Blossom authorizations: single use */
};

/* relayd_conn.c */
void conn_open(struct peer *p);
void conn_free(struct conn *c);                       /* NULL legal */
int conn_received(struct conn *c, struct view piece); /* -1: close */
int conn_writable(struct conn *c);                    /* -1: close */
void conn_send(struct conn *c, struct view text);
void conn_notice(struct conn *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool conn_has_key(const struct conn *c, const uint8_t key[static 32]);
struct relay_reader conn_reader(const struct conn *c);

/* relayd_msg.c */
void relayd_take(struct conn *c, struct view text); /* one message of a client */
void relayd_commit(struct relayd *r);               /* then answers and delivers what is pending */

/* relayd_sub.c */
void rsub_free(struct rsub *s);
void rsub_drop(struct conn *c, const char *id);
void relayd_req(struct conn *c, const cJSON *msg);
void relayd_count(struct conn *c, const cJSON *msg);
void relayd_backfill(struct conn *c); /* sends stored events while the queue is short */
void relayd_deliver(struct relayd *r, const struct event *ev, struct view json);

/* relay_http.c: plain HTTP on the shared port */
int relay_http(struct peer *p, enum lws_callback_reasons why, void *in, size_t n);
void http_job_free(struct http_job *j); /* NULL legal */

#endif
