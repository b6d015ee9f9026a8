/* A job whose guest shows six GPUs: more evidence than fits its hello, and more from NVIDIA than
 * fits one message. What comes late, wrong or never is told as that. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "attest/checks.h"

#include "core/bundle.h"
#include "tests/unit/gpu_made.h"
#include "tests/unit/nvidia_made.h"
#include "tests/unit/stage.h"
#include "tui/session_priv.h"
#include "tui/verify_bundle.h"

#define N 6

static struct stage t;
static struct made_gpu gpu[N];
static struct pki signers;
static struct collateral carried;
static struct gpu_evidence bound[GPUS_MAX];
static struct buf json;

static void add(enum collateral_kind kind, struct buf *b) {
    assert_true(collateral_add(&carried, kind, buf_view(b)));
    buf_free(b);
}

static void add_nvidia(void) {
    struct buf b = {0};

    made_rim(&signers, "GH100", "550.90.07", 0, NULL, &b);
    add(COLL_RIM, &b);
    made_rim(&signers, "GH100", "96.00.9F.00.01", 1, NULL, &b);
    add(COLL_RIM, &b);
    for (int i = 0; i < 50000; i++) /* of no use to anybody, and in the way of nothing */
        buf_str(&b, "x");
    add(COLL_RIM, &b);
    for (int g = 0; g < N; g++) {
        made_answer(&gpu[g].pki, 1, V_OCSP_CERTSTATUS_GOOD, -1, unix_now() - 3600, &b);
        add(COLL_OCSP, &b);
    }
    for (int i = 1; i <= 3; i++) {
        made_answer(&signers, i, V_OCSP_CERTSTATUS_GOOD, -1, unix_now() - 3600, &b);
        add(COLL_OCSP, &b);
        made_answer(&gpu[0].pki, i > 1 ? i : 2, V_OCSP_CERTSTATUS_GOOD, -1, unix_now() - 3600, &b);
        add(COLL_OCSP, &b);
    }
    buf_add(&carried.vek, t.w.c.vek.p, t.w.c.vek.n);
    buf_add(&carried.ask, t.w.c.ask.p, t.w.c.ask.n);
    buf_add(&carried.ark, t.w.c.ark.p, t.w.c.ark.n);
    buf_add(&carried.crl, t.w.crl.p, t.w.crl.n);
}

static int setup(void **state) {
    (void)state;
    stage_up(&t);
    for (uint8_t i = 0; i < N; i++) {
        made_init(&gpu[i], i + 1);
        if (i)
            pki_join(&gpu[i].pki, &gpu[0].pki);
        pki_make(&gpu[i].pki);
        made_set(&gpu[i], GF_FEATURE, "\1\0", 2); /* several: all in mode MPT */
    }
    signers_init(&signers);
    roots_test_nvidia(NVIDIA_DEVICES, gpu[0].pki.root);
    roots_test_nvidia(NVIDIA_REFERENCES, signers.root);
    add_nvidia();
    offer_free(t.parsed);
    t.w.offer.gpu_count = N;
    snprintf(t.w.offer.gpu_arch, sizeof t.w.offer.gpu_arch, "HOPPER");
    stage_offer(&t);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    stage_down(&t);
    for (int i = 0; i < N; i++)
        made_free(&gpu[i]);
    pki_free(&signers);
    collateral_free(&carried);
    buf_free(&json);
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    roots_test_nvidia(NVIDIA_REFERENCES, NULL);
    return 0;
}

/* Rents; then the guest has its evidence and its report. */
static void rent(void) {
    const uint8_t *g = keypair_pub(t.guest[0].key);
    struct jw w = jw_new(&json);
    uint8_t nonce[32];

    stage_rent(&t, NULL);
    binding_gpu_nonce(g, t.q.nonce, t.q.id, nonce);
    for (int i = 0; i < N; i++) {
        made_report(&gpu[i], nonce);
        bound[i] = gpu[i].ev;
    }
    gpu_list_write(bound, N, nonce, &w);
    assert_true(json.n > HELLO_GPU_MAX);
    t.w.ev.gpu = bound;
    t.w.ev.n_gpu = N;
    stage_report(&t, g, t.q.customer, t.q.nonce, t.q.id);
}

static void hello(void) {
    static const struct talk_handler h = {
        .send = peer_talk_send, .message = peer_talk_message, .broken = peer_talk_broken};
    struct peer *g = &t.guest[0];
    struct hello out = {.has_echo = true, .gpu_json = buf_view(&json)};
    cleanup_buf struct buf body = {0};

    g->talk = talk_new(TALK_GUEST, g->key, t.q.customer, t.q.id, &h, g);
    buf_add(&out.report, t.w.report, sizeof t.w.report);
    memcpy(out.echo_customer, t.w.ev.echo_customer, 32);
    memcpy(out.echo_nonce, t.w.ev.echo_nonce, 32);
    memcpy(out.echo_job, t.w.ev.echo_job, 32);
    hello_body(&out, &body);
    assert_int_equal(talk_send(g->talk, "hello", buf_view(&body), g->hello_id, NULL), 0);
    hello_free(&out);
}

static void list(struct view of) {
    struct xfer_meta m;
    struct xfer_out *x;

    xfer_meta_init(&m, "gpu.json", "application/json", "gpu", NULL, of);
    x = xfer_out_inband(t.guest[0].talk, &m, of);
    assert_int_equal(xfer_out_step(x, NULL), 1);
    xfer_out_free(x);
}

static void everything_comes_in_the_end(void **state) {
    cleanup_buf struct buf saved = {0};
    struct bundle b;
    struct verdict *v;
    struct err e = {0};

    (void)state;
    rent();
    hello();
    stage_carry(&t, &t.provider, &carried);
    net_for(&t.net, 300);
    assert_int_equal(session_state(t.s), SESSION_VERIFYING); /* the list is still to come */
    list(buf_view(&json));
    assert_true(stage_reach(&t, SESSION_DECISION));
    v = t.s->verdict;
    for (size_t i = 0; i < CK_COUNT; i++) {
        const struct check *c = verdict_find(v, check_table[i].id);

        if (c && (!strncmp(c->id, "gpu", 3) || !strcmp(c->id, "bind.gpu")) &&
            c->state != CHECK_PASS)
            fail_msg("%s: %s %s", c->id, check_state_name(c->state), c->why);
    }
    session_bundle(t.s, &saved);
    if (bundle_parse(buf_view(&saved), &b, &e))
        fail_msg("%s", e.text);
    assert_non_null(b.gpu);
    assert_true(b.n_collateral > 2);
    v = bundle_verify(&b, &t.trust, &t.policy, unix_now(), NULL, &e);
    assert_non_null(v);
    assert_int_equal(verdict_find(v, "gpu")->state, CHECK_PASS);
    assert_int_equal(verdict_state(v), verdict_state(t.s->verdict));
    verdict_free(v);
    bundle_free(&b);
}

/* Evidence is nobody's file: the person is told of none, accepted or not. */
static void the_list_is_no_file(void **state) {
    struct err e;

    (void)state;
    rent();
    hello();
    list(buf_view(&json));
    stage_carry(&t, &t.provider, &carried);
    assert_true(stage_reach(&t, SESSION_DECISION));
    if (session_accept(t.s, true, &e))
        fail_msg("%s", e.text);
    assert_true(stage_until(&t, &t.guest[0].got_accept));
    net_for(&t.net, 300);
    assert_int_equal(session_state(t.s), SESSION_ACCEPTED);
    assert_int_equal(session_files_open(t.s), 0);
}

static void another_list_than_announced(void **state) {
    (void)state;
    rent();
    hello();
    json.p[json.n / 2] ^= 1;
    list(buf_view(&json));
    stage_carry(&t, &t.provider, &carried);
    assert_true(stage_reach(&t, SESSION_REFUSED));
    assert_int_equal(verdict_find(t.s->verdict, "gpu.count")->state, CHECK_FAIL);
    assert_non_null(
        strstr(verdict_find(t.s->verdict, "gpu.count")->why, "is not the one announced"));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(everything_comes_in_the_end),
        T(the_list_is_no_file),
        T(another_list_than_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
