/* HTTP client (libcurl multi) on the loop. Follows no redirects, clears Expect, uses no proxy,
 * refuses other schemes than http and https, and refuses private addresses unless allowed: looked
 * at in the very address connected to ("private-address"). */
#ifndef CDVM_HTTP_H
#define CDVM_HTTP_H

#include "loop.h"

struct http;
struct http_req;
struct http *http_new(struct loop *l, struct err *e);
void http_free(struct http *h); /* cancels everything; not inside a callback; NULL legal */

struct http_ask {
    const char *method; /* "GET", "PUT", "HEAD", "DELETE", "POST" */
    const char *url;
    const char *const *headers; /* NULL-terminated "Name: value" */
    struct view body;           /* borrowed until done */
    size_t max_body;            /* of the answer; larger is "too-large" */
    int timeout_ms;             /* whole request; 0 = 60 s without progress */
    bool allow_private;         /* loopback and private ranges permitted */
};
struct http_answer {
    long status;           /* 0 when the transfer failed: see err */
    struct buf body;       /* borrowed during the callback; take it with buf_take */
    char reason[128];      /* X-Reason, sanitised, or empty */
    int64_t date;          /* Date, Unix seconds; 0: it did not say, or not a date */
    const struct err *err; /* NULL on a completed exchange, whatever its status; else "timeout",
                            * "dns", "connect", "tls", "too-large", "private-address", "http" */
};
typedef void http_fn(void *arg, struct http_answer *a);
typedef void http_progress_fn(void *arg, uint64_t done, uint64_t total);
struct http_req *http_start(struct http *h, const struct http_ask *ask, http_fn *fn,
                            http_progress_fn *progress, void *arg, struct err *e);
void http_cancel(struct http_req *r); /* no more callbacks, body is free again; NULL legal */

#endif
