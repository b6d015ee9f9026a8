#include "tui/outbox.c"
#include "tests/unit/unit.h"
#include "tests/unit/net.h"
#include "tests/unit/world.h"

/* What the customer's way out refuses to seal. Whether something was sealed is seen in the pool of
 * a loop that never turns: outbox_pending counts it. */
static struct net net;
static struct world w;
static struct keypair *u, *guest;
static struct pool *pool;
static struct outbox *out;

static int set_up(void **state) {
    static const struct pool_handler ph = {0};
    struct err e;

    (void)state;
    world_init(&w);
    u = keypair_new();
    guest = keypair_new();
    net_up(&net, NULL);
    pool = pool_new(net.ws, u, &ph, NULL);
    assert_int_equal(pool_add(pool, relayd_url(net.relay), &e), 0);
    w.request.expires = unix_now() + 3600;
    out = outbox_new(pool, u, &w.request);
    memcpy(w.ev.guest, keypair_pub(guest), 32);
    world_good_report(&w);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    outbox_free(out);
    pool_free(pool);
    net_down(&net);
    world_free(&w);
    keypair_free(u);
    keypair_free(guest);
    return 0;
}

static struct rumor *message(const char *type, const char *body) {
    struct msg_head h = {type, w.request.id, -1, 0};

    return msg_build(&h, view_str(body), keypair_pub(u), keypair_pub(guest), unix_now(), NULL);
}

static struct rumor *text_to(const struct keypair *to) {
    struct fields f = fields_new(KIND_TEXT, unix_now(), view_str("my secret"));
    cleanup_free char *hex = hex_new(view_of(keypair_pub(to), 32));

    fields_add(&f, "p", hex);
    return rumor_padded(&f, keypair_pub(u), NULL);
}

static void control(const char *type, const char *body, bool ok) {
    struct rumor *r = message(type, body);
    size_t before = outbox_pending(out);
    struct err e;
    int rc = outbox_control(out, keypair_pub(guest), r, &e);

    if ((rc == 0) != ok)
        fail_msg("%s {%s}: %s", type, body, rc ? e.text : "was sent");
    assert_int_equal(outbox_pending(out) - before, ok);
    rumor_free(r);
}

static void control_has_fixed_content(void **state) {
    (void)state;
    control("ping", "", true);
    control("pong", "", true);
    control("ack", "", true);
    control("nack", "\"want\":[1,2,3]", true);
    control("end", "\"reason\":\"refused\"", true);
    control("end", "", true);
    control("end", "\"reason\":\"my secret\"", false);
    control("end", "\"reason\":7", false);
    control("end", "\"note\":\"my secret\"", false);
    control("ping", "\"x\":1", false);
    control("nack", "\"want\":\"my secret\"", false);
    control("nack", "\"want\":[\"my secret\"]", false);
    control("accept", "", false); /* needs a verdict */
    control("start", "\"name\":\"my secret\"", false);
    control("cancel", "", false);
}

static void control_takes_no_text(void **state) {
    struct rumor *r = text_to(guest);
    struct err e;

    (void)state;
    assert_int_equal(outbox_control(out, keypair_pub(guest), r, &e), -1);
    assert_int_equal(outbox_pending(out), 0);
    rumor_free(r);
}

/* A pad that is not zeros could carry anything. */
static void a_pad_carries_nothing(void **state) {
    struct rumor *r = message("ping", "");
    struct fields f = r->f;
    struct err e;

    (void)state;
    r->f = (struct fields){0};
    rumor_free(r);
    f.content[f.content_len - 10] = '7';
    r = rumor_make(&f, keypair_pub(u));
    assert_int_equal(outbox_control(out, keypair_pub(guest), r, &e), -1);
    assert_string_equal(e.code, "not-control");
    rumor_free(r);
}

static void refuse_data(const struct verdict *v, const struct rumor *r) {
    struct err e;

    assert_int_equal(outbox_user_data(out, v, r, true, &e), -1);
    assert_string_equal(e.code, "not-allowed");
    assert_int_equal(outbox_pending(out), 0);
    assert_int_equal(outbox_sealed_for_guest(out), 0);
}

static void user_data_needs_a_verdict_that_allows(void **state) {
    struct rumor *r = text_to(guest);
    struct verdict *good = world_verify(&w), *bad;
    struct err e;

    (void)state;
    refuse_data(NULL, r);
    w.report[100] ^= 1; /* the signature no longer fits */
    bad = world_verify(&w);
    assert_int_equal(verdict_state(bad), CHECK_FAIL);
    refuse_data(bad, r);
    assert_true(verdict_allows(good));
    assert_int_equal(outbox_user_data(out, good, r, true, &e), 0);
    assert_int_equal(outbox_sealed_for_guest(out), 1);
    assert_int_equal(outbox_pending(out), 1);
    verdict_free(good);
    verdict_free(bad);
    rumor_free(r);
}

static void a_standard_policy_allows_no_simulator(void **state) {
    struct rumor *r = text_to(guest);
    struct verdict *v;

    (void)state;
    policy_preset(&w.policy, POLICY_STANDARD);
    v = world_verify(&w);
    refuse_data(v, r);
    verdict_free(v);
    rumor_free(r);
}

static void user_data_goes_to_the_verdicts_guest_only(void **state) {
    struct keypair *other = keypair_new();
    struct verdict *v = world_verify(&w);
    struct rumor *r = text_to(other);

    (void)state;
    assert_true(verdict_allows(v));
    refuse_data(v, r);
    verdict_free(v);
    rumor_free(r);
    keypair_free(other);
}

static void a_verdict_of_another_job_does_not_count(void **state) {
    struct rumor *r = text_to(guest);
    struct verdict *v;

    (void)state;
    w.request.id[0] ^= 1;
    world_good_report(&w);
    v = world_verify(&w);
    assert_true(verdict_allows(v));
    refuse_data(v, r);
    verdict_free(v);
    rumor_free(r);
}

static void a_bare_report_allows_nothing(void **state) {
    struct expect_report x = {.sim_roots = (const uint8_t(*)[32])w.sim_root, .n_sim_roots = 1};
    struct verdict *v = evidence_verify_report(w.ev.report, &w.c, &x, &w.policy, unix_now());
    struct rumor *r = text_to(guest);

    (void)state;
    refuse_data(v, r);
    verdict_free(v);
    rumor_free(r);
}

static void a_request_has_no_content(void **state) {
    struct fields f = fields_new(KIND_JOB_TOOL, unix_now(), view_str("my secret"));
    struct rumor *r = rumor_make(&f, keypair_pub(u));
    struct err e;

    (void)state;
    assert_int_equal(outbox_request(out, r, &e), -1);
    assert_string_equal(e.code, "bad-request");
    assert_int_equal(outbox_pending(out), 0);
    rumor_free(r);
}

static void pending_ends_with_the_first_ok(void **state) {
    struct rumor *r = message("end", "");
    uint8_t id[32];

    (void)state;
    assert_int_equal(outbox_control(out, keypair_pub(guest), r, NULL), 0);
    memcpy(id, out->pending[0], 32);
    outbox_ok(out, id, false, "error: try later");
    assert_int_equal(outbox_pending(out), 1);
    outbox_ok(out, id, true, "");
    assert_int_equal(outbox_pending(out), 0);
    outbox_ok(out, id, true, "duplicate:");
    assert_int_equal(outbox_pending(out), 0);
    rumor_free(r);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(control_has_fixed_content),
        T(control_takes_no_text),
        T(a_pad_carries_nothing),
        T(user_data_needs_a_verdict_that_allows),
        T(a_standard_policy_allows_no_simulator),
        T(user_data_goes_to_the_verdicts_guest_only),
        T(a_verdict_of_another_job_does_not_count),
        T(a_bare_report_allows_nothing),
        T(a_request_has_no_content),
        T(pending_ends_with_the_first_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
