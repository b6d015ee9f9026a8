/* The embedded relay over loopback, both sides in one process and one thread:
 *   ingest    200-byte notes a second: verified, stored and answered with OK; signed beforehand.
 *             "against": bare schnorr verifications a second, which nobody can pass
 *   query     milliseconds from REQ to EOSE for the newest 500 of what was stored
 *   delivery  milliseconds from sending a note to its arrival at a subscriber, stored meanwhile */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/event.h"
#include "core/ws.h"
#include "provider/relayd.h"

enum { NOTES = 8000, WINDOW = 500, ROUNDS = 7, QUERIES = 20, DELIVERIES = 100 };

struct bench {
    struct loop *loop;
    struct ws_net *net;
    struct ws *ws;
    struct buf notes[NOTES];
    size_t sent, answered, refused;
    size_t events;
    bool up, eose;
};

static double seconds(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void send_more(struct bench *b) {
    struct err e;

    while (b->sent < NOTES && b->sent - b->answered < WINDOW) {
        if (ws_send(b->ws, buf_view(&b->notes[b->sent]), &e) < 0)
            return;
        b->sent++;
    }
}

static void on_open(void *arg) {
    ((struct bench *)arg)->up = true;
}

static void on_text(void *arg, struct view msg) {
    struct bench *b = arg;

    b->events += memcmp(msg.p, "[\"EVENT\"", 8) == 0;
    b->eose |= memcmp(msg.p, "[\"EOSE\"", 7) == 0;
    if (msg.n < 75 || memcmp(msg.p, "[\"OK\",", 6) != 0)
        return;
    b->answered++;
    b->refused += memcmp(msg.p + 73, "true", 4) != 0;
    send_more(b);
}

static void on_closed(void *arg, const struct err *why) {
    (void)arg;
    fprintf(stderr, "bench_relay: %s\n", why->text);
    exit(1);
}

/* Notes of about 200 bytes of content, distinct in every round. */
static void make_notes(struct bench *b, const struct keypair *k, unsigned round) {
    for (size_t i = 0; i < NOTES; i++) {
        cleanup_free char *text = mem_fmt("note %zu of round %u %0170d", i, round, 0);
        struct fields f = fields_new(1, unix_now(), view_str(text));
        struct event *ev = event_sign(&f, k);

        buf_reset(&b->notes[i]);
        buf_str(&b->notes[i], "[\"EVENT\",");
        event_json(ev, &b->notes[i]);
        buf_str(&b->notes[i], "]");
        event_free(ev);
    }
}

static double one_round(struct bench *b, const struct keypair *k, unsigned round) {
    double t;

    make_notes(b, k, round);
    b->sent = b->answered = b->refused = 0;
    t = seconds();
    send_more(b);
    while (b->answered < NOTES)
        loop_turn(b->loop, 1000);
    t = seconds() - t;
    if (b->refused)
        fprintf(stderr, "bench_relay: %zu notes were refused\n", b->refused);
    return b->refused ? 0 : NOTES / t;
}

static void say(struct bench *b, const char *text) {
    struct err e;

    if (ws_send(b->ws, view_str(text), &e) < 0)
        exit(1);
}

static void ask(struct bench *b, const char *req) {
    b->eose = false;
    b->events = 0;
    say(b, req);
    while (!b->eose)
        loop_turn(b->loop, 1000);
}

static double one_query(struct bench *b) {
    double t = seconds();

    ask(b, "[\"REQ\",\"q\",{\"kinds\":[1],\"limit\":500}]");
    if (b->events != 500)
        exit(1);
    say(b, "[\"CLOSE\",\"q\"]");
    return (seconds() - t) * 1000;
}

static double one_delivery(struct bench *b, size_t i) {
    double t = seconds();

    b->events = 0;
    if (ws_send(b->ws, buf_view(&b->notes[i]), NULL) < 0)
        exit(1);
    while (!b->events)
        loop_turn(b->loop, 1000);
    return (seconds() - t) * 1000;
}

static double verify_only(const struct keypair *k) {
    uint8_t msg[32] = {1}, sig[64];
    double t;

    keypair_sign(k, msg, sig);
    t = seconds();
    for (int i = 0; i < 2000; i++)
        if (!schnorr_verify(keypair_pub(k), view_of(msg, sizeof msg), sig))
            exit(1);
    return 2000 / (seconds() - t);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_ms(const char *name, double *ms, size_t n) {
    qsort(ms, n, sizeof *ms, by_value);
    printf("{\"name\":\"%s\",\"unit\":\"ms\",\"median\":%.2f,\"p95\":%.2f,\"n\":%zu,"
           "\"against\":{}}\n",
           name, ms[n / 2], ms[n * 95 / 100], n);
}

static void measure_reading(struct bench *b, const struct keypair *k) {
    double ms[DELIVERIES];

    for (size_t i = 0; i < QUERIES; i++)
        ms[i] = one_query(b);
    print_ms("relay.query.500", ms, QUERIES);
    make_notes(b, k, ROUNDS);
    ask(b, "[\"REQ\",\"live\",{\"kinds\":[1],\"limit\":0}]");
    for (size_t i = 0; i < DELIVERIES; i++)
        ms[i] = one_delivery(b, i);
    print_ms("relay.delivery", ms, DELIVERIES);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f) {
    (void)st, (void)type, (void)f;
    return remove(path);
}

int main(void) {
    static struct bench b;
    const struct ws_handler h = {.open = on_open, .text = on_text, .closed = on_closed};
    char dir[] = "/tmp/cdvm-bench-XXXXXX";
    struct keypair *k = keypair_new();
    double rate[ROUNDS], against = verify_only(k);
    struct relayd *r = NULL;
    struct err e = {0};

    b.loop = loop_new(&e);
    b.net = b.loop ? ws_net_new(b.loop, &e) : NULL;
    if (b.net && mkdtemp(dir))
        r = relayd_new(b.net, &(struct relayd_opts){.path = dir}, &e);
    b.ws = r ? ws_connect(b.net, relayd_url(r), 65536, false, &h, &b, &e) : NULL;
    if (!b.ws) {
        fprintf(stderr, "bench_relay: %s\n", e.text);
        return 1;
    }
    while (!b.up)
        loop_turn(b.loop, 1000);
    for (unsigned i = 0; i < ROUNDS; i++)
        rate[i] = one_round(&b, k, i);
    qsort(rate, ROUNDS, sizeof *rate, by_value);
    printf("{\"name\":\"relay.ingest.200B\",\"unit\":\"events/s\",\"median\":%.0f,\"p95\":%.0f,"
           "\"n\":%d,\"against\":{\"schnorr verify alone\":%.0f}}\n",
           rate[ROUNDS / 2], rate[0], ROUNDS, against);
    measure_reading(&b, k);
    ws_close(b.ws);
    relayd_free(r);
    ws_net_free(b.net);
    loop_free(b.loop);
    keypair_free(k);
    for (size_t i = 0; i < NOTES; i++)
        buf_free(&b.notes[i]);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
