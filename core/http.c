#include "http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns.h"
#include "text.h"
#include "ws.h"

#define CONNECT_SECONDS 15L
#define STALL_SECONDS 60L
#define REASON_MAX 100 /* code points of X-Reason */
#define DATE_MAX 64    /* bytes of Date */

struct sock {
    struct http *h;
    struct loop_fd *watch;
    int fd;
    struct sock *prev, *next;
};

struct http_req {
    struct http *h;
    struct http_req *prev, *next;
    CURL *easy;
    struct curl_slist *headers;
    char *url;
    bool allow_private, cancelled, done;
    struct buf body;
    char reason[128];
    int64_t date;
    struct err why; /* what we ourselves found wrong; curl's words otherwise */
    http_fn *fn;
    http_progress_fn *progress;
    void *arg;
};

struct http {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    struct sock *socks;
    struct http_req *reqs;
    bool inside; /* curl is running: nothing may be removed from it */
};

/* ---- requests ---- */

static void req_free(struct http_req *r) {
    if (r->prev)
        r->prev->next = r->next;
    else
        r->h->reqs = r->next;
    if (r->next)
        r->next->prev = r->prev;
    curl_multi_remove_handle(r->h->multi, r->easy);
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    buf_free(&r->body);
    free(r->url);
    free(r);
}

static const struct {
    CURLcode rc;
    const char *code;
} codes[] = {
    {CURLE_OPERATION_TIMEDOUT, "timeout"}, {CURLE_COULDNT_RESOLVE_HOST, "dns"},
    {CURLE_COULDNT_CONNECT, "connect"},    {CURLE_PEER_FAILED_VERIFICATION, "tls"},
    {CURLE_SSL_CONNECT_ERROR, "tls"},
};

static void explain(struct http_req *r, CURLcode rc) {
    const char *code = "http";

    for (size_t i = 0; i < COUNT(codes); i++)
        if (codes[i].rc == rc)
            code = codes[i].code;
    if (!r->why.code[0])
        err_set(&r->why, code, "cannot reach '%s': %s", r->url, curl_easy_strerror(rc));
}

static void finish(struct http_req *r, CURLcode rc) {
    struct http_answer a = {0};

    r->done = true;
    if (rc == CURLE_OK)
        curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &a.status);
    else
        explain(r, rc);
    a.err = rc == CURLE_OK ? NULL : &r->why;
    a.body = r->body;
    memcpy(a.reason, r->reason, sizeof a.reason);
    a.date = r->date;
    r->fn(r->arg, &a);
    r->body = a.body; /* what the owner did not take */
    req_free(r);
}

/* Callbacks may start and cancel requests: nothing is held across one. */
static void collect(struct http *h) {
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(h->multi, &left))) {
        struct http_req *r = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
        finish(r, m->data.result);
    }
}

static void sweep_cancelled(struct http *h) {
    struct http_req *next;

    for (struct http_req *r = h->reqs; r; r = next) {
        next = r->next;
        if (r->cancelled)
            req_free(r);
    }
}

static void drive(struct http *h, int fd, int what) {
    int running;

    h->inside = true;
    curl_multi_socket_action(h->multi, fd, what, &running);
    h->inside = false;
    sweep_cancelled(h);
    collect(h);
}

/* ---- curl's sockets and timer on our loop ---- */

static void on_ready(void *arg, unsigned ready) {
    struct sock *s = arg;
    int what = (ready & LOOP_IN ? CURL_CSELECT_IN : 0) | (ready & LOOP_OUT ? CURL_CSELECT_OUT : 0) |
               (ready & LOOP_HUP ? CURL_CSELECT_ERR : 0);

    drive(s->h, s->fd, what);
}

static void on_timer(void *arg) {
    drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *arg) {
    struct http *h = arg;

    (void)multi;
    loop_timer_set(h->timer, ms < 0 ? -1 : loop_now() + ms);
    return 0;
}

static void sock_free(struct sock *s) {
    loop_fd_del(s->watch);
    if (s->prev)
        s->prev->next = s->next;
    else
        s->h->socks = s->next;
    if (s->next)
        s->next->prev = s->prev;
    free(s);
}

static struct sock *sock_new(struct http *h, int fd, unsigned events) {
    struct sock *s = mem_new(sizeof *s);

    s->h = h;
    s->fd = fd;
    s->next = h->socks;
    if (h->socks)
        h->socks->prev = s;
    h->socks = s;
    s->watch = loop_fd_add(h->loop, fd, events, on_ready, s);
    curl_multi_assign(h->multi, fd, s);
    return s;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket) {
    unsigned events = (what & CURL_POLL_IN ? LOOP_IN : 0) | (what & CURL_POLL_OUT ? LOOP_OUT : 0);
    struct sock *s = of_socket;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            sock_free(s);
        return 0;
    }
    if (!s)
        s = sock_new(arg, fd, events);
    else if (s->watch)
        loop_fd_want(s->watch, events);
    return s->watch ? 0 : -1;
}

/* ---- one transfer ---- */

static size_t on_body(char *p, size_t one, size_t n, void *arg) {
    struct http_req *r = arg;

    if (r->cancelled)
        return 0;
    buf_add(&r->body, p, one * n);
    if (!r->body.full)
        return one * n;
    err_set(&r->why, "too-large", "'%s' sent more than %zu bytes", r->url, r->body.max);
    return 0;
}

/* "Name: value" -> the value, of a header with that name; empty for any other. */
static struct view header_value(struct view line, const char *name) {
    size_t n = strlen(name);

    if (line.n <= n || strncasecmp((const char *)line.p, name, n) != 0)
        return view_of(NULL, 0);
    return view_of(line.p + n, line.n - n);
}

static size_t on_header(char *p, size_t one, size_t n, void *arg) {
    struct http_req *r = arg;
    struct view line = view_of(p, one * n), reason = header_value(line, "x-reason:"),
                date = header_value(line, "date:");

    if (reason.n) {
        cleanup_free char *text = text_safe_new(reason, TEXT_LINE, REASON_MAX);

        snprintf(r->reason, sizeof r->reason, "%s", text + strspn(text, " "));
    }
    if (date.n && date.n < DATE_MAX) {
        cleanup_free char *text = mem_strn(date.p, date.n);
        time_t at = curl_getdate(text, NULL);

        r->date = at > 0 ? at : 0;
    }
    return line.n;
}

static int on_progress(void *arg, curl_off_t dl_all, curl_off_t dl, curl_off_t ul_all,
                       curl_off_t ul) {
    struct http_req *r = arg;

    if (r->progress && !r->cancelled)
        r->progress(r->arg, (uint64_t)(ul_all ? ul : dl), (uint64_t)(ul_all ? ul_all : dl_all));
    return r->cancelled;
}

/* Looks at the very address that would be connected to: names cannot change in between. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a) {
    struct http_req *r = arg;
    char text[INET6_ADDRSTRLEN] = "?";
    const void *raw = a->family == AF_INET6
                          ? (const void *)&((struct sockaddr_in6 *)&a->addr)->sin6_addr
                          : (const void *)&((struct sockaddr_in *)&a->addr)->sin_addr;

    (void)purpose;
    inet_ntop(a->family, raw, text, sizeof text);
    if (!r->allow_private && addr_is_private(text)) {
        err_set(&r->why, "private-address", "'%s' is inside a private network (%s)", r->url, text);
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void set_body(struct http_req *r, const struct http_ask *ask) {
    if (strcmp(ask->method, "HEAD") == 0) {
        curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (strcmp(ask->method, "PUT") == 0 || strcmp(ask->method, "POST") == 0) {
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
        curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, ask->body.n ? (const char *)ask->body.p : "");
    }
    curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, ask->method);
}

static void set_headers(struct http_req *r, const struct http_ask *ask) {
    bool typed = false;

    for (const char *const *h = ask->headers; h && *h; h++) {
        r->headers = curl_slist_append(r->headers, *h);
        typed |= strncasecmp(*h, "content-type:", 13) == 0;
    }
    if (!typed)
        r->headers = curl_slist_append(r->headers, "Content-Type:"); /* none, not a form */
    r->headers = curl_slist_append(r->headers, "Expect:"); /* some servers never say 100 */
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
}

static void set_limits(struct http_req *r, const struct http_ask *ask) {
    curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    if (ask->timeout_ms) {
        curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
    } else {
        curl_easy_setopt(r->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(r->easy, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
    }
}

static void set_callbacks(struct http_req *r) {
    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(r->easy, CURLOPT_XFERINFODATA, r);
    curl_easy_setopt(r->easy, CURLOPT_NOPROGRESS, 0L);
}

struct http_req *http_start(struct http *h, const struct http_ask *ask, http_fn *fn,
                            http_progress_fn *progress, void *arg, struct err *e) {
    struct http_req *r;
    struct url u;

    if (url_parse(ask->url, &u, e) < 0)
        return NULL;
    r = mem_new(sizeof *r);
    *r = (struct http_req){.h = h,
                           .url = mem_str(ask->url),
                           .allow_private = ask->allow_private,
                           .fn = fn,
                           .progress = progress,
                           .arg = arg,
                           .next = h->reqs};
    buf_init(&r->body, ask->max_body ? ask->max_body : 1);
    if (h->reqs)
        h->reqs->prev = r;
    h->reqs = r;
    r->easy = curl_easy_init();
    if (!r->easy)
        abort(); /* out of memory */
    set_callbacks(r);
    set_headers(r, ask);
    set_body(r, ask);
    set_limits(r, ask);
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_PROXY, ""); /* a proxy would hide whom we connect to */
    curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    if (curl_easy_setopt(r->easy, CURLOPT_URL, ask->url) == CURLE_OK &&
        curl_multi_add_handle(h->multi, r->easy) == CURLM_OK)
        return r;
    err_set(e, "http", "cannot ask '%s'", ask->url);
    req_free(r);
    return NULL;
}

void http_cancel(struct http_req *r) {
    if (!r || r->done)
        return;
    r->cancelled = true;
    if (!r->h->inside)
        req_free(r);
}

struct http *http_new(struct loop *l, struct err *e) {
    struct http *h = mem_new(sizeof *h);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    h->loop = l;
    h->multi = curl_multi_init();
    if (!h->multi) {
        err_set(e, "http", "libcurl did not start");
        free(h);
        return NULL;
    }
    h->timer = loop_timer_add(l, -1, on_timer, h);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    return h;
}

void http_free(struct http *h) {
    if (!h)
        return;
    while (h->reqs)
        req_free(h->reqs);
    curl_multi_cleanup(h->multi);
    while (h->socks)
        sock_free(h->socks);
    loop_timer_del(h->timer);
    free(h);
}
