/* Inside of the endpoint: endpoint.c (connections, requests, replies) and endpoint_chat.c
 * (questions and answers). */
#ifndef CDVM_ENDPOINT_PRIV_H
#define CDVM_ENDPOINT_PRIV_H

#include "core/httpd.h"
#include "core/listen.h"
#include "endpoint.h"

#define VISITORS_MAX 64                 /* connections */
#define ORDERS_MAX 16                   /* questions that wait or run */
#define DISCARD_MAX ((uint64_t)8 << 20) /* of a body that is too large: read on, to be refused */
#define HEAD_MS 10000                   /* to send a request's headers in */
#define BODY_MS 15000                   /* and its body */
#define SEND_MS 60000                   /* to take a reply */
#define IDLE_MS 75000                   /* between two requests of a connection */
#define QUIET_MS 10000                  /* a stream says that it lives this often */
#define LOOK_MS 50                      /* an answer that grows is looked at this often at most */
#define ANSWER_MAX ((size_t)1 << 20)    /* bytes, as guests have it */
#define TICK_MS 1000

/* A question of a client, from its request to the last byte of its answer. */
struct order {
    struct order *next;
    struct visitor *by;
    struct openai_request req;
    uint8_t id[32];
    bool asked;
    char name[40]; /* "chatcmpl-..." */
    int64_t created;
    /* the answer so far */
    struct buf table; /* as text; it stands before the answer */
    struct buf raw;   /* what came in deltas */
    struct sources sources;
    struct talk_usage usage;
    bool counted;
    int64_t looked; /* loop_now() of the last look at it */
    bool unseen;    /* more has come since */
    size_t told;    /* bytes of the sanitised answer that are in the stream */
    bool begun;     /* its stream has 200 */
    int64_t quiet;  /* loop_now() of the last word of the stream, or of the order */
};

struct reply {
    unsigned status;
    const char *type;  /* Content-Type */
    struct buf body;   /* or what is to be sent of the stream */
    char *ignored;     /* owned; header cdvm-ignored */
    const char *allow; /* of 405 */
    bool stream, last; /* chunks; no more of them */
    bool head_sent, close;
};

enum stage {
    STAGE_IDLE, /* between requests */
    STAGE_BODY, /* its request's body is coming */
    STAGE_WAIT, /* its order waits or runs */
    STAGE_SEND,
};

/* One connection and the request that it makes. */
struct visitor {
    struct httpd_conn sock;
    struct endpoint *ep;
    struct visitor *prev, *next;
    enum stage stage;
    int64_t deadline; /* loop_now(); -1 none */
    size_t route;
    unsigned refused; /* status; 0 let in */
    struct err why;
    struct buf body;
    struct order *order;
    struct reply reply;
};

struct endpoint {
    struct ws_net *net;
    struct door *door;
    const struct endpoint_port *port;
    void *arg;
    struct listener *listener;
    struct loop_timer *tick;
    struct visitor *visitors;
    size_t n_visitors;
    struct order *orders; /* the first one runs, once it is asked */
    size_t n_orders;
};

/* endpoint.c. A reply's body is written into v->reply.body before. */
void visitor_reply(struct visitor *v, unsigned status);
void visitor_refuse(struct visitor *v, unsigned status, const struct err *e, const char *param);
void visitor_flush(struct visitor *v); /* of a stream: there is something to send */

/* endpoint_chat.c */
void order_place(struct visitor *v); /* its body is a chat request */
void order_drop(struct order *o);    /* its client has gone */
void orders_tick(struct endpoint *p, int64_t now);

#endif
