#include "tui/browse.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"
#include "tui/shelf.h"

static struct net net;
static struct client seller;
static struct browse *b;
static struct shelf *shelf;
static bool settled, changed, asked;
static size_t n_offers, n_beats, n_again;
static size_t n_manifests, n_warnings;
static unsigned n_answers;

static void on_offer_test(void *arg, const struct offer *o, const struct event *ev,
                          const char *relay) {
    (void)arg;
    n_offers++;
    changed = shelf_put(shelf, o, ev, relay);
}
static void on_again_test(void *arg, const uint8_t id[static 32], const char *relay) {
    (void)arg;
    n_again++;
    shelf_again(shelf, id, relay);
}
static void on_beat_test(void *arg, const struct heartbeat *h) {
    (void)arg;
    n_beats++;
    (void)shelf_beat(shelf, h);
}
static void on_settled_test(void *arg) {
    (void)arg;
    settled = true;
}

static int set_up(void **state) {
    (void)state;
    net_up(&net, NULL);
    client_up(&seller, &net, true);
    settled = changed = asked = false;
    n_offers = n_beats = n_again = 0;
    shelf = shelf_new();
    n_manifests = n_warnings = 0;
    n_answers = 0;
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    browse_free(b);
    b = NULL;
    shelf_free(shelf);
    client_down(&seller);
    net_down(&net);
    return 0;
}

static void open_browse(bool simulated) {
    static const struct browse_handler h = {.offer = on_offer_test,
                                            .again = on_again_test,
                                            .beat = on_beat_test,
                                            .settled = on_settled_test};
    const char *relay = relayd_url(net.relay);
    struct err e;

    b = browse_new(net.ws, &relay, 1, simulated, &h, NULL, &e);
    if (!b)
        fail_msg("%s", e.text);
    assert_true(net_until(&net, &settled, 5000));
}

#define REF "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:12"

static struct offer offer_of(const char *d, const char *privacy) {
    struct offer o = {.job_kind = KIND_JOB_TOOL,
                      .workload = REF,
                      .model = "none",
                      .vcpus = 1,
                      .memory_mib = 512,
                      .vcpu_type = "EPYC-Genoa",
                      .price_unit = "job",
                      .relays = {"wss://relay.example"},
                      .n_relays = 1};

    snprintf(o.d, sizeof o.d, "%s", d);
    snprintf(o.name, sizeof o.name, "Name of %s", d);
    snprintf(o.privacy, sizeof o.privacy, "%s", privacy);
    return o;
}

static void publish(struct offer o, const struct keypair *k, int64_t at) {
    assert_true(client_put(&seller, offer_make(&o, k, at)));
}

static void beat(const struct keypair *k, unsigned free_slots, int64_t until) {
    struct heartbeat h = {.expiration = until, .free_slots = free_slots};

    assert_true(client_put(&seller, heartbeat_make(&h, k, unix_now())));
}

static const struct shelf_row *found(const char *d) {
    struct err e;

    return shelf_find(shelf, d, unix_now(), &e);
}

static void offers_and_heartbeats_are_handed_over(void **state) {
    struct keypair *dead = keypair_new();
    struct err e;

    (void)state;
    publish(offer_of("aaa", "sev-snp"), dead, unix_now());
    publish(offer_of("zzz", "sev-snp"), seller.key, unix_now());
    beat(seller.key, 3, unix_now() + 300);
    open_browse(false);
    assert_int_equal(n_offers, 2);
    assert_int_equal(n_beats, 1);
    assert_string_equal(shelf_only(shelf, unix_now(), &e)->d, "zzz");
    keypair_free(dead);
}

static void simulated_offers_are_hidden(void **state) {
    struct err e;

    (void)state;
    publish(offer_of("sim", "sim"), seller.key, unix_now());
    publish(offer_of("real", "sev-snp"), seller.key, unix_now());
    open_browse(false);
    assert_int_equal(n_offers, 1);
    assert_non_null(found("real"));
    assert_true(browse_left_out(b));
    assert_null(shelf_find(shelf, "sim", unix_now(), &e));
    browse_explain(b, &e);
    assert_string_equal(e.code, "unknown-offer");
    assert_non_null(strstr(e.text, "'sim'; simulated offers are there"));
    err_set(&e, "other", "another reason");
    browse_explain(b, &e);
    assert_string_equal(e.text, "another reason");
    browse_free(b);
    settled = false;
    open_browse(true);
    assert_int_equal(n_offers, 3);
    assert_false(browse_left_out(b));
    assert_non_null(found("sim"));
}

static void other_services_are_left_out(void **state) {
    struct fields f = fields_new(KIND_OFFER, unix_now(), view_str("{\"name\":\"plain DVM\"}"));

    (void)state;
    fields_add(&f, "d", "x");
    fields_add(&f, "k", "5050");
    assert_true(client_put(&seller, event_sign(&f, seller.key)));
    publish(offer_of("one", "sev-snp"), seller.key, unix_now());
    open_browse(false);
    assert_int_equal(n_offers, 1);
}

/* Who dates an offer years ahead would be the newest for as long. */
static void the_future_is_passed_over(void **state) {
    struct offer o = offer_of("one", "sev-snp");
    struct event *ev;

    (void)state;
    open_browse(false);
    ev = offer_make(&o, seller.key, unix_now() + AHEAD_S + 60);
    on_event(b, "offers", ev, "");
    event_free(ev);
    assert_int_equal(n_offers, 0);
    ev = offer_make(&o, seller.key, unix_now() + AHEAD_S - 60); /* clocks differ */
    on_event(b, "offers", ev, "");
    event_free(ev);
    assert_int_equal(n_offers, 1);
}

static void a_newer_offer_replaces_live(void **state) {
    struct offer o = offer_of("one", "sev-snp");

    (void)state;
    publish(o, seller.key, unix_now() - 10);
    open_browse(false);
    assert_int_equal(found("one")->price_msat, 0);
    changed = false;
    o.price_msat = 5000;
    publish(o, seller.key, unix_now());
    assert_true(net_until(&net, &changed, 5000));
    assert_int_equal(found("one")->price_msat, 5000);
}

/* The same relay under two names: what one has handed over, the other has too. */
static void a_second_relay_is_counted(void **state) {
    static const struct browse_handler h = {
        .offer = on_offer_test, .again = on_again_test, .settled = on_settled_test};
    cleanup_free char *other = mem_fmt("ws://localhost:%u", net.port);
    const char *relays[] = {relayd_url(net.relay), other};
    struct err e;

    (void)state;
    publish(offer_of("one", "sev-snp"), seller.key, unix_now());
    b = browse_new(net.ws, relays, 2, false, &h, NULL, &e);
    assert_non_null(b);
    assert_true(net_until(&net, &settled, 5000));
    if (browse_relays_up(b) < 2)
        skip(); /* localhost is another address here */
    assert_int_equal(n_offers, 1);
    assert_int_equal(n_again, 1);
    assert_int_equal(__builtin_popcount(found("one")->relays), 2);
}

static void on_got(void *arg, const struct event *ev) {
    (void)arg;
    n_manifests += ev->f.kind == KIND_ENDORSEMENT;
    n_warnings += ev->f.kind != KIND_ENDORSEMENT;
}
static void on_done(void *arg, unsigned answers) {
    (void)arg;
    (void)answers;
    asked = true;
    n_answers = answers;
}

static void put_word(uint32_t kind, const struct keypair *k, const char *d, const char *x) {
    struct fields f = fields_new(kind, unix_now(), view_str("{}"));

    fields_add(&f, "d", d);
    fields_add(&f, "x", x);
    assert_true(client_put(&seller, event_sign(&f, k)));
}

static void put_endorsement(const struct keypair *k, const char *d, const char *x) {
    put_word(KIND_ENDORSEMENT, k, d, x);
}

static void manifests_are_asked_for_by_digest_and_author(void **state) {
    struct keypair *endorser = keypair_new(), *stranger = keypair_new();
    struct browse_query q = {on_got, on_done, NULL};
    struct offer o = offer_of("one", "sev-snp");
    uint8_t keys[1][32];
    cleanup_free char *x = hex_new(view_of(o.release, 32));
    struct err e;

    (void)state;
    memcpy(keys[0], keypair_pub(endorser), 32);
    memcpy(o.pubkey, keypair_pub(seller.key), 32);
    put_endorsement(stranger, "release", x);       /* of this release */
    put_endorsement(seller.key, "workload", "11"); /* by the seller */
    put_endorsement(endorser, "model", "22");      /* by an endorser */
    put_endorsement(stranger, "else", "33");       /* none of these */
    put_word(KIND_ADVISORY, endorser, "cdvm", "");
    put_word(KIND_CHIP, endorser, "0a", "");
    put_word(KIND_ADVISORY, stranger, "cdvm", "");
    put_word(KIND_ADVISORY, seller.key, "cdvm", ""); /* a seller does not warn of itself */
    open_browse(false);
    assert_int_equal(browse_manifests(b, &o, (const uint8_t(*)[32])keys, 1, &q, &e), 0);
    assert_int_equal(browse_manifests(b, &o, (const uint8_t(*)[32])keys, 1, &q, &e), -1);
    assert_string_equal(e.code, "busy");
    assert_true(net_until(&net, &asked, 7000));
    assert_int_equal(n_manifests, 3);
    assert_int_equal(n_warnings, 2);
    assert_int_equal(n_answers, 1); /* of one relay */
    keypair_free(endorser);
    keypair_free(stranger);
}

static void a_cancelled_query_is_silent(void **state) {
    struct browse_query q = {on_got, on_done, NULL};
    struct offer o = offer_of("one", "sev-snp");

    (void)state;
    open_browse(false);
    assert_int_equal(browse_manifests(b, &o, NULL, 0, &q, NULL), 0);
    browse_cancel(b);
    net_for(&net, 300);
    assert_false(asked);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(offers_and_heartbeats_are_handed_over),
        T(simulated_offers_are_hidden),
        T(other_services_are_left_out),
        T(the_future_is_passed_over),
        T(a_newer_offer_replaces_live),
        T(a_second_relay_is_counted),
        T(manifests_are_asked_for_by_digest_and_author),
        T(a_cancelled_query_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
