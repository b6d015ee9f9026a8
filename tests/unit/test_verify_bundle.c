/* A bundle as a session saves it, verified again from its text. */
#include "tui/verify_bundle.c"
#include "attest/compare.c"
#include "core/disclosure.c"
#include "tests/unit/finished.h"
#include "tests/unit/gpu_vectors.h"
#include "tui/cli_tree.h"
#include "tests/unit/unit.h"
#include "tests/unit/saved.h"

static struct finished f;
static struct trust trust;

static int setup_with(void (*init)(struct finished *)) {
    init(&f);
    trust = (struct trust){.pins = f.w.x.pins, .sim_root = &f.w.sim_root, .n_sim_roots = 1};
    return 0;
}

static int setup(void **state) {
    (void)state;
    return setup_with(finished_begin);
}

static int setup_finished(void **state) {
    (void)state;
    return setup_with(finished_init);
}

static int teardown(void **state) {
    (void)state;
    finished_free(&f);
    return 0;
}

/* Through the text and back, as a file would be. */
static struct verdict *again_at(int64_t now, struct err *e) {
    cleanup_buf struct buf json = {0};
    struct bundle read;
    struct verdict *v;

    bundle_json(&f.b, &json);
    if (bundle_parse(buf_view(&json), &read, e))
        fail_msg("%s", e->text);
    v = bundle_verify(&read, &trust, &f.w.policy, now, NULL, e);
    bundle_free(&read);
    return v;
}

static struct verdict *again(struct err *e) {
    return again_at(WORLD_NOW, e);
}

static void expect_state(enum check_state s, const char *id) {
    struct err e = {0};
    struct verdict *v = again(&e);

    if (!v)
        fail_msg("%s", e.text);
    if (verdict_state(v) != s)
        fail_msg("%s", check_state_name(verdict_state(v)));
    if (id && verdict_find(v, id)->state != s)
        fail_msg("%s is %s", id, check_state_name(verdict_find(v, id)->state));
    assert_memory_equal(verdict_guest(v), f.b.hello->f.pubkey, 32);
    verdict_free(v);
}

static void a_saved_bundle_passes_again(void **state) {
    (void)state;
    expect_state(CHECK_PASS, NULL);
}

/* --- a GPU captured elsewhere, beside a simulated guest that binds it --- */

static struct gpu_item captured;

static void with_captured_gpu(struct world *w) {
    w->ev.gpu = &captured.ev;
    w->ev.n_gpu = w->offer.gpu_count = 1;
    snprintf(w->offer.gpu_arch, sizeof w->offer.gpu_arch, "hopper");
}

static int setup_gpu(void **state) {
    cleanup_buf struct buf report = {0}, chain = {0};
    struct err e;

    (void)state;
    if (!gpu_load("h100-550.90.07/report.bin", &report))
        return 0;
    assert_true(gpu_load("h100-550.90.07/chain.pem", &chain));
    assert_int_equal(gpu_item_read(&captured, "HOPPER", buf_view(&report), buf_view(&chain), &e),
                     0);
    memcpy(captured.ev.state, "\1\0\2\0", 4);
    finished_begin_in(&f, with_captured_gpu);
    trust = (struct trust){.pins = f.w.x.pins, .sim_root = &f.w.sim_root, .n_sim_roots = 1};
    return 0;
}

static int teardown_gpu(void **state) {
    if (captured.n_certs) {
        gpu_item_free(&captured);
        return teardown(state);
    }
    return 0;
}

/* What the vendor signed stands; that it was made for this job does not. */
static void a_captured_gpu_in_a_bundle(void **state) {
    static const char *const pass[] = {
        "bind.gpu", "gpu.count", "gpu.structure", "gpu.chain",    "gpu.signature",
        "gpu.fwid", "gpu.mode",  "gpu.topology",  "gpu.cc_state", "gpu.in-this-guest"};
    cleanup_buf struct buf text = {0};
    struct err e = {0};
    struct verdict *v;

    (void)state;
    if (!captured.n_certs)
        skip();
    v = again(&e);
    if (!v)
        fail_msg("%s", e.text);
    for (size_t i = 0; i < COUNT(pass); i++)
        if (verdict_find(v, pass[i])->state != CHECK_PASS)
            fail_msg("%s: %s", pass[i], verdict_find(v, pass[i])->why);
    assert_int_equal(verdict_find(v, "gpu.nonce")->state, CHECK_FAIL);
    assert_int_equal(verdict_find(v, "gpu.measurements")->state, CHECK_NOT_CHECKED);
    assert_int_equal(verdict_state(v), CHECK_FAIL);
    assert_true(verdict_simulated(v));
    verdict_text(v, &text);
    assert_non_null(strstr((char *)text.p, "GH100 431d480fe5e87274  (gpu.chain)"));
    verdict_free(v);
}

static void what_is_missing_is_not_checked(void **state) {
    (void)state;
    rumor_free(f.b.collateral[--f.b.n_collateral]);
    expect_state(CHECK_NOT_CHECKED, "snp.chain.leaf");
    finished_collateral(&f);
    free(f.b.manifest[1]); /* the release */
    f.b.n_manifests = 1;
    expect_state(CHECK_NOT_CHECKED, "snp.measurement");
}

static void certificates_from_elsewhere(void **state) {
    struct collateral more = {0};
    struct verdict *v;
    struct err e;

    (void)state;
    rumor_free(f.b.collateral[--f.b.n_collateral]);
    buf_add(&more.vek, f.w.c.vek.p, f.w.c.vek.n);
    buf_add(&more.ask, f.w.c.ask.p, f.w.c.ask.n);
    buf_add(&more.ark, f.w.c.ark.p, f.w.c.ark.n);
    v = bundle_verify(&f.b, &trust, &f.w.policy, WORLD_NOW, &more, &e);
    assert_int_equal(verdict_state(v), CHECK_PASS);
    verdict_free(v);
    collateral_free(&more);
}

static void a_manifest_under_another_hash_is_not_taken(void **state) {
    (void)state;
    free(f.b.manifest[1]);
    f.b.manifest[1] = mem_fmt("%.*s ", (int)f.w.release.n, (const char *)f.w.release.p);
    expect_state(CHECK_NOT_CHECKED, "offer.match");
}

static void another_request_is_named(void **state) {
    struct err e = {0};

    (void)state;
    memset(f.w.request.nonce, 0x55, 32);
    rumor_free(f.b.request);
    f.b.request = finished_request(&f); /* same offer, new nonce and id */
    assert_null(again(&e));             /* the hello says which job it is for */
    assert_string_equal(e.code, "bad-bundle");
    rumor_free(f.b.hello);
    f.b.hello = finished_hello(&f); /* a hello for it, around the old report */
    expect_state(CHECK_FAIL, "bind.nonce");
}

static void another_speaker_is_named(void **state) {
    (void)state;
    rumor_free(f.b.hello);
    keypair_free(f.guest);
    f.guest = keypair_new();
    f.b.hello = finished_hello(&f);
    expect_state(CHECK_FAIL, "bind.guest_key");
}

static void a_hello_of_another_type(void **state) {
    struct err e = {0};

    (void)state;
    rumor_free(f.b.hello);
    f.b.hello = msg_make("ready", f.w.request.id, (struct view){0}, f.guest,
                         keypair_pub(f.customer), WORLD_NOW);
    assert_null(again(&e));
    assert_string_equal(e.code, "bad-bundle");
}

/* --- receipts --- */

static void a_receipt_passes(void **state) {
    struct err e = {0};
    struct verdict *v;

    (void)state;
    expect_state(CHECK_PASS, "receipt");
    v = again(&e);
    assert_string_equal(verdict_find(v, "receipt.coverage")->got, "3 messages, 2 answers");
    assert_int_equal(verdict_find(v, "receipt.teardown")->source, SOURCE_PROVIDER);
    verdict_free(v);
}

static void a_receipt_that_covers_less(void **state) {
    struct err e = {0};
    struct verdict *v;

    (void)state;
    event_free(f.b.receipt);
    f.b.receipt = finished_receipt(&f, 1);
    expect_state(CHECK_WARN, "receipt.coverage");
    v = again(&e);
    assert_non_null(strstr(verdict_find(v, "receipt.coverage")->why, "does not cover your last 2"));
    verdict_free(v);
    f.b.has_transcript = false;
    expect_state(CHECK_PASS, NULL); /* only their number is known */
}

static void receipts_of_others(void **state) {
    struct keypair *guest = f.guest;
    struct rumor *accept = f.b.accept;

    (void)state;
    f.guest = f.provider; /* somebody else signs */
    event_free(f.b.receipt);
    f.b.receipt = finished_receipt(&f, 3);
    expect_state(CHECK_FAIL, "receipt.guest");
    f.guest = guest;
    event_free(f.b.receipt);
    f.w.request.id[0] ^= 1;
    f.b.receipt = finished_receipt(&f, 3);
    f.w.request.id[0] ^= 1;
    expect_state(CHECK_FAIL, "receipt.job");
    event_free(f.b.receipt);
    f.b.receipt = finished_receipt(&f, 3);
    f.b.accept = finished_accept(&f, WORLD_NOW + 5); /* not the one that the guest saw */
    rumor_free(accept);
    expect_state(CHECK_FAIL, "receipt.job");
}

static void a_receipt_over_other_messages(void **state) {
    (void)state;
    f.b.in[1][0] ^= 1;
    expect_state(CHECK_FAIL, "receipt.coverage");
    f.b.in[1][0] ^= 1;
    f.b.n_out--; /* it counts an answer that never came */
    expect_state(CHECK_FAIL, "receipt.coverage");
    f.b.n_out++;
}

static void teardowns_that_are_none(void **state) {
    struct keypair *provider = f.provider;
    struct teardown t = {.started = 1, .ended = 2, .exit_status = 9};

    (void)state;
    event_free(f.b.teardown);
    f.provider = f.guest;
    f.b.teardown = finished_teardown(&f);
    f.provider = provider;
    expect_state(CHECK_WARN, "receipt.teardown");
    event_free(f.b.teardown);
    memcpy(t.job, f.w.request.id, 32);
    f.b.teardown = teardown_make(&t, f.provider, WORLD_NOW);
    expect_state(CHECK_WARN, "receipt.teardown");
    event_free(f.b.teardown);
    f.b.teardown = NULL;
    expect_state(CHECK_PASS, NULL); /* the seller owes it, the guest does not */
}

/* As of then: the acceptance's clock, but never before the newest list of revoked keys. */
static void as_of_then(void **state) {
    const int64_t list = crl_begins(buf_view(&f.w.crl));
    struct verdict *then, *now;
    struct change c[8];
    int64_t when;
    struct err e;

    (void)state;
    assert_true(bundle_then(&f.b, &when));
    assert_true(when >= WORLD_NOW - 60 && when <= WORLD_NOW);
    then = again_at(when, &e);
    assert_int_equal(verdict_state(then), CHECK_PASS);
    now = again_at(WORLD_NOW + (int64_t)20 * 365 * 86400, &e); /* the certificates have ended */
    assert_int_equal(verdict_state(now), CHECK_FAIL);
    assert_int_equal(verdict_changes(then, now, c, COUNT(c)), 2);
    assert_string_equal(c[0].id, "snp.chain.dates");
    assert_true(c[0].was == CHECK_PASS && c[0].is == CHECK_FAIL);
    assert_string_equal(c[1].id, "snp.crl");
    verdict_free(then);
    verdict_free(now);
    rumor_free(f.b.accept);
    f.b.accept = finished_accept(&f, 1000); /* a clock that was wrong, or a lie */
    assert_true(bundle_then(&f.b, &when));
    assert_true(list > 1000 && when == list);
    rumor_free(f.b.accept);
    f.b.accept = NULL;
    assert_false(bundle_then(&f.b, &when));
}

static void what_changed_between_two_jobs(void **state) {
    struct change c[8];
    struct verdict *a, *b, *d;
    struct err e;

    (void)state;
    a = again(&e);
    finished_free(&f);
    setup_finished(NULL); /* other keys, nonce and job */
    b = again(&e);
    assert_int_equal(verdict_changes(a, b, c, COUNT(c)), 0);
    f.w.report[0x40] |= 1; /* and now another machine setting, unsigned: everything is distrusted */
    rumor_free(f.b.hello);
    f.b.hello = finished_hello(&f);
    d = again(&e);
    assert_true(verdict_changes(b, d, c, COUNT(c)) > 3);
    verdict_free(a);
    verdict_free(b);
    verdict_free(d);
}

/* --- bundles for other tests --- */

static void another_release(struct world *w) {
    struct release r = world_release();
    struct err e = {0};

    r.version = (char[]){"0.2.0"};
    r.kernel_sha256[0] = 1;
    buf_reset(&w->release);
    assert_int_equal(release_json(&r, &w->release, &e), 0);
    sha256(buf_view(&w->release), w->pin[0]);
    sha256(buf_view(&w->release), w->offer.release);
    world_point(w);
}

static void write_saved(const char *path, void (*tweak)(struct world *), size_t covered) {
    cleanup_buf struct buf json = {0};
    struct err e;

    finished_free(&f);
    finished_init_in(&f, tweak, covered);
    bundle_json(&f.b, &json);
    assert_int_equal(file_write(path, buf_view(&json), 0644, true, &e), 0);
}

static void saved_bundles_are_what_they_say(void **state) {
    static const char *const PATH[] = {SAVED_FIRST, SAVED_SECOND};
    static const enum check_state WANT[] = {CHECK_PASS, CHECK_WARN};

    (void)state;
    if (getenv("UPDATE_BUNDLES")) {
        write_saved(SAVED_FIRST, NULL, FINISHED_IN);
        write_saved(SAVED_SECOND, another_release, 1);
    }
    for (size_t i = 0; i < COUNT(PATH); i++) {
        struct saved_world w;
        struct verdict *v;

        saved_open(&w, PATH[i]);
        v = saved_verify(&w, w.then);
        assert_true(verdict_simulated(v));
        assert_int_equal(verdict_state(v), WANT[i]);
        verdict_free(v);
        saved_close(&w);
    }
}

/* --- one message --- */

static void disclose(const struct rumor *r, struct disclosure *d) {
    cleanup_buf struct buf json = {0};
    struct err e = {0};

    if (disclosure_make(&f.b, r, &json, &e) || disclosure_parse(buf_view(&json), d, &e))
        fail_msg("%s", e.text);
}

static int check(const struct disclosure *d, struct err *e) {
    struct receipt r;

    assert_int_equal(receipt_parse(f.b.receipt, &r, e), 0);
    return disclosure_check(d, &r, f.b.request->f.pubkey, f.b.hello->f.pubkey, e);
}

static void messages_are_proven(void **state) {
    struct disclosure d;
    struct err e = {0};

    (void)state;
    for (int i = 0; i < FINISHED_IN; i++) {
        disclose(f.in[i], &d);
        assert_int_equal(check(&d, &e), 0);
        assert_int_equal(d.index, i);
        assert_false(d.out);
        d.index ^= 1;
        assert_int_equal(check(&d, &e), -1);
        assert_string_equal(e.code, "not-proven");
        disclosure_free(&d);
    }
    for (int i = 0; i < FINISHED_OUT; i++) {
        disclose(f.out[i], &d);
        assert_true(d.out);
        assert_int_equal(check(&d, &e), 0);
        d.out = false; /* as if the customer had said it */
        assert_int_equal(check(&d, &e), -1);
        disclosure_free(&d);
    }
}

static void messages_that_are_not_covered(void **state) {
    cleanup_buf struct buf json = {0};
    struct rumor *stranger = finished_text(f.customer, 7);
    struct disclosure d;
    struct err e = {0};

    (void)state;
    assert_int_equal(disclosure_make(&f.b, stranger, &json, &e), -1);
    assert_string_equal(e.code, "not-covered");
    disclose(f.in[1], &d);
    rumor_free(d.rumor);
    d.rumor = rumor_copy(stranger); /* another message at its place */
    assert_int_equal(check(&d, &e), -1);
    disclosure_free(&d);
    rumor_free(stranger);
    event_free(f.b.receipt);
    f.b.receipt = finished_receipt(&f, 2);
    assert_int_equal(disclosure_make(&f.b, f.in[2], &json, &e), -1);
    assert_string_equal(e.code, "not-covered");
    disclose(f.in[1], &d); /* its path in the shorter list */
    assert_int_equal(check(&d, &e), 0);
    disclosure_free(&d);
    f.b.has_transcript = false;
    assert_int_equal(disclosure_make(&f.b, f.in[1], &json, &e), -1);
    assert_string_equal(e.code, "no-transcript");
}

static void disclosures_that_are_none(void **state) {
    static const char *const rows[] = {
        "",
        "{}",
        "{\"v\":1}",
        "{\"v\":1,\"direction\":\"up\",\"index\":0,\"size\":1,\"path\":[]}",
        "{\"v\":2,\"direction\":\"in\",\"index\":0,\"size\":1,\"path\":[],\"rumor\":{}}",
        "{\"v\":1,\"direction\":\"in\",\"index\":0,\"size\":1,\"path\":[\"00\"],\"rumor\":{}}",
        "{\"v\":1,\"direction\":\"in\",\"index\":0,\"size\":1,\"path\":[],\"rumor\":{}}"};
    struct disclosure d;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!disclosure_parse(view_str(rows[i]), &d, &e))
            fail_msg("accepted: %s", rows[i]);
        assert_null(d.rumor);
    }
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define R(name) cmocka_unit_test_setup_teardown(name, setup_finished, teardown)
    const struct CMUnitTest tests[] = {
        T(a_saved_bundle_passes_again),
        T(what_is_missing_is_not_checked),
        T(certificates_from_elsewhere),
        T(a_manifest_under_another_hash_is_not_taken),
        T(another_request_is_named),
        T(another_speaker_is_named),
        T(a_hello_of_another_type),
        R(a_receipt_passes),
        R(a_receipt_that_covers_less),
        R(receipts_of_others),
        R(a_receipt_over_other_messages),
        R(teardowns_that_are_none),
        R(as_of_then),
        R(what_changed_between_two_jobs),
        R(saved_bundles_are_what_they_say),
        R(messages_are_proven),
        R(messages_that_are_not_covered),
        R(disclosures_that_are_none),
        cmocka_unit_test_setup_teardown(a_captured_gpu_in_a_bundle, setup_gpu, teardown_gpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
