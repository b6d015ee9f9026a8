/* One HTTP/1.1 request over a UNIX socket, its response as it comes. The connection is made for the
 * request and closed after it: closing it early is how an answer is stopped.
 *
 * While it waits it looks after the one who asked: `stop` is called whenever `wake` can be read
 * (the program's own standard input), and at least every UNIXHTTP_LOOK_MS. */
#ifndef CDVM_WORKLOAD_UNIXHTTP_H
#define CDVM_WORKLOAD_UNIXHTTP_H

#include "httpin.h"

#define UNIXHTTP_LOOK_MS 200

struct unixhttp_watch {
    int wake;                /* -1 = none */
    bool (*stop)(void *arg); /* true: give up, code "cancelled"; NULL = never */
    void *arg;
    int64_t deadline; /* CLOCK_MONOTONIC milliseconds, then code "engine-slow"; 0 = none */
};
struct unixhttp_request {
    const char *socket, *path;
    struct view body; /* JSON for a POST; n = 0 makes it a GET */
    /* Gets the body of whatever status, as it comes; a stream looks at *status first. False stops
     * the request: the connection is closed, the code is then "stopped". */
    bool (*piece)(void *arg, int status, struct view piece);
    void *arg;
};
/* 0 with *status once the response is complete; -1 with "engine-gone" (nobody listens, the
 * connection broke), "bad-engine" (not HTTP), or a code from above. Both watch and piece may be
 * NULL. */
int unixhttp_ask(const struct unixhttp_request *q, const struct unixhttp_watch *w, int *status,
                 struct err *e) WARN_UNUSED;
/* The same with the whole body, at most max bytes ("bad-engine" over it). */
int unixhttp_fetch(const char *socket, const char *path, struct view body, size_t max,
                   const struct unixhttp_watch *w, int *status, struct buf *out,
                   struct err *e) WARN_UNUSED;
int64_t unixhttp_now(void); /* CLOCK_MONOTONIC milliseconds */

#endif
