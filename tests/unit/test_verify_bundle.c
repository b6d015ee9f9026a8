/* A bundle as a session saves it, verified again from its text. */
#include "tui/verify_bundle.c"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world w;
static struct keypair *customer, *provider, *guest;
static struct trust trust;

/* A real offer event and request rumor, so that ids are what the parsers recompute. */
static struct event *make_offer(void) {
    struct offer *parsed;
    struct event *ev;
    struct err e = {0};

    snprintf(w.offer.d, sizeof w.offer.d, "table");
    snprintf(w.offer.name, sizeof w.offer.name, "table");
    snprintf(w.offer.privacy, sizeof w.offer.privacy, "sim");
    snprintf(w.offer.price_unit, sizeof w.offer.price_unit, "job");
    snprintf(w.offer.relays[0], sizeof w.offer.relays[0], "wss://relay.example");
    w.offer.n_relays = 1;
    w.offer.job_kind = KIND_JOB_TOOL;
    w.offer.memory_mib = 512;
    ev = offer_make(&w.offer, provider, WORLD_NOW);
    parsed = offer_parse(ev, &e);
    if (!parsed)
        fail_msg("%s", e.text);
    memcpy(w.offer.id, parsed->id, 32);
    offer_free(parsed);
    return ev;
}

static struct rumor *make_request(void) {
    struct rumor *r;
    struct err e = {0};

    memcpy(w.request.offer, w.offer.id, 32);
    memcpy(w.request.provider, keypair_pub(provider), 32);
    w.request.kind = KIND_JOB_TOOL;
    w.request.expires = WORLD_NOW + 600;
    snprintf(w.request.relays[0], sizeof w.request.relays[0], "wss://relay.example");
    w.request.n_relays = 1;
    r = job_request_make(&w.request, customer, WORLD_NOW, &e);
    if (!r)
        fail_msg("%s", e.text);
    return r;
}

static struct rumor *make_hello(void) {
    cleanup_buf struct buf body = {0};
    struct hello h = {0};
    struct err e = {0};
    struct rumor *r;
    const struct msg_head head = {"hello", w.request.id, 0, 0};

    buf_add(&h.report, w.report, sizeof w.report);
    memcpy(h.echo_customer, w.ev.echo_customer, 32);
    memcpy(h.echo_nonce, w.ev.echo_nonce, 32);
    memcpy(h.echo_job, w.ev.echo_job, 32);
    hello_body(&h, &body);
    r = msg_build(&head, buf_view(&body), keypair_pub(guest), keypair_pub(customer), WORLD_NOW, &e);
    if (!r)
        fail_msg("%s", e.text);
    hello_free(&h);
    return r;
}

static struct rumor *make_collateral(void) {
    struct collateral c = {0};
    struct rumor *r;

    buf_add(&c.vek, w.c.vek.p, w.c.vek.n);
    buf_add(&c.ask, w.c.ask.p, w.c.ask.n);
    buf_add(&c.ark, w.c.ark.p, w.c.ark.n);
    buf_add(&c.crl, w.crl.p, w.crl.n);
    r = collateral_make(&c, w.request.id, provider, keypair_pub(customer), WORLD_NOW);
    assert_non_null(r);
    collateral_free(&c);
    return r;
}

static struct bundle make_bundle(void) {
    struct bundle b = {.offer = make_offer()};

    b.request = make_request();
    memcpy(w.ev.guest, keypair_pub(guest), 32);
    world_good_report(&w);
    b.hello = make_hello();
    b.collateral = make_collateral();
    b.manifest = mem_new(2 * sizeof *b.manifest);
    b.manifest[b.n_manifests++] = mem_strn(w.workload.p, w.workload.n); /* in any order */
    b.manifest[b.n_manifests++] = mem_strn(w.release.p, w.release.n);
    return b;
}

static int setup(void **state) {
    (void)state;
    world_init(&w);
    customer = keypair_new();
    provider = keypair_new();
    guest = keypair_new();
    trust = (struct trust){.pins = w.x.pins, .sim_root = &w.sim_root, .n_sim_roots = 1};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    keypair_free(customer);
    keypair_free(provider);
    keypair_free(guest);
    world_free(&w);
    return 0;
}

/* Through the text and back, as a file would be. */
static struct verdict *again(const struct bundle *b, struct err *e) {
    cleanup_buf struct buf json = {0};
    struct bundle read;
    struct verdict *v;

    bundle_json(b, &json);
    if (bundle_parse(buf_view(&json), &read, e))
        fail_msg("%s", e->text);
    v = bundle_verify(&read, &trust, &w.policy, WORLD_NOW, e);
    bundle_free(&read);
    return v;
}

static void expect_state(const struct bundle *b, enum check_state s, const char *id) {
    struct err e = {0};
    struct verdict *v = again(b, &e);

    if (!v)
        fail_msg("%s", e.text);
    if (verdict_state(v) != s)
        fail_msg("%s", check_state_name(verdict_state(v)));
    if (id)
        assert_int_equal(verdict_find(v, id)->state, s);
    assert_memory_equal(verdict_guest(v), b->hello->f.pubkey, 32);
    verdict_free(v);
}

static void a_saved_bundle_passes_again(void **state) {
    struct bundle b = make_bundle();

    (void)state;
    expect_state(&b, CHECK_PASS, NULL);
    bundle_free(&b);
}

static void what_is_missing_is_not_checked(void **state) {
    struct bundle b = make_bundle();

    (void)state;
    rumor_free(b.collateral);
    b.collateral = NULL;
    expect_state(&b, CHECK_NOT_CHECKED, "snp.chain.leaf");
    bundle_free(&b);
    b = make_bundle();
    free(b.manifest[1]); /* the release */
    b.n_manifests = 1;
    expect_state(&b, CHECK_NOT_CHECKED, "snp.measurement");
    bundle_free(&b);
}

static void a_manifest_under_another_hash_is_not_taken(void **state) {
    struct bundle b = make_bundle();

    (void)state;
    free(b.manifest[1]);
    b.manifest[1] = mem_fmt("%.*s ", (int)w.release.n, (const char *)w.release.p);
    expect_state(&b, CHECK_NOT_CHECKED, "offer.match");
    bundle_free(&b);
}

static void another_request_is_named(void **state) {
    struct bundle b = make_bundle();
    struct err e = {0};

    (void)state;
    memset(w.request.nonce, 0x55, 32);
    rumor_free(b.request);
    b.request = make_request(); /* same offer, new nonce and id */
    assert_null(again(&b, &e)); /* the hello says which job it is for */
    assert_string_equal(e.code, "bad-bundle");
    rumor_free(b.hello);
    b.hello = make_hello(); /* a hello for it, around the old report */
    expect_state(&b, CHECK_FAIL, "bind.nonce");
    bundle_free(&b);
}

static void another_speaker_is_named(void **state) {
    struct bundle b = make_bundle();

    (void)state;
    rumor_free(b.hello);
    keypair_free(guest);
    guest = keypair_new();
    b.hello = make_hello();
    expect_state(&b, CHECK_FAIL, "bind.guest_key");
    bundle_free(&b);
}

static void a_hello_of_another_type(void **state) {
    struct bundle b = make_bundle();
    struct err e = {0};

    (void)state;
    rumor_free(b.hello);
    b.hello =
        msg_make("ready", w.request.id, (struct view){0}, guest, keypair_pub(customer), WORLD_NOW);
    assert_null(again(&b, &e));
    assert_string_equal(e.code, "bad-bundle");
    bundle_free(&b);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_saved_bundle_passes_again),
        T(what_is_missing_is_not_checked),
        T(a_manifest_under_another_hash_is_not_taken),
        T(another_request_is_named),
        T(another_speaker_is_named),
        T(a_hello_of_another_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
