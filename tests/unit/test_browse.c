#include "tui/browse.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"

static struct net net;
static struct client seller;
static struct browse *b;
static bool settled, changed, asked;
static size_t n_manifests, n_warnings;
static unsigned n_answers;

static void on_changed_test(void *arg) {
    (void)arg;
    changed = true;
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
    n_manifests = n_warnings = 0;
    n_answers = 0;
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    browse_free(b);
    b = NULL;
    client_down(&seller);
    net_down(&net);
    return 0;
}

static void open_browse(bool simulated) {
    static const struct browse_handler h = {on_changed_test, on_settled_test};
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

static void offers_are_listed_alive_first(void **state) {
    struct keypair *dead = keypair_new();
    struct listing l;

    (void)state;
    publish(offer_of("aaa", "sev-snp"), dead, unix_now());
    publish(offer_of("zzz", "sev-snp"), seller.key, unix_now());
    beat(seller.key, 3, unix_now() + 300);
    open_browse(false);
    assert_int_equal(browse_count(b), 2);
    l = browse_at(b, 0);
    assert_string_equal(l.offer->d, "zzz");
    assert_true(l.alive && l.free_slots == 3);
    l = browse_at(b, 1);
    assert_string_equal(l.offer->d, "aaa");
    assert_false(l.alive);
    assert_null(browse_at(b, 2).offer);
    keypair_free(dead);
}

static void simulated_offers_are_hidden(void **state) {
    (void)state;
    publish(offer_of("sim", "sim"), seller.key, unix_now());
    publish(offer_of("real", "sev-snp"), seller.key, unix_now());
    open_browse(false);
    assert_int_equal(browse_count(b), 1);
    assert_string_equal(browse_at(b, 0).offer->d, "real");
    browse_free(b);
    settled = false;
    open_browse(true);
    assert_int_equal(browse_count(b), 2);
}

static void other_services_and_expired_offers_are_left_out(void **state) {
    struct fields f = fields_new(KIND_OFFER, unix_now(), view_str("{\"name\":\"plain DVM\"}"));
    struct offer o = offer_of("soon", "sev-snp");

    (void)state;
    fields_add(&f, "d", "x");
    fields_add(&f, "k", "5050");
    assert_true(client_put(&seller, event_sign(&f, seller.key)));
    o.expiration = unix_now() + 2;
    publish(o, seller.key, unix_now());
    open_browse(false);
    assert_int_equal(browse_count(b), 1);
    net_for(&net, 2500);
    assert_int_equal(browse_count(b), 0);
}

static void a_newer_offer_replaces_live(void **state) {
    struct offer o = offer_of("one", "sev-snp");

    (void)state;
    publish(o, seller.key, unix_now() - 10);
    open_browse(false);
    assert_int_equal(browse_at(b, 0).offer->price_msat, 0);
    changed = false;
    o.price_msat = 5000;
    publish(o, seller.key, unix_now());
    assert_true(net_until(&net, &changed, 5000));
    assert_int_equal(browse_count(b), 1);
    assert_int_equal(browse_at(b, 0).offer->price_msat, 5000);
}

/* Two relays, or one that lies: the older version of an offer must not win by coming later. */
static void an_older_offer_does_not_replace(void **state) {
    struct offer o = offer_of("one", "sev-snp");
    struct event *old, *new;

    (void)state;
    open_browse(false);
    old = offer_make(&o, seller.key, 1000);
    o.price_msat = 5000;
    new = offer_make(&o, seller.key, 2000);
    on_event(b, "offers", new, "");
    on_event(b, "offers", old, "");
    assert_int_equal(b->n_offers, 1);
    assert_int_equal(b->offer[0]->price_msat, 5000);
    event_free(old);
    event_free(new);
}

static void offers_are_found_by_name_and_owner(void **state) {
    struct keypair *other = keypair_new();
    cleanup_free char *hex = hex_new(view_of(keypair_pub(other), 32)), *word = NULL;
    struct offer named = offer_of("table", "sev-snp");
    struct listing l;
    struct err e;

    (void)state;
    snprintf(named.provider_name, sizeof named.provider_name, "ann");
    publish(named, seller.key, unix_now());
    publish(offer_of("table", "sev-snp"), other, unix_now());
    publish(offer_of("chat", "sev-snp"), other, unix_now());
    open_browse(false);
    assert_int_equal(browse_find(b, "chat", &l, &e), 0);
    assert_string_equal(l.offer->d, "chat");
    assert_int_equal(browse_find(b, "table", &l, &e), -1);
    assert_string_equal(e.code, "ambiguous-offer");
    word = mem_fmt("%s:table", hex);
    assert_int_equal(browse_find(b, word, &l, &e), 0);
    assert_memory_equal(l.offer->pubkey, keypair_pub(other), 32);
    assert_int_equal(browse_find(b, "ann:table", &l, &e), 0);
    assert_memory_equal(l.offer->pubkey, keypair_pub(seller.key), 32);
    assert_int_equal(browse_find(b, "bob:table", &l, &e), -1);
    assert_string_equal(e.code, "unknown-offer");
    keypair_free(other);
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
        T(offers_are_listed_alive_first),
        T(simulated_offers_are_hidden),
        T(other_services_and_expired_offers_are_left_out),
        T(a_newer_offer_replaces_live),
        T(an_older_offer_does_not_replace),
        T(offers_are_found_by_name_and_owner),
        T(manifests_are_asked_for_by_digest_and_author),
        T(a_cancelled_query_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
