/* Inside of the relay's HTTP side: relay_http.c (requests and answers) and relay_blossom.c (blobs).
 */
#ifndef CDVM_RELAY_HTTP_H
#define CDVM_RELAY_HTTP_H

#include "relayd_priv.h"

/* One request. */
struct http_job {
    struct relayd *rd;
    struct peer *peer;
    struct lws *wsi;
    int method; /* LWSHUMETH_* */
    char path[256];
    struct relay_upload *up;
    struct event *auth;
    int fd; /* of the blob being sent, or -1 */
    uint64_t left;
};

/* Every function here that returns int says what libwebsockets is to do next: HTTPD_*. */

struct http_answered {
    unsigned status;
    const char *type; /* NULL: no body */
    struct view body;
    bool file;          /* left bytes of fd follow instead of body */
    const char *reason; /* X-Reason */
    const char *range;  /* Content-Range */
    bool close;         /* the request's own body was not read: the connection is of no more use */
};
int http_answer(struct http_job *j, const struct http_answered *a);
int http_answer_text(struct http_job *j, unsigned status, const char *text);
int http_refuse(struct http_job *j, unsigned status, const char *why);
int http_refuse_err(struct http_job *j, const struct err *e); /* status by the error's code */

/* relay_blossom.c */
int blobs_serve(struct http_job *j);
int blobs_chunk(struct http_job *j); /* the next piece of a blob being sent */
int blobs_delete(struct http_job *j);
int blobs_preflight(struct http_job *j);
int blobs_upload(struct http_job *j);
int blobs_piece(struct http_job *j, struct view piece);
int blobs_finish(struct http_job *j);

#endif
