#include "provider/relayd.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

#include "core/enc.h"
#include "core/relay.h"

/* ---- storing and asking ---- */

static void stores_and_serves(void **state) {
    struct net n;
    struct client a, b;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    client_up(&b, &n, false);
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "hello", "t", "x")));
    assert_int_equal(client_ask(&b, "{\"kinds\":[1]}"), 1);
    assert_string_equal(b.last->f.content, "hello");
    assert_int_equal(client_ask(&b, "{\"#t\":[\"x\"]}"), 1);
    assert_int_equal(client_ask(&b, "{\"#t\":[\"y\"]}"), 0);
    assert_int_equal(client_ask(&b, "{\"kinds\":[1],\"limit\":0}"), 0);
    assert_int_equal(client_ask(&b, "{\"ids\":[]}"), 0);
    client_down(&a);
    client_down(&b);
    net_down(&n);
}

static void newest_first_and_limited(void **state) {
    int64_t now = unix_now();
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    for (int i = 0; i < 5; i++)
        assert_true(client_put(&a, note_by(a.key, 1, now - i, "n", NULL, NULL)));
    assert_int_equal(client_ask(&a, "{\"kinds\":[1],\"limit\":2}"), 2);
    assert_true(a.last->f.created_at == now - 1);
    assert_int_equal(client_ask(&a, "{\"kinds\":[1],\"limit\":2},{\"kinds\":[1],\"limit\":3}"), 3);
    client_down(&a);
    net_down(&n);
}

static void keeps_events_over_a_restart(void **state) {
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), "kept", NULL, NULL)));
    client_down(&a);
    relayd_free(n.relay);
    net_relay(&n, NULL);
    client_up(&a, &n, false);
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 1);
    client_down(&a);
    net_down(&n);
}

static void answers_duplicates_with_true(void **state) {
    struct net n;
    struct client a;
    struct event *ev;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    ev = note_by(a.key, 1, unix_now(), "once", NULL, NULL);
    assert_true(client_put(&a, event_copy(ev)));
    assert_true(client_put(&a, event_copy(ev)));
    assert_non_null(strstr(a.why, "duplicate:"));
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 1);
    event_free(ev);
    client_down(&a);
    net_down(&n);
}

static void replaces_replaceable_events(void **state) {
    int64_t now = unix_now();
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    assert_true(client_put(&a, note_by(a.key, 10002, now - 5, "old", NULL, NULL)));
    assert_true(client_put(&a, note_by(a.key, 10002, now, "new", NULL, NULL)));
    assert_true(client_put(&a, note_by(a.key, 10002, now - 9, "older", NULL, NULL)));
    assert_int_equal(client_ask(&a, "{\"kinds\":[10002]}"), 1);
    assert_string_equal(a.last->f.content, "new");
    assert_true(client_put(&a, note_by(a.key, 30001, now, "x1", "d", "x")));
    assert_true(client_put(&a, note_by(a.key, 30001, now, "y1", "d", "y")));
    assert_true(client_put(&a, note_by(a.key, 30001, now + 1, "x2", "d", "x")));
    assert_int_equal(client_ask(&a, "{\"kinds\":[30001]}"), 2);
    assert_int_equal(client_ask(&a, "{\"#d\":[\"x\"]}"), 1);
    assert_string_equal(a.last->f.content, "x2");
    client_down(&a);
    net_down(&n);
}

/* Whatever the order of arrival: at the same second the lowest id stays (NIP-01). */
static void lowest_id_wins_a_tie(void **state) {
    int64_t now = unix_now();
    struct net n;
    struct client a;
    struct event *x, *y;
    const struct event *low;

    (void)state;
    net_up(&n, NULL);
    for (int order = 0; order < 2; order++) {
        client_up(&a, &n, false);
        x = note_by(a.key, 0, now, "x", NULL, NULL);
        y = note_by(a.key, 0, now, "y", NULL, NULL);
        low = memcmp(x->f.id, y->f.id, 32) < 0 ? x : y;
        assert_true(client_put(&a, event_copy(order ? x : y)));
        assert_true(client_put(&a, event_copy(order ? y : x)));
        {
            cleanup_free char *hex = hex_new(view_of(x->f.pubkey, 32));
            cleanup_free char *filter = mem_fmt("{\"authors\":[\"%s\"]}", hex);

            assert_int_equal(client_ask(&a, filter), 1);
        }
        assert_memory_equal(a.last->f.id, low->f.id, 32);
        event_free(x);
        event_free(y);
        client_down(&a);
    }
    net_down(&n);
}

/* ---- deletion ---- */

static struct event *deletion(const struct keypair *by, const struct event *of, int64_t at) {
    cleanup_free char *hex = hex_new(view_of(of->f.id, 32));

    return note_by(by, 5, at, "", "e", hex);
}

static void deletes_for_the_author_only(void **state) {
    struct net n;
    struct client a, b;
    struct event *ev;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    client_up(&b, &n, false);
    ev = note_by(a.key, 1, unix_now(), "mine", NULL, NULL);
    assert_true(client_put(&a, event_copy(ev)));
    assert_true(client_put(&b, deletion(b.key, ev, unix_now())));
    assert_int_equal(client_ask(&b, "{\"kinds\":[1]}"), 1);
    assert_true(client_put(&a, deletion(a.key, ev, unix_now())));
    assert_int_equal(client_ask(&b, "{\"kinds\":[1]}"), 0);
    assert_false(client_put(&a, event_copy(ev)));
    assert_non_null(strstr(a.why, "deleted:"));
    event_free(ev);
    client_down(&a);
    client_down(&b);
    net_down(&n);
}

static void deletes_addresses_up_to_their_date(void **state) {
    int64_t now = unix_now();
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    {
        cleanup_free char *hex = hex_new(view_of(keypair_pub(a.key), 32));
        cleanup_free char *addr = mem_fmt("30001:%s:x", hex);

        assert_true(client_put(&a, note_by(a.key, 30001, now - 10, "x", "d", "x")));
        assert_true(client_put(&a, note_by(a.key, 5, now - 5, "", "a", addr)));
    }
    assert_int_equal(client_ask(&a, "{\"kinds\":[30001]}"), 0);
    assert_false(client_put(&a, note_by(a.key, 30001, now - 7, "again", "d", "x")));
    assert_true(client_put(&a, note_by(a.key, 30001, now, "later", "d", "x")));
    assert_int_equal(client_ask(&a, "{\"kinds\":[30001]}"), 1);
    client_down(&a);
    net_down(&n);
}

/* ---- expiry, dates, proof of work, NIP-70 ---- */

static void refuses_and_forgets_expired_events(void **state) {
    int64_t now = unix_now();
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    {
        cleanup_free char *past = mem_fmt("%lld", (long long)now - 1);
        cleanup_free char *soon = mem_fmt("%lld", (long long)now + 2);

        assert_false(client_put(&a, note_by(a.key, 1, now, "late", "expiration", past)));
        assert_non_null(strstr(a.why, "expired"));
        assert_true(client_put(&a, note_by(a.key, 1, now, "brief", "expiration", soon)));
    }
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 1);
    net_for(&n, 2200);
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 0);
    client_down(&a);
    net_down(&n);
}

static void refuses_the_future(void **state) {
    struct net n;
    struct client a;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    assert_false(client_put(&a, note_by(a.key, 1, unix_now() + 960, "x", NULL, NULL)));
    assert_non_null(strstr(a.why, "invalid:"));
    assert_true(client_put(&a, note_by(a.key, 1, unix_now() + 840, "x", NULL, NULL)));
    assert_true(client_put(&a, note_by(a.key, 1, 0, "1970", NULL, NULL)));
    client_down(&a);
    net_down(&n);
}

static void wants_proof_of_work(void **state) {
    struct net n;
    struct client a;
    struct event *ev = NULL;

    (void)state;
    net_up(&n, &(struct relayd_opts){.min_pow = 6});
    client_up(&a, &n, false);
    for (int i = 0; !ev || pow_difficulty(ev->f.id) >= 6; i++) {
        event_free(ev);
        ev = note_by(a.key, 1, 1700000000 + i, "lazy", NULL, NULL);
    }
    assert_false(client_put(&a, ev));
    assert_non_null(strstr(a.why, "pow:"));
    for (int i = 0;; i++) {
        cleanup_free char *nonce = mem_fmt("%d", i);
        struct fields f = fields_new(1, unix_now(), view_str("work"));

        fields_add(&f, "nonce", nonce, "6");
        ev = event_sign(&f, a.key);
        if (pow_difficulty(ev->f.id) >= 6)
            break;
        event_free(ev);
    }
    assert_true(client_put(&a, ev));
    client_down(&a);
    net_down(&n);
}

static void protected_events_need_their_author(void **state) {
    struct net n;
    struct client a, b;
    struct event *ev;
    struct fields f;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, true);  /* authenticates as the author */
    client_up(&b, &n, false); /* as nobody */
    f = fields_new(1, unix_now(), view_str("mine to publish"));
    fields_add(&f, "-");
    ev = event_sign(&f, a.key);
    assert_false(client_put(&b, event_copy(ev)));
    assert_non_null(strstr(b.why, "auth-required:"));
    assert_true(client_put(&a, ev));
    client_down(&a);
    client_down(&b);
    net_down(&n);
}

/* ---- ephemeral kinds and gift wraps ---- */

static void ephemeral_events_are_forwarded_and_never_stored(void **state) {
    struct net n;
    struct client a, b;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    client_up(&b, &n, false);
    assert_int_equal(pool_subscribe(b.pool, "live", "{\"kinds\":[20001]}", NULL), 0);
    assert_true(net_until(&n, &b.eose, 5000));
    assert_true(client_put(&a, note_by(a.key, 20001, unix_now(), "now or never", NULL, NULL)));
    assert_true(net_until(&n, &b.got, 5000));
    assert_string_equal(b.last->f.content, "now or never");
    assert_int_equal(client_ask(&a, "{\"kinds\":[20001]}"), 0);
    client_down(&a);
    client_down(&b);
    net_down(&n);
}

static struct event *wrap_to(const struct client *to, uint32_t kind) {
    struct keypair *k = keypair_new();
    cleanup_free char *hex = hex_new(view_of(keypair_pub(to->key), 32));
    struct event *ev = note_by(k, kind, unix_now(), "sealed", "p", hex);

    keypair_free(k);
    return ev;
}

static void gift_wraps_are_for_their_recipient(void **state) {
    struct net n;
    struct client sender, owner, other, nobody;
    cleanup_free char *hex = NULL, *mine = NULL;

    (void)state;
    net_up(&n, NULL);
    client_up(&sender, &n, false);
    client_up(&owner, &n, true);
    client_up(&other, &n, true);
    client_up(&nobody, &n, false);
    hex = hex_new(view_of(keypair_pub(owner.key), 32));
    mine = mem_fmt("{\"kinds\":[1059],\"#p\":[\"%s\"]}", hex);
    assert_true(client_put(&sender, wrap_to(&owner, 1059)));
    assert_int_equal(client_ask(&owner, mine), 1);
    assert_int_equal(client_ask(&nobody, mine), 0);
    assert_true(nobody.closed);
    assert_non_null(strstr(nobody.why, "auth-required:"));
    assert_int_equal(client_ask(&other, mine), 0);
    assert_true(other.closed);
    assert_non_null(strstr(other.why, "restricted:"));
    /* filters that merely could match a wrap do not show it */
    assert_int_equal(client_ask(&nobody, "{}"), 0);
    assert_int_equal(client_ask(&other, "{\"since\":0}"), 0);
    assert_int_equal(client_ask(&other, "{\"kinds\":[1059]}"), 0);
    assert_int_equal(client_ask(&owner, "{}"), 1);
    client_down(&sender);
    client_down(&owner);
    client_down(&other);
    client_down(&nobody);
    net_down(&n);
}

/* Live delivery obeys the same rule, for stored and for ephemeral wraps. */
static void live_wraps_are_for_their_recipient(void **state) {
    static const uint32_t kinds[] = {1059, 21059};
    struct net n;
    struct client sender, owner, other;

    (void)state;
    net_up(&n, NULL);
    client_up(&sender, &n, false);
    client_up(&owner, &n, true);
    client_up(&other, &n, true);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        owner.eose = other.eose = owner.got = other.got = false;
        assert_int_equal(
            pool_subscribe(owner.pool, "live", "{\"kinds\":[1059,21059],\"limit\":0}", NULL), 0);
        assert_int_equal(pool_subscribe(other.pool, "live", "{\"limit\":0}", NULL), 0);
        assert_true(net_until(&n, &owner.eose, 5000) && net_until(&n, &other.eose, 5000));
        assert_true(client_put(&sender, wrap_to(&owner, kinds[i])));
        assert_true(net_until(&n, &owner.got, 5000));
        net_for(&n, 50);
        assert_false(other.got);
    }
    client_down(&sender);
    client_down(&owner);
    client_down(&other);
    net_down(&n);
}

static void recipients_may_delete_their_wraps(void **state) {
    struct net n;
    struct client sender, owner, other;
    struct event *wrap;

    (void)state;
    net_up(&n, NULL);
    client_up(&sender, &n, false);
    client_up(&owner, &n, true);
    client_up(&other, &n, true);
    wrap = wrap_to(&owner, 1059);
    assert_true(client_put(&sender, event_copy(wrap)));
    assert_true(client_put(&other, deletion(other.key, wrap, unix_now())));
    assert_int_equal(client_ask(&owner, "{\"kinds\":[1059]}"), 1);
    assert_true(client_put(&owner, deletion(owner.key, wrap, unix_now())));
    assert_int_equal(client_ask(&owner, "{\"kinds\":[1059]}"), 0);
    assert_false(client_put(&sender, event_copy(wrap)));
    event_free(wrap);
    client_down(&sender);
    client_down(&owner);
    client_down(&other);
    net_down(&n);
}

/* ---- AUTH ---- */

static bool auth_with(struct raw *r, const struct keypair *k, const char *relay,
                      const char *challenge, int64_t at) {
    struct event *ev = relay_auth_event(relay, challenge, k, at);
    cleanup_buf struct buf b = {0};
    bool heard;

    buf_str(&b, "[\"AUTH\",");
    event_json(ev, &b);
    buf_str(&b, "]");
    event_free(ev);
    heard = raw_say(r, buf_view(&b), "[\"OK\",");
    return heard && strstr((const char *)r->log.p, "\",true,");
}

static void auth_is_checked(void **state) {
    struct net n;
    struct raw r;
    struct keypair *k = keypair_new();
    char challenge[33];
    cleanup_free char *local = NULL;

    (void)state;
    net_up(&n, NULL);
    raw_connect(&r, &n, relayd_url(n.relay));
    if (!r.log.p)
        assert_true(net_until(&n, &r.seen, 200) || r.log.p);
    assert_int_equal(memcmp(r.log.p, "[\"AUTH\",\"", 9), 0);
    memcpy(challenge, r.log.p + 9, 32);
    challenge[32] = 0;
    local = mem_fmt("ws://localhost:%u/", n.port);
    assert_false(auth_with(&r, k, relayd_url(n.relay), "0123456789abcdef", unix_now()));
    assert_false(auth_with(&r, k, "ws://evil.example", challenge, unix_now()));
    assert_false(auth_with(&r, k, "ws://127.0.0.1:1", challenge, unix_now()));
    assert_false(auth_with(&r, k, relayd_url(n.relay), challenge, unix_now() - 700));
    assert_false(auth_with(&r, k, relayd_url(n.relay), challenge, unix_now() + 700));
    assert_true(auth_with(&r, k, relayd_url(n.relay), challenge, unix_now()));
    assert_true(auth_with(&r, k, local, challenge, unix_now()));
    keypair_free(k);
    raw_down(&r);
    net_down(&n);
}

static void a_public_name_is_accepted_in_auth(void **state) {
    struct net n;
    struct raw r;
    struct keypair *k = keypair_new();
    char challenge[33];

    (void)state;
    net_up(&n, &(struct relayd_opts){.url = "wss://Relay.Example/"});
    raw_connect(&r, &n, relayd_url(n.relay));
    net_for(&n, 30);
    memcpy(challenge, r.log.p + 9, 32);
    challenge[32] = 0;
    assert_false(auth_with(&r, k, "wss://other.example", challenge, unix_now()));
    assert_true(auth_with(&r, k, "wss://relay.example", challenge, unix_now()));
    keypair_free(k);
    raw_down(&r);
    net_down(&n);
}

/* ---- COUNT, limits, hostile input ---- */

static void counts(void **state) {
    struct net n;
    struct client a, wrapped;
    struct raw r;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    client_up(&wrapped, &n, false);
    for (int i = 0; i < 3; i++)
        assert_true(client_put(&a, note_by(a.key, 1, 1700000000 + i, "n", NULL, NULL)));
    assert_true(client_put(&a, wrap_to(&wrapped, 1059)));
    raw_connect(&r, &n, relayd_url(n.relay));
    assert_true(
        raw_says(&r, "[\"COUNT\",\"c\",{\"kinds\":[1]}]", "[\"COUNT\",\"c\",{\"count\":3}]"));
    assert_true(raw_says(&r, "[\"COUNT\",\"c\",{}]", "{\"count\":3}")); /* wraps do not show */
    assert_true(raw_says(&r, "[\"COUNT\",\"c\",{\"kinds\":[1059]}]", "auth-required"));
    raw_down(&r);
    client_down(&a);
    client_down(&wrapped);
    net_down(&n);
}

static void broken_messages_get_a_sentence(void **state) {
    static const struct {
        const char *text, *answer;
    } rows[] = {
        {"nonsense", "[\"NOTICE\",\"invalid: "},
        {"{}", "[\"NOTICE\",\"invalid: "},
        {"[]", "[\"NOTICE\",\"invalid: "},
        {"[7]", "[\"NOTICE\",\"invalid: "},
        {"[\"EVENT\"]", "[\"NOTICE\",\"invalid: "},
        {"[\"EVENT\",{\"id\":\"x\"}]", "[\"NOTICE\",\"invalid: "},
        {"[\"EVENT\",{\"a\":1,\"a\":2}]", "[\"NOTICE\",\"invalid: "},
        {"[\"EVENT\",{\"a\":\"\\u0000\"}]", "[\"NOTICE\",\"invalid: "},
        {"[\"NEG-OPEN\",\"x\"]", "[\"NOTICE\",\"unsupported: "},
        {"[\"\\u001b[31m\"]", "[\"NOTICE\",\"unsupported: "},
        {"[\"REQ\"]", "[\"NOTICE\",\"invalid: "},
        {"[\"REQ\",\"\",{}]", "[\"NOTICE\",\"invalid: "},
        {"[\"REQ\",\"s\"]", "[\"CLOSED\",\"s\",\"invalid: "},
        {"[\"REQ\",\"s\",{\"kinds\":[\"1\"]}]", "[\"CLOSED\",\"s\",\"invalid: "},
        {"[\"REQ\",\"s\",{\"bogus\":1}]", "[\"CLOSED\",\"s\",\"invalid: "},
        {"[\"REQ\",\"s\",{\"ids\":[\"ab\"]}]", "[\"CLOSED\",\"s\",\"invalid: "},
        {"[\"COUNT\",\"s\",7]", "[\"CLOSED\",\"s\",\"invalid: "},
        {"[\"AUTH\",\"string\"]", "[\"NOTICE\",\"invalid: "},
    };
    struct net n;
    struct raw r;

    (void)state;
    net_up(&n, NULL);
    raw_connect(&r, &n, relayd_url(n.relay));
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!raw_says(&r, rows[i].text, rows[i].answer))
            fail_msg("%s -> %s", rows[i].text, (const char *)r.log.p);
    raw_down(&r);
    net_down(&n);
}

static void odd_bytes_get_a_sentence(void **state) {
    static const char nul[] = "[\"EVENT\",{\"a\":\"x\0y\"}]";
    struct net n;
    struct raw r;
    char deep[300];

    (void)state;
    net_up(&n, NULL);
    raw_connect(&r, &n, relayd_url(n.relay));
    assert_true(raw_say(&r, view_of(nul, sizeof nul - 1), "[\"NOTICE\",\"invalid: "));
    memset(deep, '[', 250);
    memset(deep + 250, ']', 50);
    assert_true(raw_say(&r, view_of(deep, sizeof deep), "[\"NOTICE\",\"invalid: "));
    raw_down(&r);
    /* invalid UTF-8: a NOTICE, or libwebsockets closes; both are an end without harm */
    raw_connect(&r, &n, relayd_url(n.relay));
    (void)raw_say(&r, view_of("[\"\xff\xfe\"]", 6), "[\"NOTICE\",\"invalid: ");
    assert_true(r.seen);
    raw_down(&r);
    net_down(&n);
}

static void too_many_broken_messages_end_the_connection(void **state) {
    struct net n;
    struct raw r;

    (void)state;
    net_up(&n, NULL);
    raw_connect(&r, &n, relayd_url(n.relay));
    for (int i = 0; i <= RELAYD_STRIKES_MAX && !r.closed; i++)
        (void)raw_says(&r, "junk", "NOTICE");
    assert_true(net_until(&n, &r.closed, 3000));
    raw_down(&r);
    net_down(&n);
}

static void oversized_messages_end_the_connection(void **state) {
    struct net n;
    struct raw r;
    size_t size = RELAYD_MESSAGE_MAX + 1;
    cleanup_free char *big = mem_new(size);

    (void)state;
    net_up(&n, NULL);
    memset(big, ' ', size);
    raw_connect(&r, &n, relayd_url(n.relay));
    assert_int_equal(ws_send(r.ws, view_of(big, size), NULL), 0);
    assert_true(net_until(&n, &r.closed, 5000));
    raw_down(&r);
    net_down(&n);
}

static void events_over_64_kib_are_refused(void **state) {
    struct net n;
    struct client a;
    cleanup_free char *text = mem_new(70000);

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    memset(text, 'x', 66000);
    assert_false(client_put(&a, note_by(a.key, 1, unix_now(), text, NULL, NULL)));
    assert_non_null(strstr(a.why, "65536"));
    text[60000] = 0;
    assert_true(client_put(&a, note_by(a.key, 1, unix_now(), text, NULL, NULL)));
    client_down(&a);
    net_down(&n);
}

static void bad_signatures_are_refused(void **state) {
    struct net n;
    struct client a;
    struct event *ev;

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    ev = note_by(a.key, 1, unix_now(), "x", NULL, NULL);
    ev->f.sig[5] ^= 1;
    assert_false(client_put(&a, ev));
    ev = note_by(a.key, 1, unix_now(), "x", NULL, NULL);
    ev->f.content[0] = 'y';
    assert_false(client_put(&a, ev));
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), 0);
    client_down(&a);
    net_down(&n);
}

static void rates_are_limited(void **state) {
    struct net n;
    struct raw r;
    struct keypair *k = keypair_new();
    int refused = 0;

    (void)state;
    net_up(&n, &(struct relayd_opts){.events_per_s = 5, .reqs_per_s = 5});
    raw_connect(&r, &n, relayd_url(n.relay));
    for (int i = 0; i < 20; i++) {
        struct event *ev = note_by(k, 1, 1700000000 + i, "n", NULL, NULL);
        cleanup_buf struct buf b = {0};

        buf_str(&b, "[\"EVENT\",");
        event_json(ev, &b);
        buf_str(&b, "]");
        event_free(ev);
        assert_true(raw_say(&r, buf_view(&b), "[\"OK\","));
        refused += strstr((const char *)r.log.p, "rate-limited: ") != NULL;
    }
    assert_in_range(refused, 1, 12);
    refused = 0;
    for (int i = 0; i < 20; i++) {
        assert_true(raw_says(&r, "[\"REQ\",\"s\",{\"limit\":0}]", "\"s\""));
        refused += strstr((const char *)r.log.p, "rate-limited: ") != NULL;
    }
    assert_in_range(refused, 1, 12);
    keypair_free(k);
    raw_down(&r);
    net_down(&n);
}

static void subscriptions_are_limited(void **state) {
    struct net n;
    struct raw r;

    (void)state;
    net_up(&n, NULL);
    raw_connect(&r, &n, relayd_url(n.relay));
    for (int i = 0; i < RELAYD_SUBS_MAX; i++) {
        cleanup_free char *req = mem_fmt("[\"REQ\",\"s%d\",{\"limit\":0}]", i);

        assert_true(raw_says(&r, req, "EOSE"));
    }
    assert_true(raw_says(&r, "[\"REQ\",\"more\",{}]", "[\"CLOSED\",\"more\",\"error: "));
    assert_true(raw_says(&r, "[\"REQ\",\"s1\",{}]", "EOSE")); /* replacing is not adding */
    assert_int_equal(ws_send(r.ws, view_str("[\"CLOSE\",\"s2\"]"), NULL), 0);
    assert_true(raw_says(&r, "[\"REQ\",\"more\",{}]", "EOSE"));
    raw_down(&r);
    net_down(&n);
}

/* Stored events wait in the database, not in memory, for a reader that takes its time. */
static void much_is_sent_in_portions(void **state) {
    enum { MANY = 120 };
    int64_t now = unix_now();
    struct net n;
    struct client a;
    cleanup_free char *text = mem_new(50001);

    (void)state;
    net_up(&n, NULL);
    client_up(&a, &n, false);
    memset(text, 'x', 50000);
    for (int i = 0; i < MANY; i++)
        assert_true(client_put(&a, note_by(a.key, 1, now - i, text, NULL, NULL)));
    assert_int_equal(client_ask(&a, "{\"kinds\":[1]}"), MANY);
    assert_int_equal(a.closed, false);
    client_down(&a);
    net_down(&n);
}

/* One that subscribes and then never reads: cut off when its queue is full, and nobody else
 * suffers. */
static void slow_readers_are_cut_off(void **state) {
    static const char hello[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
                                "\x81\x92\0\0\0\0[\"REQ\",\"s\",{    }]";
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int small = 4096, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cleanup_free char *text = mem_new(60001);
    struct net n;
    struct client c;

    (void)state;
    net_up(&n, NULL);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    a.sin_port = htons(n.port);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(send(fd, hello, sizeof hello - 1, 0), sizeof hello - 1);
    client_up(&c, &n, false);
    memset(text, 'x', 60000);
    net_for(&n, 100);
    assert_non_null(n.relay->conns->subs ? n.relay->conns->subs : n.relay->conns->next->subs);
    for (int i = 0; i < 200 && n.relay->n_peers > 1; i++)
        assert_true(client_put(&c, note_by(c.key, 20001, 1700000000 + i, text, NULL, NULL)));
    net_for(&n, 100);
    assert_int_equal(n.relay->n_peers, 1);
    assert_true(client_put(&c, note_by(c.key, 1, 1700000000, "fine", NULL, NULL)));
    close(fd);
    client_down(&c);
    net_down(&n);
}

/* ---- where it listens ---- */

static size_t sockets_on(uint16_t port, bool *elsewhere) {
    static const struct {
        const char *file, *loopback;
    } tables[] = {{"/proc/net/tcp", "0100007F"},
                  {"/proc/net/tcp6", "00000000000000000000000001000000"}};
    size_t found = 0;
    char line[512];

    for (size_t t = 0; t < COUNT(tables); t++) {
        FILE *f = fopen(tables[t].file, "r");

        while (f && fgets(line, sizeof line, f)) {
            char *save, *word = strtok_r(line, " :", &save);
            const char *addr = word ? strtok_r(NULL, " :", &save) : NULL;
            const char *p = addr ? strtok_r(NULL, " :", &save) : NULL;
            const char *st = p && strtok_r(NULL, " :", &save) && strtok_r(NULL, " :", &save)
                                 ? strtok_r(NULL, " :", &save)
                                 : NULL;

            if (!st || strtoul(p, NULL, 16) != port || strtoul(st, NULL, 16) != 0x0a)
                continue;
            found++;
            *elsewhere |= strcmp(addr, tables[t].loopback) != 0;
        }
        if (f)
            fclose(f);
    }
    return found;
}

static void listens_on_loopback_only(void **state) {
    bool elsewhere = false;
    struct net n;

    (void)state;
    net_up(&n, NULL);
    assert_int_equal(sockets_on(n.port, &elsewhere), 1);
    assert_false(elsewhere);
    net_down(&n);
    net_up(&n, &(struct relayd_opts){.bind = "0.0.0.0"}); /* the test can tell */
    assert_int_equal(sockets_on(n.port, &elsewhere), 1);
    assert_true(elsewhere);
    net_down(&n);
}

static void says_what_is_wrong_with_the_address(void **state) {
    struct net n;
    struct err e;
    char dir[80];

    (void)state;
    net_up(&n, NULL);
    snprintf(dir, sizeof dir, "%s/two", n.dir);
    assert_null(relayd_new(n.ws, &(struct relayd_opts){.path = dir, .port = n.port}, &e));
    assert_non_null(strstr(e.text, "Address already in use"));
    assert_null(relayd_new(n.ws, &(struct relayd_opts){.path = dir, .bind = "here"}, &e));
    assert_string_equal(e.code, "bad-address");
    assert_null(relayd_new(n.ws, &(struct relayd_opts){.path = dir, .url = "http://x"}, &e));
    assert_string_equal(e.code, "bad-url");
    assert_null(relayd_new(n.ws, &(struct relayd_opts){.path = "/proc/none"}, &e));
    net_down(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_and_serves),
        cmocka_unit_test(newest_first_and_limited),
        cmocka_unit_test(keeps_events_over_a_restart),
        cmocka_unit_test(answers_duplicates_with_true),
        cmocka_unit_test(replaces_replaceable_events),
        cmocka_unit_test(lowest_id_wins_a_tie),
        cmocka_unit_test(deletes_for_the_author_only),
        cmocka_unit_test(deletes_addresses_up_to_their_date),
        cmocka_unit_test(refuses_and_forgets_expired_events),
        cmocka_unit_test(refuses_the_future),
        cmocka_unit_test(wants_proof_of_work),
        cmocka_unit_test(protected_events_need_their_author),
        cmocka_unit_test(ephemeral_events_are_forwarded_and_never_stored),
        cmocka_unit_test(gift_wraps_are_for_their_recipient),
        cmocka_unit_test(live_wraps_are_for_their_recipient),
        cmocka_unit_test(recipients_may_delete_their_wraps),
        cmocka_unit_test(auth_is_checked),
        cmocka_unit_test(a_public_name_is_accepted_in_auth),
        cmocka_unit_test(counts),
        cmocka_unit_test(broken_messages_get_a_sentence),
        cmocka_unit_test(odd_bytes_get_a_sentence),
        cmocka_unit_test(too_many_broken_messages_end_the_connection),
        cmocka_unit_test(oversized_messages_end_the_connection),
        cmocka_unit_test(events_over_64_kib_are_refused),
        cmocka_unit_test(bad_signatures_are_refused),
        cmocka_unit_test(rates_are_limited),
        cmocka_unit_test(subscriptions_are_limited),
        cmocka_unit_test(much_is_sent_in_portions),
        cmocka_unit_test(slow_readers_are_cut_off),
        cmocka_unit_test(listens_on_loopback_only),
        cmocka_unit_test(says_what_is_wrong_with_the_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
