#include "core/relay.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"
#include "tests/unit/hostile.h"

/* ---- a relay connection against a server that obeys the test ---- */

struct bed {
    struct net n;
    struct hostile h;
    struct relay *r;
    struct keypair *key, *author;
    size_t events, eoses, closeds, oks;
    int64_t flooded;
    bool up, down, got_eose, got_ok, got_closed, challenged, free_in_callback, freed;
    bool ok;
    char why[480], code[32];
};

static void maybe_free(struct bed *b) {
    if (!b->free_in_callback)
        return;
    b->freed = true;
    relay_free(b->r);
    b->r = NULL;
}

static void on_state(void *arg, struct relay *r, enum relay_state s, const struct err *why) {
    struct bed *b = arg;

    (void)r;
    b->up = s == RELAY_UP;
    b->down |= s == RELAY_DOWN || s == RELAY_WAITING;
    if (why) {
        snprintf(b->code, sizeof b->code, "%s", why->code);
        snprintf(b->why, sizeof b->why, "%s", why->text);
    }
}

static void on_event(void *arg, struct relay *r, const char *sub, const struct event *ev) {
    struct bed *b = arg;

    (void)r, (void)sub, (void)ev;
    b->events++;
    maybe_free(b);
}

static void on_eose(void *arg, struct relay *r, const char *sub) {
    struct bed *b = arg;

    (void)r, (void)sub;
    b->eoses++;
    b->got_eose = true;
}

static void on_sub_closed(void *arg, struct relay *r, const char *sub, const char *why) {
    struct bed *b = arg;

    (void)r, (void)sub;
    b->closeds++;
    b->got_closed = true;
    snprintf(b->why, sizeof b->why, "%s", why);
}

static void on_ok(void *arg, struct relay *r, const uint8_t id[32], bool ok, const char *msg) {
    struct bed *b = arg;

    (void)r, (void)id;
    b->oks++;
    b->got_ok = true;
    b->ok = ok;
    snprintf(b->why, sizeof b->why, "%s", msg);
}

static void on_challenge(void *arg, struct relay *r, const char *challenge) {
    struct bed *b = arg;

    (void)r;
    b->challenged = true;
    snprintf(b->why, sizeof b->why, "%s", challenge);
}

static void bed_up(struct bed *b, bool with_key, void (*script)(struct hostile *, const char *)) {
    struct relay_handler h = {.state = on_state,
                              .event = on_event,
                              .eose = on_eose,
                              .closed = on_sub_closed,
                              .ok = on_ok};
    struct err e;

    *b = (struct bed){0};
    b->n.loop = loop_new(&e);
    b->n.ws = ws_net_new(b->n.loop, &e);
    hostile_up(&b->h, b->n.loop);
    b->h.on_text = script;
    b->h.arg = b;
    b->key = keypair_new();
    b->author = keypair_new();
    if (!with_key)
        h.challenge = on_challenge;
    b->r = relay_new(b->n.ws, b->h.url, with_key ? b->key : NULL, &h, b, &e);
    assert_non_null(b->r);
}

static void bed_down(struct bed *b) {
    relay_free(b->r);
    hostile_down(&b->h);
    ws_net_free(b->n.ws);
    loop_free(b->n.loop);
    keypair_free(b->key);
    keypair_free(b->author);
}

static void say_event(struct hostile *h, const struct event *ev) {
    cleanup_buf struct buf b = {0};

    buf_str(&b, "[\"EVENT\",\"s\",");
    event_json(ev, &b);
    buf_str(&b, "]");
    hostile_say(h, (const char *)b.p);
}

static void say_ok(struct hostile *h, const char *about, bool ok, const char *why) {
    const char *id = strstr(about, "\"id\":\"");
    cleanup_free char *text =
        mem_fmt("[\"OK\",\"%.64s\",%s,\"%s\"]", id ? id + 6 : "", ok ? "true" : "false", why);

    hostile_say(h, text);
}

static bool is(const char *text, const char *type) {
    return strncmp(text + 2, type, strlen(type)) == 0;
}

static void publish_one(struct bed *b, uint32_t kind) {
    struct event *ev = note_by(b->author, kind, unix_now(), "x", NULL, NULL);

    assert_int_equal(relay_publish(b->r, ev, NULL), 0);
    event_free(ev);
}

/* ---- lies ---- */

static void lie_about_signatures(struct hostile *h, const char *text) {
    struct bed *b = h->arg;

    if (!is(text, "REQ"))
        return;
    for (int i = 0; i < 30; i++) {
        struct event *ev = note_by(b->author, 1, 1700000000 + i, "x", NULL, NULL);

        if (i % 2)
            ev->f.sig[0] ^= 1;
        else
            ev->f.content[0] = 'y';
        say_event(h, ev);
        event_free(ev);
    }
}

static void send_unasked_kinds(struct hostile *h, const char *text) {
    struct bed *b = h->arg;

    if (!is(text, "REQ"))
        return;
    for (int i = 0; i < 30; i++) {
        struct event *ev = note_by(b->author, 2, 1700000000 + i, "x", NULL, NULL);

        say_event(h, ev);
        event_free(ev);
    }
}

static void send_junk(struct hostile *h, const char *text) {
    static const char *const junk[] = {
        "",
        "{",
        "[]",
        "[1,2]",
        "[\"EVENT\"",
        "\xff",
        "[\"OK\"]",
        "null",
        "[\"OK\",\"zz\"]",
        "[\"AUTH\"]",
        "[\"AUTH\",\"\"]",
        "[\"AUTH\",7]",
        "[\"EVENT\",\"s\",{}]",
        "[\"EVENT\",\"s\",{\"id\":1,\"id\":2}]",
    };

    if (!is(text, "REQ"))
        return;
    for (int i = 0; i < 40; i++)
        hostile_say(h, junk[(size_t)i % COUNT(junk)]);
}

static void a_lying_relay_is_dropped(void **state) {
    static void (*const scripts[])(struct hostile *, const char *) = {
        lie_about_signatures, send_unasked_kinds, send_junk};

    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct event *ev;
        struct bed b;
        struct err e;

        bed_up(&b, false, scripts[i]);
        assert_int_equal(relay_subscribe(b.r, "s", "{\"kinds\":[1]}", NULL), 0);
        publish_one(&b, 1); /* never acknowledged */
        assert_true(net_until(&b.n, &b.down, 5000));
        assert_true(b.got_ok && !b.ok);
        ev = note_by(b.author, 1, 1500000000, "x", NULL, NULL);
        assert_int_equal(relay_publish(b.r, ev, &e), -1);
        assert_string_equal(e.code, "bad-relay");
        event_free(ev);
        assert_int_equal(relay_state(b.r), RELAY_DOWN);
        assert_string_equal(b.code, "bad-relay");
        assert_int_equal(b.events, 0);
        net_for(&b.n, 100);
        assert_int_equal(b.h.conns, 1); /* for good */
        bed_down(&b);
    }
}

static void send_harmless_oddities(struct hostile *h, const char *text) {
    if (!is(text, "REQ"))
        return;
    hostile_say(h, "[\"NOTICE\",\"\\u001b[2J hello\"]");
    hostile_say(h, "[\"NOTICE\"]");
    hostile_say(h, "[\"SOMETHING\",\"new\"]");
    hostile_say(h, "[\"EOSE\",\"other\"]");
    hostile_say(h, "[\"EVENT\",\"gone\",{}]");
    hostile_say(h, "[\"CLOSED\",\"other\",\"\"]");
    hostile_say(h, "[\"EOSE\",\"s\"]");
    hostile_say(h, "[\"EOSE\",\"s\"]");
}

static void oddities_are_no_lies(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, send_harmless_oddities);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.got_eose, 5000));
    net_for(&b.n, 50);
    assert_int_equal(b.eoses, 1);
    assert_int_equal(b.r->lies, 0);
    assert_true(relay_latency_ms(b.r) >= 0);
    bed_down(&b);
}

/* Expired events are dropped silently: relays are slow to forget (NIP-40). */
static void send_expired(struct hostile *h, const char *text) {
    struct bed *b = h->arg;
    struct event *ev;

    if (!is(text, "REQ"))
        return;
    ev = note_by(b->author, 1, 1700000000, "x", "expiration", "1700000001");
    say_event(h, ev);
    event_free(ev);
    hostile_say(h, "[\"EOSE\",\"s\"]");
}

static void expired_events_are_dropped(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, send_expired);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.got_eose, 5000));
    assert_int_equal(b.events, 0);
    assert_int_equal(b.r->lies, 0);
    bed_down(&b);
}

/* ---- broken connections ---- */

static void close_inside_a_frame(struct hostile *h, const char *text) {
    if (!is(text, "REQ"))
        return;
    if (h->conns == 1) {
        hostile_raw(h, "\x81\x7e\x10\x00[\"EVENT\",", 13); /* says 4096 bytes, sends nine */
        hostile_write(h);
        hostile_hang_up(h);
    } else {
        hostile_say(h, "[\"EOSE\",\"s\"]");
    }
}

static void reconnects_and_subscribes_again(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, close_inside_a_frame);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.down, 5000));
    assert_int_equal(relay_state(b.r), RELAY_WAITING);
    assert_true(net_until(&b.n, &b.got_eose, 5000));
    assert_int_equal(b.h.conns, 2);
    assert_int_equal(hostile_heard(&b.h, "[\"REQ\",\"s\",{}]"), 2);
    bed_down(&b);
}

static void send_too_much(struct hostile *h, const char *text) {
    cleanup_free char *big = NULL;

    if (!is(text, "REQ"))
        return;
    big = mem_new(MESSAGE_MAX + 2);
    memset(big, ' ', MESSAGE_MAX + 1);
    hostile_say(h, big);
}

static void an_oversized_message_ends_the_connection(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, send_too_much);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.down, 5000));
    assert_string_equal(b.code, "too-large");
    bed_down(&b);
}

static void binary(struct hostile *h, const char *text) {
    if (is(text, "REQ"))
        hostile_raw(h, "\x82\x02[]", 4);
}

static void a_binary_message_ends_the_connection(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, binary);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.down, 5000));
    assert_string_equal(b.code, "bad-message");
    bed_down(&b);
}

static void nobody_there_is_said_in_words(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, NULL);
    loop_fd_del(b.h.lwatch);
    b.h.lwatch = NULL;
    close(b.h.listener);
    b.h.listener = -1;
    assert_true(net_until(&b.n, &b.down, 5000));
    assert_string_equal(b.code, "connect");
    assert_non_null(strstr(b.why, "127.0.0.1"));
    bed_down(&b);
}

static void private_addresses_are_refused_where_told(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, NULL);
    relay_public_only(b.r);
    assert_true(net_until(&b.n, &b.down, 5000));
    assert_string_equal(b.code, "private-address");
    assert_int_equal(b.h.conns, 0);
    bed_down(&b);
}

static void backoff_doubles_with_jitter_and_a_cap(void **state) {
    (void)state;
    for (unsigned f = 1; f < 40; f++)
        for (int i = 0; i < 50; i++) {
            int64_t whole = f > 6 ? 60000 : 1000 << (f - 1);
            int64_t ms = backoff_ms(f);

            assert_true(ms >= whole / 2 && ms <= whole);
        }
}

/* ---- a flood does not starve the loop ---- */

static void flood_more(struct hostile *h) {
    struct bed *b = h->arg;

    for (int i = 0; i < 50; i++) {
        struct event *ev = note_by(b->author, 1, 1700000000 + b->flooded++, "flood", NULL, NULL);

        say_event(h, ev);
        event_free(ev);
    }
}

static void flood(struct hostile *h, const char *text) {
    if (is(text, "REQ")) {
        h->on_drained = flood_more;
        flood_more(h);
    }
}

static void tick_tock(void *arg) {
    ++*(int *)arg;
}

static void a_flood_leaves_room_for_others(void **state) {
    struct bed b;
    int ticks = 0;
    int64_t worst = 0;

    (void)state;
    bed_up(&b, false, flood);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    net_for(&b.n, 100);
    for (int i = 0; i < 20; i++) {
        int64_t start = loop_now();
        struct loop_timer *t = loop_timer_add(b.n.loop, start + 5, tick_tock, &ticks);
        int want = ticks + 1;

        while (ticks < want)
            loop_turn(b.n.loop, 100);
        loop_timer_del(t);
        worst = loop_now() - start > worst ? loop_now() - start : worst;
    }
    assert_true(b.events > 50);
    assert_true(worst < 1000);
    bed_down(&b);
}

/* ---- AUTH ---- */

/* strfry's way: the challenge comes late and CLOSED begins with "ERROR: ". */
static void want_auth_for_reading(struct hostile *h, const char *text) {
    static bool authed;

    if (h->conns == 1 && is(text, "REQ") && hostile_heard(h, "[\"REQ\"") == 1)
        authed = false;
    if (is(text, "AUTH")) {
        authed = strstr(text, "\"kind\":22242") && strstr(text, "[\"challenge\",\"abc\"]") &&
                 strstr(text, h->url);
        say_ok(h, text, authed, "");
    } else if (is(text, "REQ") && !authed) {
        hostile_say(h, "[\"AUTH\",\"abc\"]");
        hostile_say(h, "[\"CLOSED\",\"s\",\"ERROR: auth-required: who are you?\"]");
    } else if (is(text, "REQ")) {
        hostile_say(h, "[\"EOSE\",\"s\"]");
    }
}

static void authenticates_for_reading(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, true, want_auth_for_reading);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.got_eose, 5000));
    assert_int_equal(hostile_heard(&b.h, "[\"REQ\""), 2);
    assert_int_equal(hostile_heard(&b.h, "[\"AUTH\""), 1);
    assert_int_equal(b.closeds, 0);
    bed_down(&b);
}

static void want_auth_for_writing(struct hostile *h, const char *text) {
    if (is(text, "AUTH"))
        say_ok(h, text, true, "");
    else if (is(text, "EVENT") && hostile_heard(h, "[\"AUTH\"") == 0) {
        hostile_say(h, "[\"AUTH\",\"abc\"]");
        say_ok(h, text, false, "auth-required: who are you?");
    } else if (is(text, "EVENT")) {
        say_ok(h, text, true, "");
    }
}

static void authenticates_for_writing(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, true, want_auth_for_writing);
    publish_one(&b, 1);
    assert_true(net_until(&b.n, &b.got_ok, 5000));
    assert_true(b.ok);
    assert_int_equal(b.oks, 1);
    assert_int_equal(hostile_heard(&b.h, "[\"EVENT\""), 2);
    bed_down(&b);
}

static void say_auth_required(struct hostile *h) {
    hostile_say(h, "[\"AUTH\",\"abc\"]");
    hostile_say(h, "[\"CLOSED\",\"s\",\"auth-required: no\"]");
}

static void never_satisfied(struct hostile *h, const char *text) {
    if (is(text, "AUTH"))
        say_ok(h, text, true, "");
    else if (is(text, "REQ"))
        say_auth_required(h);
    else if (is(text, "EVENT"))
        say_ok(h, text, false, "auth-required: no");
}

static void does_not_ask_for_ever(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, true, never_satisfied);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    publish_one(&b, 1);
    assert_true(net_until(&b.n, &b.got_closed, 5000));
    assert_true(net_until(&b.n, &b.got_ok, 5000));
    assert_false(b.ok);
    net_for(&b.n, 100);
    assert_in_range(hostile_heard(&b.h, "[\"REQ\""), 2, 4);
    assert_in_range(hostile_heard(&b.h, "[\"EVENT\""), 2, 4);
    bed_down(&b);
}

static void refuse_auth(struct hostile *h, const char *text) {
    if (is(text, "AUTH"))
        say_ok(h, text, false, "restricted: not you");
    else
        never_satisfied(h, text);
}

static void a_refused_auth_refuses_what_waited(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, true, refuse_auth);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    publish_one(&b, 1);
    assert_true(net_until(&b.n, &b.got_closed, 5000));
    assert_true(net_until(&b.n, &b.got_ok, 5000));
    assert_false(b.ok);
    assert_string_equal(b.why, "restricted: not you");
    bed_down(&b);
}

static void somebody_else_may_answer_the_challenge(void **state) {
    struct bed b;
    struct event *ev;

    (void)state;
    bed_up(&b, false, want_auth_for_reading);
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.challenged, 5000));
    assert_string_equal(b.why, "abc");
    assert_string_equal(relay_challenge(b.r), "abc");
    ev = relay_auth_event(relay_url(b.r), "abc", b.author, unix_now());
    assert_int_equal(relay_auth(b.r, ev, NULL), 0);
    event_free(ev);
    assert_true(net_until(&b.n, &b.got_eose, 5000));
    bed_down(&b);
}

/* ---- events that nobody acknowledged ---- */

static void hang_up_on_event(struct hostile *h, const char *text) {
    if (is(text, "EVENT") && h->conns == 1)
        hostile_hang_up(h);
    else if (is(text, "EVENT"))
        say_ok(h, text, true, "");
}

static void unacknowledged_events_go_out_again(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, hang_up_on_event);
    publish_one(&b, 1);
    assert_true(net_until(&b.n, &b.got_ok, 8000));
    assert_true(b.ok);
    assert_int_equal(hostile_heard(&b.h, "[\"EVENT\""), 2);
    assert_int_equal(b.r->n_outs, 0);
    bed_down(&b);
}

static void ephemeral_events_go_out_once(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, hang_up_on_event);
    publish_one(&b, 21059);
    assert_true(net_until(&b.n, &b.down, 5000));
    b.up = false;
    assert_true(net_until(&b.n, &b.up, 8000));
    net_for(&b.n, 100);
    assert_int_equal(hostile_heard(&b.h, "[\"EVENT\""), 1);
    assert_int_equal(b.r->n_outs, 0);
    bed_down(&b);
}

static int64_t heard_at, least_gap;

/* Of eight at once it takes the first, and then whatever comes. */
static void take_few(struct hostile *h, const char *text) {
    size_t n = hostile_heard(h, "[\"EVENT\"");

    if (!is(text, "EVENT"))
        return;
    if (n > 9 && loop_now() - heard_at < least_gap)
        least_gap = loop_now() - heard_at;
    heard_at = loop_now();
    say_ok(h, text, n == 1 || n > 8, "rate-limited: slow down");
}

static void rate_limited_events_wait_their_turn(void **state) {
    struct bed b;

    (void)state;
    least_gap = INT64_MAX;
    bed_up(&b, false, take_few);
    for (int64_t i = 0; i < 8; i++) {
        struct event *ev = note_by(b.author, 1, 1700000000 + i, "x", NULL, NULL);

        assert_int_equal(relay_publish(b.r, ev, NULL), 0);
        event_free(ev);
    }
    while (b.oks < 8)
        loop_turn(b.n.loop, 20);
    assert_true(b.ok);
    assert_null(b.r->outs);
    assert_int_equal(hostile_heard(&b.h, "[\"EVENT\""), 1 + 7 + 7);
    assert_true(least_gap > 0 && least_gap < INT64_MAX);
    bed_down(&b);
}

static void limit_always(struct hostile *h, const char *text) {
    if (is(text, "EVENT"))
        say_ok(h, text, false, "rate-limited: slow down");
}

static void ephemeral_events_do_not_wait_for_ever(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, limit_always);
    publish_one(&b, 21059);
    while (!relay_backlog(b.r) || !hostile_heard(&b.h, "[\"EVENT\""))
        loop_turn(b.n.loop, 20);
    assert_false(b.got_ok);
    b.r->outs->made_at -= EPHEMERAL_MS + 1;
    on_tick(b.r);
    assert_true(b.got_ok);
    assert_false(b.ok);
    assert_non_null(strstr(b.why, "rate-limited"));
    bed_down(&b);
}

static void a_relay_that_never_answers_is_given_up(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, NULL);
    assert_true(net_until(&b.n, &b.up, 5000));
    publish_one(&b, 1);
    for (int i = 0; i < TRIES_MAX && !b.got_ok; i++) {
        b.r->outs->sent_at -= ANSWER_MS + 1;
        on_tick(b.r);
    }
    assert_true(b.got_ok);
    assert_false(b.ok);
    assert_null(b.r->outs);
    bed_down(&b);
}

static void a_full_queue_is_said(void **state) {
    struct bed b;
    struct event *ev;
    struct err e;

    (void)state;
    bed_up(&b, false, NULL);
    for (int i = 0; i < OUTS_MAX; i++) {
        ev = note_by(b.author, 1, 1700000000 + i, "x", NULL, NULL);
        assert_int_equal(relay_publish(b.r, ev, NULL), 0);
        event_free(ev);
    }
    ev = note_by(b.author, 1, 1600000000, "x", NULL, NULL);
    assert_int_equal(relay_publish(b.r, ev, &e), -1);
    assert_string_equal(e.code, "busy");
    event_free(ev);
    bed_down(&b);
}

static void duplicate_refusals_are_success(struct hostile *h, const char *text) {
    if (is(text, "EVENT"))
        say_ok(h, text, false, "duplicate: have it");
}

static void a_duplicate_counts_as_published(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, duplicate_refusals_are_success);
    publish_one(&b, 1);
    assert_true(net_until(&b.n, &b.got_ok, 5000));
    assert_true(b.ok);
    bed_down(&b);
}

/* ---- freeing inside a callback ---- */

static void send_three(struct hostile *h, const char *text) {
    struct bed *b = h->arg;

    if (!is(text, "REQ"))
        return;
    for (int i = 0; i < 3; i++) {
        struct event *ev = note_by(b->author, 1, 1700000000 + i, "x", NULL, NULL);

        say_event(h, ev);
        event_free(ev);
    }
}

static void a_relay_may_be_freed_inside_its_callback(void **state) {
    struct bed b;

    (void)state;
    bed_up(&b, false, send_three);
    b.free_in_callback = true;
    assert_int_equal(relay_subscribe(b.r, "s", "{}", NULL), 0);
    assert_true(net_until(&b.n, &b.freed, 5000));
    net_for(&b.n, 50);
    assert_int_equal(b.events, 1);
    bed_down(&b);
}

static void bad_subscriptions_are_refused(void **state) {
    static const char *const bad[] = {"", "{", "7", "{\"bogus\":1}", "{},", "{},{\"kinds\":3}"};
    char id[80];
    struct bed b;
    struct err e;

    (void)state;
    bed_up(&b, false, NULL);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(relay_subscribe(b.r, "s", bad[i], &e), -1);
    memset(id, 'x', sizeof id);
    id[65] = 0;
    assert_int_equal(relay_subscribe(b.r, id, "{}", &e), -1);
    assert_null(relay_new(b.n.ws, "https://x", NULL, &(struct relay_handler){0}, NULL, &e));
    assert_string_equal(e.code, "bad-url");
    bed_down(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lying_relay_is_dropped),
        cmocka_unit_test(oddities_are_no_lies),
        cmocka_unit_test(expired_events_are_dropped),
        cmocka_unit_test(reconnects_and_subscribes_again),
        cmocka_unit_test(an_oversized_message_ends_the_connection),
        cmocka_unit_test(a_binary_message_ends_the_connection),
        cmocka_unit_test(nobody_there_is_said_in_words),
        cmocka_unit_test(private_addresses_are_refused_where_told),
        cmocka_unit_test(backoff_doubles_with_jitter_and_a_cap),
        cmocka_unit_test(a_flood_leaves_room_for_others),
        cmocka_unit_test(authenticates_for_reading),
        cmocka_unit_test(authenticates_for_writing),
        cmocka_unit_test(does_not_ask_for_ever),
        cmocka_unit_test(a_refused_auth_refuses_what_waited),
        cmocka_unit_test(somebody_else_may_answer_the_challenge),
        cmocka_unit_test(unacknowledged_events_go_out_again),
        cmocka_unit_test(ephemeral_events_go_out_once),
        cmocka_unit_test(rate_limited_events_wait_their_turn),
        cmocka_unit_test(ephemeral_events_do_not_wait_for_ever),
        cmocka_unit_test(a_relay_that_never_answers_is_given_up),
        cmocka_unit_test(a_full_queue_is_said),
        cmocka_unit_test(a_duplicate_counts_as_published),
        cmocka_unit_test(a_relay_may_be_freed_inside_its_callback),
        cmocka_unit_test(bad_subscriptions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
