#include "probe.h"

#include <stdlib.h>
#include <string.h>

#define PROBES_MAX 16
#define PROBE_MS 8000
#define QUESTION "{\"kinds\":[31990],\"limit\":1}"

struct probe {
    struct probes *all;
    struct relay *relay; /* NULL: this place is free */
    char *url;           /* as it was given */
    struct loop_timer *limit;
};

struct probes {
    struct ws_net *net;
    probe_fn *done;
    void *arg;
    struct probe probe[PROBES_MAX];
};

static void probe_stop(struct probe *p) {
    relay_free(p->relay);
    loop_timer_del(p->limit);
    free(p->url);
    p->relay = NULL;
    p->limit = NULL;
    p->url = NULL;
}

static void probe_end(struct probe *p, int64_t ms, const struct err *why) {
    struct probes *all = p->all;
    cleanup_free char *url = p->url;

    p->url = NULL;
    probe_stop(p);
    all->done(all->arg, url, ms, why);
}

static void on_state(void *arg, struct relay *r, enum relay_state s, const struct err *why) {
    (void)r;
    if (why && (s == RELAY_WAITING || s == RELAY_DOWN))
        probe_end(arg, -1, why);
}

static void on_eose(void *arg, struct relay *r, const char *sub) {
    (void)sub;
    probe_end(arg, relay_latency_ms(r), NULL);
}

static void on_refused(void *arg, struct relay *r, const char *sub, const char *reason) {
    struct err why;

    (void)r, (void)sub;
    err_set(&why, "refused", "it refused the question: %s", reason);
    probe_end(arg, -1, &why);
}

static void on_limit(void *arg) {
    struct err why;

    err_set(&why, "timeout", "no answer in %d s", PROBE_MS / 1000);
    probe_end(arg, -1, &why);
}

struct probes *probes_new(struct ws_net *n, probe_fn *done, void *arg) {
    struct probes *p = mem_new(sizeof *p);

    *p = (struct probes){.net = n, .done = done, .arg = arg};
    for (size_t i = 0; i < PROBES_MAX; i++)
        p->probe[i].all = p;
    return p;
}

void probes_free(struct probes *p) {
    for (size_t i = 0; p && i < PROBES_MAX; i++)
        probe_stop(&p->probe[i]);
    free(p);
}

static int probe_start(struct probe *p, const char *url, struct err *e) {
    static const struct relay_handler H = {
        .state = on_state, .eose = on_eose, .closed = on_refused};

    p->relay = relay_new(p->all->net, url, NULL, &H, p, e);
    if (!p->relay)
        return -1;
    if (relay_subscribe(p->relay, "probe", QUESTION, e) != 0) {
        probe_stop(p);
        return -1;
    }
    p->url = mem_str(url);
    p->limit = loop_timer_add(ws_loop(p->all->net), loop_now() + PROBE_MS, on_limit, p);
    return 0;
}

int probes_try(struct probes *p, const char *url, struct err *e) {
    struct probe *place = NULL;

    for (size_t i = 0; i < PROBES_MAX; i++) {
        if (!p->probe[i].relay)
            place = &p->probe[i];
        else if (!strcmp(p->probe[i].url, url))
            return 0;
    }
    if (!place)
        return err_set(e, "busy", "%d relays are being tried already", PROBES_MAX);
    return probe_start(place, url, e);
}
