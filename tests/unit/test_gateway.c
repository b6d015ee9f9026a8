/* The gateway between a guest (this test, on a socket pair) and a real relay and blob store
 * (relayd, in this process). */
#include "provider/gateway.c"

#include "core/hash.h"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

struct fixture {
    struct net net;
    struct http *http;
    const char *blossom[1];
    struct keypair *u, *p, *g;
    struct job_request q;
    struct rumor *request;
    int pair[2]; /* [0] the gateway's, [1] the guest's */
    struct gateway *gw;
    struct chan_in in;
    struct pool *customer;
    /* what was seen */
    struct buf frame[64];
    uint8_t type[64];
    size_t n_frames;
    uint8_t states[16], learned[32];
    size_t n_states, n_learned, n_broken, n_finished, n_customer;
    struct err why;
    uint8_t last_event[32];
    bool no_report;
};

static void on_t_state(void *arg, uint8_t code) {
    struct fixture *f = arg;

    if (f->n_states < sizeof f->states)
        f->states[f->n_states++] = code;
}

static void on_t_guest(void *arg, const uint8_t key[static 32]) {
    struct fixture *f = arg;

    memcpy(f->learned, key, 32);
    f->n_learned++;
}

static int on_t_report(void *arg, const uint8_t data[static 64],
                       uint8_t out[static GATEWAY_REPORT]) {
    struct fixture *f = arg;

    memset(out, data[0], GATEWAY_REPORT);
    return f->no_report ? -1 : 0;
}

static void on_t_broken(void *arg, const struct err *why) {
    struct fixture *f = arg;

    f->n_broken++;
    f->why = *why;
}

static void on_t_finished(void *arg) {
    struct fixture *f = arg;

    f->n_finished++;
}

static void on_t_event(void *arg, const char *sub, const struct event *ev, const char *url) {
    struct fixture *f = arg;

    (void)sub;
    (void)url;
    f->n_customer++;
    memcpy(f->last_event, ev->f.id, 32);
}

static void on_t_nothing(void *arg) {
    (void)arg;
}

static void on_t_eose(void *arg, const char *sub) {
    (void)arg;
    (void)sub;
}

static void on_t_ok(void *arg, const uint8_t id[32], bool ok, const char *url, const char *msg) {
    (void)arg;
    (void)id;
    (void)ok;
    (void)url;
    (void)msg;
}

static void make_request(struct fixture *f) {
    struct err e;

    f->q = (struct job_request){.kind = KIND_JOB_TOOL, .expires = unix_now() + 600};
    memcpy(f->q.provider, keypair_pub(f->p), 32);
    random_bytes(f->q.nonce, 32);
    random_bytes(f->q.offer, 32);
    snprintf(f->q.relays[f->q.n_relays++], sizeof f->q.relays[0], "%s", relayd_url(f->net.relay));
    f->request = job_request_make(&f->q, f->u, unix_now(), &e);
    assert_non_null(f->request);
}

static void open_customer(struct fixture *f) {
    static const struct pool_handler h = {
        .event = on_t_event, .eose = on_t_eose, .ok = on_t_ok, .state = on_t_nothing};
    char hex[65];
    cleanup_free char *filter = NULL;
    struct err e;

    hex_encode(view_of(keypair_pub(f->u), 32), hex);
    filter = mem_fmt("{\"kinds\":[1059,21059],\"#p\":[\"%s\"]}", hex);
    f->customer = pool_new(f->net.ws, f->u, &h, f);
    assert_int_equal(pool_add(f->customer, relayd_url(f->net.relay), &e), 0);
    assert_int_equal(pool_subscribe(f->customer, "u", filter, &e), 0);
}

static int start(void **state) {
    static struct fixture f;
    static const struct gateway_handler h = {on_t_state, on_t_guest, on_t_report, on_t_broken,
                                             on_t_finished};
    struct gateway_conf c;
    struct err e = {0};

    f = (struct fixture){0};
    net_up(&f.net, NULL);
    f.http = http_new(f.net.loop, &e);
    assert_non_null(f.http);
    f.blossom[0] = relayd_blob_url(f.net.relay);
    f.u = keypair_new();
    f.p = keypair_new();
    f.g = keypair_new();
    make_request(&f);
    open_customer(&f);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f.pair), 0);
    c = (struct gateway_conf){.net = f.net.ws,
                              .http = f.http,
                              .fd = f.pair[0],
                              .request = f.request,
                              .job = &f.q,
                              .blossom = f.blossom,
                              .n_blossom = 1,
                              .allow_private = true};
    f.gw = gateway_new(&c, &h, &f, &e);
    assert_non_null(f.gw);
    chan_in_init(&f.in);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    gateway_free(f->gw);
    pool_free(f->customer);
    http_free(f->http);
    net_down(&f->net);
    chan_in_free(&f->in);
    for (size_t i = 0; i < COUNT(f->frame); i++)
        buf_free(&f->frame[i]);
    rumor_free(f->request);
    keypair_free(f->u);
    keypair_free(f->p);
    keypair_free(f->g);
    close(f->pair[0]);
    if (f->pair[1] >= 0)
        close(f->pair[1]);
    return 0;
}

/* --- the guest's side --- */

static void hear(struct fixture *f) {
    uint8_t b[65536];
    struct chan_frame fr;
    ssize_t n;

    while (f->pair[1] >= 0 && (n = read(f->pair[1], b, sizeof b)) > 0)
        chan_feed(&f->in, view_of(b, (size_t)n));
    while (chan_next(&f->in, &fr, NULL) == 1) {
        size_t i = f->n_frames++ % COUNT(f->frame);

        f->type[i] = (uint8_t)fr.type;
        buf_reset(&f->frame[i]);
        buf_add(&f->frame[i], fr.payload.p, fr.payload.n);
    }
}

static void turn(struct fixture *f, int64_t ms) {
    int64_t until = loop_now() + ms;

    do {
        (void)loop_turn(f->net.loop, 10);
        hear(f);
    } while (loop_now() < until);
}

#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        int64_t until_ = loop_now() + 5000;                                                        \
        while (!(cond) && loop_now() < until_)                                                     \
            turn(f, 0);                                                                            \
        assert_true(cond);                                                                         \
    } while (0)

static void say_raw(struct fixture *f, const struct buf *b) {
    size_t done = 0;

    for (int i = 0; i < 2000 && done < b->n; i++) {
        ssize_t n = write(f->pair[1], b->p + done, b->n - done);

        if (n > 0)
            done += (size_t)n;
        turn(f, 0);
    }
    assert_int_equal(done, b->n);
}

static void say(struct fixture *f, enum chan_type type, struct view payload) {
    cleanup_buf struct buf b = {0};

    assert_int_equal(chan_put(&b, type, payload, NULL), 0);
    say_raw(f, &b);
}

static void say_state(struct fixture *f, uint8_t code) {
    say(f, CHAN_STATE, view_of(&code, 1));
}

static const struct buf *last(const struct fixture *f, enum chan_type type) {
    for (size_t k = f->n_frames; k > 0 && f->n_frames - k < COUNT(f->frame); k--)
        if (f->type[(k - 1) % COUNT(f->frame)] == type)
            return &f->frame[(k - 1) % COUNT(f->frame)];
    return NULL;
}

static size_t count(const struct fixture *f, enum chan_type type) {
    size_t n = 0;

    for (size_t i = 0; i < f->n_frames && i < COUNT(f->frame); i++)
        n += f->type[i] == type;
    return n;
}

static struct event *wrap_for(const struct keypair *from, const struct keypair *to,
                              const char *text) {
    struct fields fl = fields_new(KIND_TEXT, unix_now(), view_str(text));
    char hex[65];
    struct rumor *r;
    struct event *ev;
    struct err e;

    hex_encode(view_of(keypair_pub(to), 32), hex);
    fields_add(&fl, "p", hex);
    r = rumor_make(&fl, keypair_pub(from));
    ev = wrap_make(r, from, NULL, keypair_pub(to), KIND_WRAP, unix_now(), 0, &e);
    assert_non_null(ev);
    rumor_free(r);
    return ev;
}

static void say_event(struct fixture *f, const struct event *ev) {
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    say(f, CHAN_EVENT, buf_view(&json));
}

/* Answers the AUTH frame `b` as key k. */
static void answer_auth(struct fixture *f, const struct buf *b, const struct keypair *k,
                        const char *url, const char *challenge) {
    cleanup_buf struct buf json = {0}, frame = {0};
    struct chan_auth a;
    struct event *ev;
    char said[129];

    assert_int_equal(chan_auth_parse(buf_view(b), &a, NULL), 0);
    snprintf(said, sizeof said, "%.*s", (int)a.body.n, (const char *)a.body.p);
    ev = relay_auth_event(url ? url : f->q.relays[a.relay], challenge ? challenge : said, k,
                          unix_now());
    event_json(ev, &json);
    assert_int_equal(chan_put_auth(&frame, a.relay, buf_view(&json), NULL), 0);
    say_raw(f, &frame);
    event_free(ev);
}

static void brief(struct fixture *f) {
    say_state(f, CHAN_BOOTED);
    UNTIL(f->n_states == 1);
    gateway_brief(f->gw);
    UNTIL(last(f, CHAN_JOB));
}

/* Up to the point where the gateway knows the guest's key and may read for it. */
static void introduce(struct fixture *f) {
    size_t answered = 0;

    brief(f);
    gateway_learn(f->gw);
    UNTIL(last(f, CHAN_AUTH));
    for (int i = 0; i < 50 && !(f->n_learned && i > 20); i++) {
        if (count(f, CHAN_AUTH) > answered) {
            answered = count(f, CHAN_AUTH);
            answer_auth(f, last(f, CHAN_AUTH), f->g, NULL, NULL);
        }
        turn(f, 10);
    }
    assert_int_equal(f->n_learned, 1);
    assert_memory_equal(f->learned, keypair_pub(f->g), 32);
}

static void broke(struct fixture *f, const char *words) {
    UNTIL(f->n_broken == 1);
    assert_string_equal(f->why.code, "bad-frame");
    if (!strstr(f->why.text, words))
        fail_msg("'%s' does not say '%s'", f->why.text, words);
}

/* --- tests --- */

static void the_job_frame_is_the_request(void **state) {
    struct fixture *f = *state;
    cJSON *o;
    const cJSON *relays;
    struct rumor *r;
    int64_t time;

    brief(f);
    gateway_brief(f->gw);
    turn(f, 50);
    assert_int_equal(count(f, CHAN_JOB), 1);
    o = json_parse(buf_view(last(f, CHAN_JOB)), CHAN_MAX, NULL);
    assert_non_null(o);
    {
        cleanup_free char *text = cJSON_PrintUnformatted(cJSON_GetObjectItem(o, "rumor"));

        r = rumor_parse(view_str(text), NULL);
    }
    assert_non_null(r);
    assert_memory_equal(r->f.id, f->q.id, 32);
    relays = cJSON_GetObjectItem(o, "relays");
    assert_int_equal(cJSON_GetArraySize(relays), 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(relays, 0)), f->q.relays[0]);
    assert_true(json_int_of(cJSON_GetObjectItem(o, "time"), &time));
    assert_true(time > unix_now() - 10 && time <= unix_now());
    rumor_free(r);
    cJSON_Delete(o);
}

static void events_go_both_ways(void **state) {
    struct fixture *f = *state;
    struct event *out = wrap_for(f->g, f->u, "from guest"), *in = wrap_for(f->u, f->g, "to guest");
    struct event *got;
    struct err e;

    introduce(f);
    say_event(f, out);
    UNTIL(f->n_customer == 1);
    assert_memory_equal(f->last_event, out->f.id, 32);
    assert_int_equal(pool_publish(f->customer, in, &e), 0);
    UNTIL(last(f, CHAN_EVENT));
    got = event_parse(buf_view(last(f, CHAN_EVENT)), &e);
    assert_non_null(got);
    assert_memory_equal(got->f.id, in->f.id, 32);
    assert_int_equal(gateway_stats(f->gw).events_in, 1);
    assert_int_equal(gateway_stats(f->gw).events_out, 1);
    event_free(got);
    event_free(out);
    event_free(in);
}

static void before_the_job_only_states_are_heard(void **state) {
    struct fixture *f = *state;
    struct event *ev = wrap_for(f->g, f->u, "early");

    say_state(f, CHAN_BOOTED);
    UNTIL(f->n_states == 1);
    assert_int_equal(f->n_broken, 0);
    say_event(f, ev);
    broke(f, "type 2");
    event_free(ev);
}

static void other_kinds_are_refused(void **state) {
    struct fixture *f = *state;
    struct fields fl = fields_new(1, unix_now(), view_str("spam"));
    struct event *ev = event_sign(&fl, f->g);

    brief(f);
    say_event(f, ev);
    broke(f, "kind 1");
    turn(f, 50);
    assert_int_equal(gateway_stats(f->gw).events_out, 0);
    event_free(ev);
}

static void a_forged_event_is_refused(void **state) {
    struct fixture *f = *state;
    struct event *ev = wrap_for(f->g, f->u, "x");

    brief(f);
    ev->f.sig[5] ^= 1;
    say_event(f, ev);
    UNTIL(f->n_broken == 1);
    event_free(ev);
}

static void the_hosts_own_types_are_refused(void **state) {
    struct fixture *f = *state;

    brief(f);
    say(f, CHAN_SHUTDOWN, view_of(NULL, 0));
    broke(f, "type 11");
}

static void a_frame_over_the_limit_is_refused(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf b = {0};

    buf_u32le(&b, CHAN_MAX + 1);
    buf_u8(&b, CHAN_EVENT);
    say_raw(f, &b);
    UNTIL(f->n_broken == 1);
}

static void after_a_break_nothing_is_heard(void **state) {
    struct fixture *f = *state;

    say(f, CHAN_EVENT, view_str("{}"));
    UNTIL(f->n_broken == 1);
    (void)!write(f->pair[1], "\2\0\0\0\10\1", 6);
    turn(f, 100);
    assert_int_equal(f->n_broken, 1);
    assert_int_equal(f->n_states, 0);
}

static void an_auth_nobody_asked_for_is_refused(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf frame = {0};

    brief(f);
    assert_int_equal(chan_put_auth(&frame, 0, view_str("{}"), NULL), 0);
    say_raw(f, &frame);
    broke(f, "nobody asked");
}

static void an_auth_for_another_challenge_is_refused(void **state) {
    struct fixture *f = *state;

    brief(f);
    gateway_learn(f->gw);
    UNTIL(last(f, CHAN_AUTH));
    answer_auth(f, last(f, CHAN_AUTH), f->g, NULL, "another");
    broke(f, "challenge");
}

static void an_auth_for_another_relay_is_refused(void **state) {
    struct fixture *f = *state;

    brief(f);
    gateway_learn(f->gw);
    UNTIL(last(f, CHAN_AUTH));
    answer_auth(f, last(f, CHAN_AUTH), f->g, "wss://elsewhere.example", NULL);
    broke(f, "another relay");
}

/* One question at a time: a relay that asks again and again cannot make an answer wrong. */
static void challenges_wait_for_their_turn(void **state) {
    struct fixture *f = *state;
    struct relay *r;

    brief(f);
    for (int i = 0; i < 40; i++)
        gateway_learn(f->gw);
    turn(f, 100);
    assert_int_equal(count(f, CHAN_AUTH), 1);
    r = pool_find(f->gw->pool, f->gw->relays[0]);
    assert_non_null(r);
    UNTIL(relay_challenge(r));
    snprintf(f->gw->challenge[0], sizeof f->gw->challenge[0], "%s", relay_challenge(r));
    on_challenge(f->gw, f->gw->relays[0], "newer");
    turn(f, 50);
    assert_int_equal(count(f, CHAN_AUTH), 1);
}

static void at_most_twenty_auths_are_asked(void **state) {
    struct fixture *f = *state;

    introduce(f);
    for (int i = 0; i < 40; i++) {
        f->gw->asked[0] = false;
        f->gw->challenge[0][0] = 0; /* as if the relay had sent another */
        gateway_ask_newest(f->gw, 0);
    }
    turn(f, 100);
    assert_int_equal(count(f, CHAN_AUTH), GATE_AUTH_MAX);
    assert_int_equal(f->n_broken, 0);
}

static void a_flood_of_states_is_refused(void **state) {
    struct fixture *f = *state;

    for (int i = 0; i <= GATE_STATES_MAX && !f->n_broken; i++)
        say_state(f, CHAN_BOOTED);
    broke(f, "STATE");
}

static void reports_come_from_the_simulator_or_empty(void **state) {
    struct fixture *f = *state;
    uint8_t data[64];

    memset(data, 7, sizeof data);
    brief(f);
    say(f, CHAN_REPORT_REQ, view_of(data, 64));
    UNTIL(last(f, CHAN_REPORT));
    assert_int_equal(last(f, CHAN_REPORT)->n, GATEWAY_REPORT);
    assert_int_equal(last(f, CHAN_REPORT)->p[1183], 7);
    f->no_report = true;
    say(f, CHAN_REPORT_REQ, view_of(data, 64));
    UNTIL(count(f, CHAN_REPORT) == 2);
    assert_int_equal(last(f, CHAN_REPORT)->n, 0);
    for (int i = 0; i < 3; i++)
        say(f, CHAN_REPORT_REQ, view_of(data, 64));
    broke(f, "reports");
}

static void a_short_report_request_is_refused(void **state) {
    struct fixture *f = *state;

    brief(f);
    say(f, CHAN_REPORT_REQ, view_str("short"));
    broke(f, "reports");
}

/* --- blobs --- */

static void put_piece(struct fixture *f, const uint8_t sha[static 32], struct view whole, size_t at,
                      size_t n) {
    cleanup_buf struct buf frame = {0};
    struct chan_blob b = {.total = whole.n, .offset = at, .data = view_of(whole.p + at, n)};

    memcpy(b.sha256, sha, 32);
    assert_int_equal(chan_put_blob(&frame, CHAN_BLOB_PUT, &b, NULL), 0);
    say_raw(f, &frame);
}

static void put_whole(struct fixture *f, const uint8_t sha[static 32], struct view whole) {
    for (size_t at = 0; at < whole.n; at += CHAN_BLOB_CHUNK)
        put_piece(f, sha, whole, at,
                  whole.n - at < CHAN_BLOB_CHUNK ? whole.n - at : CHAN_BLOB_CHUNK);
}

static enum chan_blob_status status_of_last(const struct fixture *f, const uint8_t sha[static 32]) {
    uint8_t got[32];
    enum chan_blob_status s;

    assert_int_equal(chan_blob_status_parse(buf_view(last(f, CHAN_BLOB_STATUS)), got, &s, NULL), 0);
    assert_memory_equal(got, sha, 32);
    return s;
}

static void get(struct fixture *f, const uint8_t sha[static 32], uint64_t max) {
    cleanup_buf struct buf frame = {0};
    struct chan_blob_get g = {.max = max};

    memcpy(g.sha256, sha, 32);
    assert_int_equal(chan_put_blob_get(&frame, &g, NULL), 0);
    say_raw(f, &frame);
}

static void a_blob_goes_up_and_comes_down(void **state) {
    struct fixture *f = *state;
    size_t n = 3 * CHAN_BLOB_CHUNK + 1000;
    cleanup_free uint8_t *data = mem_new(n);
    uint8_t sha[32];

    random_bytes(data, n);
    sha256(view_of(data, n), sha);
    brief(f);
    put_whole(f, sha, view_of(data, n));
    UNTIL(last(f, CHAN_BLOB_STATUS));
    assert_int_equal(status_of_last(f, sha), CHAN_BLOB_OK);
    get(f, sha, n);
    UNTIL(count(f, CHAN_BLOB_DATA) == 4);
    for (size_t i = 0, at = 0; i < f->n_frames; i++) {
        struct chan_blob b;

        if (f->type[i] != CHAN_BLOB_DATA)
            continue;
        assert_int_equal(chan_blob_parse(buf_view(&f->frame[i]), &b, NULL), 0);
        assert_int_equal(b.offset, at);
        assert_int_equal(b.total, n);
        assert_memory_equal(b.data.p, data + at, b.data.n);
        at += b.data.n;
    }
    get(f, sha, 1000);
    UNTIL(count(f, CHAN_BLOB_STATUS) == 2);
    assert_int_equal(status_of_last(f, sha), CHAN_BLOB_TOO_LARGE);
}

/* As many files as a customer may send at once: more than are fetched at a time. */
static void many_blobs_wait_for_their_turn(void **state) {
    struct fixture *f = *state;
    uint8_t sha[16][32];

    brief(f);
    for (size_t i = 0; i < COUNT(sha); i++) {
        uint8_t data[1000] = {(uint8_t)i};

        sha256(view_of(data, sizeof data), sha[i]);
        put_whole(f, sha[i], view_of(data, sizeof data));
        UNTIL(count(f, CHAN_BLOB_STATUS) == i + 1);
        assert_int_equal(status_of_last(f, sha[i]), CHAN_BLOB_OK);
    }
    for (size_t i = 0; i < COUNT(sha); i++)
        get(f, sha[i], 1000);
    UNTIL(count(f, CHAN_BLOB_DATA) == COUNT(sha));
    assert_int_equal(count(f, CHAN_BLOB_STATUS), COUNT(sha)); /* none was refused */
}

static void an_absent_blob_has_a_status(void **state) {
    struct fixture *f = *state;
    uint8_t sha[32] = {1, 2, 3};

    brief(f);
    get(f, sha, 1000);
    UNTIL(last(f, CHAN_BLOB_STATUS));
    assert_int_equal(status_of_last(f, sha), CHAN_BLOB_ABSENT);
}

static void a_blob_with_another_hash_is_refused(void **state) {
    struct fixture *f = *state;
    uint8_t sha[32] = {1};

    brief(f);
    put_whole(f, sha, view_str("hello"));
    broke(f, "hash");
}

static void a_blob_out_of_order_is_refused(void **state) {
    struct fixture *f = *state;
    uint8_t sha[32];
    struct view whole = view_str("hello world");

    sha256(whole, sha);
    brief(f);
    put_piece(f, sha, whole, 0, 5);
    put_piece(f, sha, whole, 6, 5);
    broke(f, "order");
}

static void too_large_a_blob_has_a_status(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf frame = {0};
    struct chan_blob b = {.total = GATEBLOB_MAX + 1, .data = view_str("x")};

    brief(f);
    assert_int_equal(chan_put_blob(&frame, CHAN_BLOB_PUT, &b, NULL), 0);
    say_raw(f, &frame);
    UNTIL(last(f, CHAN_BLOB_STATUS));
    assert_int_equal(status_of_last(f, b.sha256), CHAN_BLOB_TOO_LARGE);
    assert_int_equal(f->n_broken, 0);
}

/* --- floods and the end --- */

static void a_flooding_guest_is_slowed_not_obeyed(void **state) {
    struct fixture *f = *state;
    struct event *ev = wrap_for(f->g, f->u, "flood");
    cleanup_buf struct buf json = {0}, frame = {0};
    int64_t began = loop_now();
    size_t sent = 0;

    brief(f);
    event_json(ev, &json);
    assert_int_equal(chan_put(&frame, CHAN_EVENT, buf_view(&json), NULL), 0);
    while (loop_now() - began < 1500) {
        if (write(f->pair[1], frame.p, frame.n) == (ssize_t)frame.n)
            sent++;
        turn(f, 0);
    }
    assert_int_equal(f->n_broken, 0);
    assert_true(gateway_stats(f->gw).events_out <= RATE_BURST + 3 * RATE_PER_S);
    assert_true(sent >= RATE_BURST);
    assert_true(f->gw->in.b.n <= 2 * 65536);
    event_free(ev);
}

/* Relays that take nothing: the guest's events stay with the guest, which then holds back. */
static void what_relays_do_not_take_is_not_read(void **state) {
    struct fixture *f = *state;

    brief(f);
    relayd_free(f->net.relay);
    f->net.relay = NULL;
    turn(f, 200);
    for (int i = 0; i < 3 * GATE_BACKLOG; i++) {
        struct event *ev = wrap_for(f->g, f->u, "much");

        say_event(f, ev);
        event_free(ev);
    }
    turn(f, 300);
    assert_int_equal(f->n_broken, 0);
    assert_int_equal(gateway_stats(f->gw).events_out, GATE_BACKLOG);
}

static void the_receipt_is_out_before_finished(void **state) {
    struct fixture *f = *state;
    struct event *ev = wrap_for(f->g, f->u, "receipt");
    cleanup_buf struct buf json = {0}, frames = {0};
    uint8_t wiping = CHAN_WIPING;

    introduce(f);
    event_json(ev, &json);
    assert_int_equal(chan_put(&frames, CHAN_EVENT, buf_view(&json), NULL), 0);
    assert_int_equal(chan_put(&frames, CHAN_STATE, view_of(&wiping, 1), NULL), 0);
    assert_int_equal(write(f->pair[1], frames.p, frames.n), (ssize_t)frames.n);
    close(f->pair[1]);
    f->pair[1] = -1;
    gateway_finish(f->gw);
    assert_int_equal(f->states[f->n_states - 1], CHAN_WIPING); /* read at once */
    assert_int_equal(f->n_finished, 0);
    UNTIL(f->n_finished == 1);
    UNTIL(f->n_customer == 1);
    assert_memory_equal(f->last_event, ev->f.id, 32);
    assert_int_equal(f->n_broken, 0);
    event_free(ev);
}

static void finishing_does_not_wait_for_ever(void **state) {
    struct fixture *f = *state;
    struct event *ev = wrap_for(f->g, f->u, "receipt");
    int64_t began;

    brief(f);
    relayd_free(f->net.relay); /* nobody is left to confirm */
    f->net.relay = NULL;
    say_event(f, ev);
    began = loop_now();
    gateway_finish(f->gw);
    while (!f->n_finished && loop_now() - began < 2 * GATEWAY_LINGER_MS)
        turn(f, 0);
    assert_int_equal(f->n_finished, 1);
    assert_true(loop_now() - began <= GATEWAY_LINGER_MS + 1000);
    event_free(ev);
}

#define WITH_RELAY(t) cmocka_unit_test_setup_teardown(t, start, stop)
int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_RELAY(the_job_frame_is_the_request),
        WITH_RELAY(events_go_both_ways),
        WITH_RELAY(before_the_job_only_states_are_heard),
        WITH_RELAY(other_kinds_are_refused),
        WITH_RELAY(a_forged_event_is_refused),
        WITH_RELAY(the_hosts_own_types_are_refused),
        WITH_RELAY(a_frame_over_the_limit_is_refused),
        WITH_RELAY(after_a_break_nothing_is_heard),
        WITH_RELAY(an_auth_nobody_asked_for_is_refused),
        WITH_RELAY(an_auth_for_another_challenge_is_refused),
        WITH_RELAY(an_auth_for_another_relay_is_refused),
        WITH_RELAY(challenges_wait_for_their_turn),
        WITH_RELAY(at_most_twenty_auths_are_asked),
        WITH_RELAY(a_flood_of_states_is_refused),
        WITH_RELAY(reports_come_from_the_simulator_or_empty),
        WITH_RELAY(a_short_report_request_is_refused),
        WITH_RELAY(a_blob_goes_up_and_comes_down),
        WITH_RELAY(many_blobs_wait_for_their_turn),
        WITH_RELAY(an_absent_blob_has_a_status),
        WITH_RELAY(a_blob_with_another_hash_is_refused),
        WITH_RELAY(a_blob_out_of_order_is_refused),
        WITH_RELAY(too_large_a_blob_has_a_status),
        WITH_RELAY(a_flooding_guest_is_slowed_not_obeyed),
        WITH_RELAY(what_relays_do_not_take_is_not_read),
        WITH_RELAY(the_receipt_is_out_before_finished),
        WITH_RELAY(finishing_does_not_wait_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
