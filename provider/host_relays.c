/* The relays of a host's settings: do they answer, and what time do they say it is? */
#include <string.h>

#include "core/http.h"
#include "core/probe.h"
#include "host.h"

#define DATE_MS 5000
#define BODY_MAX 65536

/* What one relay is asked, while it is. */
struct asked {
    struct host_relay *relay;
    struct http_req *req;
};
struct asking {
    struct host *h;
    struct asked of[HOST_RELAYS_MAX];
};

static void on_relay(void *arg, const char *url, int64_t ms, const struct err *why) {
    struct host *h = ((struct asking *)arg)->h;

    for (size_t i = 0; i < h->n_relays; i++)
        if (!h->relay[i].tried && !strcmp(h->relay[i].url, url)) {
            h->relay[i].tried = true;
            h->relay[i].ms = why ? -1 : ms;
            if (why)
                h->relay[i].why = *why;
        }
}

static void on_date(void *arg, struct http_answer *answer) {
    struct asked *a = arg;

    a->req = NULL;
    if (answer->date) {
        a->relay->dated = true;
        a->relay->ahead_s = unix_now() - answer->date;
    }
}

/* "wss://host/path" is https:// for a page: NIP-11's, or any other with a date. */
static void ask_date(struct asking *q, size_t i, struct http *http) {
    struct asked *a = &q->of[i];
    cleanup_free char *url = mem_fmt("http%s", q->h->relay[i].url + strlen("ws"));
    const struct http_ask ask = {.method = "GET",
                                 .url = url,
                                 .max_body = BODY_MAX,
                                 .timeout_ms = DATE_MS,
                                 .allow_private = true}; /* relays of our own settings */

    a->relay = &q->h->relay[i];
    if (!strncmp(a->relay->url, "ws", 2))
        a->req = http_start(http, &ask, on_date, NULL, a, NULL);
}

static bool is_over(const struct asking *q) {
    for (size_t i = 0; i < q->h->n_relays; i++)
        if (!q->h->relay[i].tried || q->of[i].req)
            return false;
    return true;
}

/* Each has its own deadline. */
static void ask_all(struct asking *q, struct ws_net *n, struct http *http) {
    struct probes *p = probes_new(n, on_relay, q);
    struct err e;

    for (size_t i = 0; i < q->h->n_relays; i++) {
        ask_date(q, i, http);
        if (probes_try(p, q->h->relay[i].url, &e) < 0)
            on_relay(q, q->h->relay[i].url, -1, &e);
    }
    while (!is_over(q))
        (void)loop_turn(ws_loop(n), 200);
    probes_free(p);
}

void host_name_relays(struct host *h) {
    for (size_t i = 0; i < h->conf->relay.n && h->n_relays < HOST_RELAYS_MAX; i++)
        h->relay[h->n_relays++] = (struct host_relay){.url = h->conf->relay.v[i]};
}

void host_ask_relays(struct host *h) {
    struct asking q = {.h = h};
    struct loop *l = h->n_relays ? loop_new(NULL) : NULL;
    struct ws_net *n = l ? ws_net_new(l, NULL) : NULL;
    struct http *http = n ? http_new(l, NULL) : NULL;

    if (http)
        ask_all(&q, n, http);
    http_free(http);
    ws_net_free(n);
    loop_free(l);
}
