#include "core/receipt.c"
#include "core/enc.h"
#include "tests/unit/unit.h"

/* A customer's and a guest's talk that hear each other at once. */
static struct keypair *uk, *gk;
static struct talk *u, *g;
static bool deaf; /* what U says is lost */
static struct rumor *heard;

static void on_send(void *arg, const struct rumor *r, bool stored) {
    (void)stored;
    if (arg == &u && !deaf)
        assert_int_equal(talk_take(g, r, NULL), 0);
    if (arg == &g)
        assert_int_equal(talk_take(u, r, NULL), 0);
}
static void on_message(void *arg, const struct talk_msg *m) {
    if (arg == &u && !strcmp(m->type, "receipt"))
        heard = rumor_copy(m->rumor);
}
static void on_broken(void *arg, const struct err *e) {
    (void)arg;
    fail_msg("%s", e->text);
}

static const uint8_t job[32] = {1};

static int set_up(void **state) {
    static const struct talk_handler h = {
        .send = on_send, .message = on_message, .broken = on_broken};

    (void)state;
    deaf = false;
    uk = keypair_new();
    gk = keypair_new();
    u = talk_new(TALK_CUSTOMER, uk, keypair_pub(gk), job, &h, &u);
    g = talk_new(TALK_GUEST, gk, keypair_pub(uk), job, &h, &g);
    assert_int_equal(talk_send(g, "hello", (struct view){0}, NULL, NULL), 0);
    assert_int_equal(talk_send(u, "accept", (struct view){0}, NULL, NULL), 0);
    assert_int_equal(talk_send_text(u, view_str("question"), NULL, NULL, NULL), 0);
    assert_int_equal(talk_send_text(g, view_str("answer"), NULL, NULL, NULL), 0);
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    talk_free(u);
    talk_free(g);
    keypair_free(uk);
    keypair_free(gk);
    rumor_free(heard);
    heard = NULL;
    return 0;
}

static struct receipt counted(void) {
    struct receipt r = {.reason = "end"};

    memcpy(r.job, job, 32);
    receipt_count(&r, g);
    return r;
}

static void a_receipt_round_trips_and_covers_all(void **state) {
    struct receipt r = counted(), got;
    struct event *ev = receipt_make(&r, gk, 1800000000), *back;
    struct msg m;

    (void)state;
    assert_int_equal(receipt_parse(ev, &got, NULL), 0);
    assert_memory_equal(&got, &r, sizeof r);
    assert_true(r.n_in == 2 && r.n_out == 2);
    assert_int_equal(receipt_check(&got, u, NULL), 0);
    assert_int_equal(receipt_send(g, ev, NULL), 0);
    assert_non_null(heard);
    assert_int_equal(msg_parse(heard, &m, NULL), 0);
    back = receipt_event(m.o, NULL);
    assert_non_null(back);
    assert_memory_equal(back->f.id, ev->f.id, 32);
    msg_free(&m);
    event_free(back);
    event_free(ev);
}

static void uncovered_messages_are_counted(void **state) {
    struct receipt r = counted();

    (void)state;
    deaf = true;
    assert_int_equal(talk_send_text(u, view_str("lost 1"), NULL, NULL, NULL), 0);
    assert_int_equal(talk_send_text(u, view_str("lost 2"), NULL, NULL, NULL), 0);
    assert_int_equal(receipt_check(&r, u, NULL), 2);
}

static void a_lie_is_noticed(struct receipt r) {
    struct err e;

    assert_int_equal(receipt_check(&r, u, &e), -1);
    assert_string_equal(e.code, "receipt-mismatch");
}

static void lies_are_noticed(void **state) {
    struct receipt r = counted();

    (void)state;
    r.root_in[5] ^= 1;
    a_lie_is_noticed(r);
    r = counted();
    r.root_out[5] ^= 1;
    a_lie_is_noticed(r);
    r = counted();
    r.n_in = 1; /* the root of two, said to be of one */
    a_lie_is_noticed(r);
    r = counted();
    r.n_in = 3; /* more than U ever sent */
    a_lie_is_noticed(r);
    r = counted();
    r.n_out = 3; /* answers that never came */
    a_lie_is_noticed(r);
}

static void refuse_content(const char *content) {
    struct fields f = fields_new(KIND_RECEIPT, 1, view_str(content));
    struct event *ev;
    struct receipt r;
    struct err e;

    fields_add(&f, "type", "receipt");
    ev = event_sign(&f, gk);
    assert_int_equal(receipt_parse(ev, &r, &e), -1);
    assert_true(e.text[0]);
    event_free(ev);
}

static void broken_receipts_are_refused(void **state) {
    (void)state;
    refuse_content("");
    refuse_content("{}");
    refuse_content("{\"v\":2}");
    refuse_content("{\"v\":1,\"job\":\"00\"}");
    refuse_content("[1]");
}

static void a_teardown_is_no_receipt(void **state) {
    struct teardown t = {.started = 1, .ended = 2, .exit_status = 9, .rundir_removed = true}, got;
    struct event *ev = teardown_make(&t, gk, 1800000000);
    struct receipt r;
    struct rumor *m;
    struct msg parsed;
    struct event *back;

    (void)state;
    assert_int_equal(receipt_parse(ev, &r, NULL), -1);
    assert_int_equal(teardown_parse(ev, &got, NULL), 0);
    assert_memory_equal(&got, &t, sizeof t);
    m = teardown_message(ev, job, gk, keypair_pub(uk), 1800000000);
    assert_int_equal(msg_parse(m, &parsed, NULL), 0);
    back = receipt_event(parsed.o, NULL);
    assert_non_null(back);
    event_free(back);
    msg_free(&parsed);
    rumor_free(m);
    event_free(ev);
}

static void a_forged_event_inside_is_refused(void **state) {
    struct receipt r = counted();
    struct event *ev = receipt_make(&r, gk, 1800000000);
    struct err e;
    cJSON *o;
    cleanup_buf struct buf b = {0}, json = {0};

    (void)state;
    ev->f.sig[0] ^= 1;
    event_json(ev, &json);
    buf_fmt(&b, "{\"event\":%s}", (const char *)json.p);
    o = json_parse(buf_view(&b), 65536, NULL);
    assert_non_null(o);
    assert_null(receipt_event(o, &e));
    cJSON_Delete(o);
    event_free(ev);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_receipt_round_trips_and_covers_all),
        T(uncovered_messages_are_counted),
        T(lies_are_noticed),
        T(broken_receipts_are_refused),
        T(a_teardown_is_no_receipt),
        T(a_forged_event_inside_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
