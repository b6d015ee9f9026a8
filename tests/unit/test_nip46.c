/* The client of a remote signer, over a real relay. */
#include "core/nip46.c"

#include "tests/unit/unit.h"
#include "tests/unit/bunker.h"

static struct fixture {
    struct net net;
    struct keypair *client;
    struct nip46 *n;
    struct signer_url at;
    char visit[600];
    bool ready, failed, signed_it, refused;
    uint8_t got[32];
    struct err why;
} f;

/* --- our side --- */

static void on_ready_user(void *arg, const uint8_t user[static 32]) {
    (void)arg;
    f.ready = true;
    memcpy(f.got, user, 32);
}

static void on_shown(void *arg, const char *url) {
    (void)arg;
    snprintf(f.visit, sizeof f.visit, "%s", url);
}

static void on_failed(void *arg, const struct err *why) {
    (void)arg;
    f.failed = true;
    f.why = *why;
}

static const struct nip46_handler HANDLER = {on_ready_user, on_shown, on_failed};

static void on_done(void *arg, const struct event *ev, const struct err *why) {
    (void)arg;
    f.signed_it = ev != NULL;
    f.refused = !ev;
    if (ev)
        memcpy(f.got, ev->f.id, 32);
    else
        f.why = *why;
}

static int start(void **state) {
    (void)state;
    f = (struct fixture){.client = keypair_new()};
    net_up(&f.net, NULL);
    bunker_up(&f.net, &f.at);
    return 0;
}

static int stop(void **state) {
    (void)state;
    nip46_free(f.n);
    bunker_down();
    keypair_free(f.client);
    net_down(&f.net);
    return 0;
}

static void connect_as(const uint8_t *user) {
    f.n = nip46_new(f.net.ws, &f.at, f.client, user, &HANDLER, NULL, &f.why);
    if (!f.n)
        fail_msg("%s", f.why.text);
}

static void met(void) {
    connect_as(NULL);
    assert_true(net_until(&f.net, &f.ready, 8000));
    assert_memory_equal(f.got, keypair_pub(bunker.user), 32);
}

static struct fields draft(void) {
    struct fields d = fields_new(KIND_INTRODUCTION, unix_now(), view_str(""));

    fields_add(&d, "p", "a\"b\\");
    fields_add(&d, "nonce", "c");
    return d;
}

static void ask(void) {
    struct fields d = draft();

    assert_int_equal(nip46_sign(f.n, &d, on_done, NULL, &f.why), 0);
}

static void a_good_signer_signs_the_draft(void **state) {
    struct fields d = draft();
    uint8_t want[32];

    (void)state;
    met();
    assert_string_equal(nip46_url(f.n)->secret, ""); /* it is used once */
    memcpy(d.pubkey, keypair_pub(bunker.user), 32);
    fields_id(&d, want);
    fields_free(&d);
    ask();
    assert_true(net_until(&f.net, &f.signed_it, 8000));
    assert_memory_equal(f.got, want, 32);
    assert_string_equal(bunker.heard, "connect;get_public_key;sign_event;");
    assert_false(f.failed);
}

/* Whatever it sends in place of the draft, under the person's key: it is not taken. */
static void bad_signer(enum manner m, const char *code) {
    met();
    bunker.manner = m;
    ask();
    assert_true(net_until(&f.net, &f.refused, 8000));
    assert_string_equal(f.why.code, code);
    assert_false(f.signed_it);
}

static void another_key_is_not_taken(void **state) {
    (void)state;
    bad_signer(ANOTHER_KEY, "bad-signer");
    assert_true(f.failed);
}
static void another_text_is_not_taken(void **state) {
    (void)state;
    bad_signer(ANOTHER_TEXT, "bad-signer");
}
static void another_date_is_not_taken(void **state) {
    (void)state;
    bad_signer(ANOTHER_DATE, "bad-signer");
}
static void a_broken_signature_is_not_taken(void **state) {
    (void)state;
    bad_signer(BROKEN_SIGNATURE, "bad-signer");
}

static void a_refusal_is_told_in_clean_words(void **state) {
    (void)state;
    bad_signer(REFUSES, "signer-refused");
    assert_null(strchr(f.why.text, '\033'));
    assert_non_null(strstr(f.why.text, "not today"));
    assert_false(f.failed); /* the next one may be signed */
    bunker.manner = GOOD;
    ask();
    assert_true(net_until(&f.net, &f.signed_it, 8000));
}

/* Rubbish, and answers to nobody's question, are not heard: time runs out. */
static void what_is_no_answer_is_not_heard(void **state) {
    static const enum manner manners[] = {SILENT, NO_JSON, ANOTHER_ID};

    (void)state;
    met();
    for (size_t i = 0; i < COUNT(manners); i++) {
        bunker.manner = manners[i];
        f.n->stage = STAGE_READY;
        ask();
        net_for(&f.net, 300);
        assert_false(f.signed_it || f.refused);
    }
    on_patience(f.n);
    assert_true(f.failed && f.refused);
    assert_string_equal(f.why.code, "signer-silent");
}

static void one_that_is_known_must_be_the_same(void **state) {
    (void)state;
    connect_as(keypair_pub(bunker.signer));
    assert_true(net_until(&f.net, &f.failed, 8000));
    assert_string_equal(f.why.code, "bad-signer");
    assert_false(f.ready);
}

/* It knows this program by its key: the secret was for the first time. */
static void one_that_is_known_is_not_connected_to_anew(void **state) {
    (void)state;
    f.at.secret[0] = 0;
    connect_as(keypair_pub(bunker.user));
    assert_true(net_until(&f.net, &f.ready, 8000));
    ask();
    assert_true(net_until(&f.net, &f.signed_it, 8000));
    assert_string_equal(bunker.heard, "get_public_key;sign_event;");
}

static void an_address_to_visit_is_shown_clean(void **state) {
    (void)state;
    bunker.manner = SENDS_AWAY;
    met();
    assert_non_null(strstr(f.visit, "https://signer.example/yes?"));
    assert_null(strchr(f.visit, '\033'));
}

/* nostrconnect: whoever knows the secret is the signer; who does not is not heard. */
static void an_invited_signer_comes(void **state) {
    static const char wrong[] = "{\"id\":\"1\",\"result\":\"0123456789abcdeX\"}",
                      right[] = "{\"id\":\"2\",\"result\":\"0123456789abcdef\"}";
    cleanup_buf struct buf url = {0};

    (void)state;
    snprintf(f.at.secret, sizeof f.at.secret, "short");
    assert_null(nip46_await(f.net.ws, &f.at, f.client, &HANDLER, NULL, &f.why));
    snprintf(f.at.secret, sizeof f.at.secret, "0123456789abcdef");
    memset(f.at.signer, 0, 32);
    nip46_invitation(&f.at, keypair_pub(f.client), &url);
    assert_non_null(strstr((char *)url.p, "nostrconnect://"));
    assert_non_null(strstr((char *)url.p, "?relay=ws%3A%2F%2F"));
    assert_non_null(strstr((char *)url.p, "&secret=0123456789abcdef"));
    f.n = nip46_await(f.net.ws, &f.at, f.client, &HANDLER, NULL, &f.why);
    assert_non_null(f.n);
    net_for(&f.net, 200);
    reply(keypair_pub(f.client), view_str(wrong));
    net_for(&f.net, 200);
    assert_string_equal(bunker.heard, "");
    reply(keypair_pub(f.client), view_str(right));
    assert_true(net_until(&f.net, &f.ready, 8000));
    assert_memory_equal(nip46_url(f.n)->signer, keypair_pub(bunker.signer), 32);
    ask();
    assert_true(net_until(&f.net, &f.signed_it, 8000));
}

static void addresses_are_read_strictly(void **state) {
    static const char key[] = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
    static const char *const bad[] = {
        "",
        "bunker://",
        "nostrconnect://%s?relay=wss://a.example",
        "bunker://%s",
        "bunker://%s?secret=x",
        "bunker://%s?relay=http://a.example",
        "bunker://%s?relay=wss%%3A%%2",
        "bunker://%s?relay=wss%%3A%%2F%%2Fa.example%%00",
        "bunker://%sff?relay=wss://a.example",
    };
    struct signer_url u, again;
    cleanup_buf struct buf text = {0};
    cleanup_free char *good = mem_fmt(
        " bunker://%s?relay=wss%%3A%%2F%%2Fa.example%%2Fx&relay=ws://b.example&secret=a%%2Bb&x=y\n",
        key);
    struct err e;

    (void)state;
    assert_int_equal(signer_url_parse(view_str(good), &u, &e), 0);
    assert_int_equal(u.n_relays, 2);
    assert_string_equal(u.relay[0], "wss://a.example/x");
    assert_string_equal(u.secret, "a+b");
    signer_url_write(&u, &text);
    assert_null(strstr((char *)text.p, "secret"));
    assert_int_equal(signer_url_parse(buf_view(&text), &again, &e), 0);
    assert_string_equal(again.relay[0], u.relay[0]);
    for (size_t i = 0; i < COUNT(bad); i++) {
        cleanup_buf struct buf b = {0};
        const char *at = strstr(bad[i], "%s");

        if (at) /* the others have no key */
            buf_add(&b, bad[i], (size_t)(at - bad[i]));
        buf_str(&b, at ? key : bad[i]);
        for (const char *c = at ? at + 2 : ""; *c; c++) {
            buf_add(&b, c, 1);
            c += c[0] == '%' && c[1] == '%';
        }
        assert_int_equal(signer_url_parse(buf_view(&b), &u, &e), -1);
        assert_string_equal(e.code, "bad-signer");
    }
}

#define WITH_RELAY(t) cmocka_unit_test_setup_teardown(t, start, stop)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_RELAY(a_good_signer_signs_the_draft),
        WITH_RELAY(another_key_is_not_taken),
        WITH_RELAY(another_text_is_not_taken),
        WITH_RELAY(another_date_is_not_taken),
        WITH_RELAY(a_broken_signature_is_not_taken),
        WITH_RELAY(a_refusal_is_told_in_clean_words),
        WITH_RELAY(what_is_no_answer_is_not_heard),
        WITH_RELAY(one_that_is_known_must_be_the_same),
        WITH_RELAY(one_that_is_known_is_not_connected_to_anew),
        WITH_RELAY(an_address_to_visit_is_shown_clean),
        WITH_RELAY(an_invited_signer_comes),
        cmocka_unit_test(addresses_are_read_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
