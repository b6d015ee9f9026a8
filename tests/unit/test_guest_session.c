/* The guest's session against a host that misbehaves, over a socket pair: up to hello no machine is
 * needed. The session runs in a child, as it will in the guest: alone. */
#include "guest/session_frames.c"
#include "core/binding.h"
#include "core/hello.h"
#include "core/modelkey.h"
#include "tests/unit/guest_host.h"

static struct cmdline cmdline; /* of the next guest */

static void run_guest(int fd) {
    struct session_conf conf = {
        .port = port_from_fd(fd),
        .cmdline = &cmdline,
        .report = {.tsm = "/nonexistent", .device = "/nonexistent"},
    };
    struct loop *l = loop_new(NULL);
    uint8_t rc = session_run(l, &conf);

    port_free(conf.port);
    loop_free(l);
    _exit(rc);
}

static void start(struct host *h) {
    host_start(h, run_guest);
}

static void a_job_whose_rumor_is_not_its_id_ends(void **state) {
    cleanup_buf struct buf json = {0};
    struct host h;
    char *nonce;

    (void)state;
    start(&h);
    job_frame(&h.job, NULL, &json);
    nonce = strstr((char *)json.p, "\"nonce\",\"") + 9;
    *nonce = *nonce == '0' ? '1' : '0'; /* a nonce of the host's choice */
    send_frame(&h, CHAN_JOB, buf_view(&json));
    expect_end(&h, CHAN_ERR_JOB);
}

static void a_second_job_ends_it(void **state) {
    struct host h;

    (void)state;
    start(&h);
    send_job(&h);
    send_job(&h);
    expect_end(&h, CHAN_ERR_FRAME);
}

static void frames_out_of_order_end_it(void **state) {
    static const enum chan_type early[] = {CHAN_EVENT,       CHAN_AUTH,    CHAN_BLOB_DATA,
                                           CHAN_BLOB_STATUS, CHAN_REPORT,  CHAN_STATE,
                                           CHAN_REPORT_REQ,  CHAN_BLOB_PUT};

    (void)state;
    for (size_t i = 0; i < COUNT(early); i++) {
        struct host h;

        start(&h);
        send_frame(&h, early[i], view_str("xxxxxxxx"));
        expect_end(&h, CHAN_ERR_FRAME);
    }
}

static void broken_frames_end_it(void **state) {
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 1}, empty[] = {0, 0, 0, 0, 1},
                         unknown[] = {1, 0, 0, 0, 99};
    const struct view bad[] = {view_of(huge, sizeof huge), view_of(empty, sizeof empty),
                               view_of(unknown, sizeof unknown)};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct host h;

        start(&h);
        send_bytes(&h, bad[i]);
        expect_end(&h, CHAN_ERR_FRAME);
    }
}

static void an_empty_report_ends_it(void **state) {
    struct host h;

    (void)state;
    start(&h);
    send_job(&h);
    expect(&h, CHAN_REPORT_REQ);
    send_frame(&h, CHAN_REPORT, view_of(NULL, 0));
    expect_end(&h, CHAN_ERR_REPORT);
}

static void auth(struct host *h, uint8_t relay, const char *challenge) {
    cleanup_buf struct buf b = {0};
    uint8_t payload[256] = {relay};
    size_t n = strlen(challenge);

    memcpy(payload + 1, challenge, n);
    assert_int_equal(chan_put(&b, CHAN_AUTH, view_of(payload, n + 1), NULL), 0);
    send_bytes(h, buf_view(&b));
}

static void auth_is_signed_for_the_requests_relay(void **state) {
    struct chan_auth a;
    struct event *ev;
    struct host h;

    (void)state;
    start(&h);
    send_job(&h);
    expect(&h, CHAN_REPORT_REQ);
    auth(&h, 1, "prove it");
    assert_int_equal(chan_auth_parse(expect(&h, CHAN_AUTH), &a, NULL), 0);
    ev = event_parse(a.body, NULL);
    assert_non_null(ev);
    assert_int_equal(ev->f.kind, KIND_AUTH);
    assert_string_equal(fields_get(&ev->f, "relay", 1), "wss://two.example");
    assert_string_equal(fields_get(&ev->f, "challenge", 1), "prove it");
    event_free(ev);
    send_frame(&h, CHAN_SHUTDOWN, view_of(NULL, 0));
    expect_end(&h, 0);
}

static void auth_has_limits(void **state) {
    static const char *const challenge[] = {"", "new\nline", "ok"};
    static const uint8_t relay[] = {0, 0, 2};
    struct host h;

    (void)state;
    for (size_t i = 0; i < COUNT(relay); i++) {
        start(&h);
        send_job(&h);
        auth(&h, relay[i], challenge[i]);
        expect_end(&h, CHAN_ERR_FRAME);
    }
    start(&h);
    send_job(&h);
    for (int i = 0; i <= AUTH_MAX; i++)
        auth(&h, 0, "again");
    expect_end(&h, CHAN_ERR_FRAME);
}

/* hello goes to the customer of the rumor, over a key and a nonce that the report binds; this
 * machine has no disk named "work", so that is where it ends. */
static void hello_binds_what_the_request_says(void **state) {
    uint8_t report[REPORT_LEN] = {2}, data[64], want[64];
    struct rumor *r;
    struct event *ev;
    struct msg m;
    struct hello hello;
    struct host h;
    struct err e = {0};

    (void)state;
    start(&h);
    send_job(&h);
    memcpy(data, expect(&h, CHAN_REPORT_REQ).p, sizeof data);
    send_frame(&h, CHAN_REPORT, view_of(report, sizeof report));
    ev = event_parse(expect(&h, CHAN_EVENT), &e);
    assert_non_null(ev);
    r = wrap_open(ev, h.job.u, NULL, &e);
    assert_non_null(r);
    assert_int_equal(msg_parse(r, &m, &e), 0);
    assert_string_equal(m.type, "hello");
    assert_int_equal(m.seq, 0);
    assert_int_equal(hello_parse(m.o, &hello, &e), 0);
    assert_memory_equal(hello.report.p, report, sizeof report);
    assert_memory_equal(hello.echo_nonce, h.job.q.nonce, 32);
    binding_report_data(r->f.pubkey, keypair_pub(h.job.u), h.job.q.nonce, h.job.rumor->f.id,
                        view_of(NULL, 0), want);
    assert_memory_equal(data, want, sizeof data);
    hello_free(&hello);
    msg_free(&m);
    rumor_free(r);
    event_free(ev);
    expect_end(&h, CHAN_ERR_VOLUME);
}

static void two_guests_of_one_request_have_two_keys(void **state) {
    uint8_t first[64], second[64];
    struct made_job job;
    struct host h;

    (void)state;
    start(&h);
    send_job(&h);
    memcpy(first, expect(&h, CHAN_REPORT_REQ).p, 64);
    job = h.job;
    send_frame(&h, CHAN_SHUTDOWN, view_of(NULL, 0));
    memset(&h.job, 0, sizeof h.job);
    expect_end(&h, 0);
    start(&h);
    job_drop(&h.job);
    h.job = job;
    send_job(&h);
    memcpy(second, expect(&h, CHAN_REPORT_REQ).p, 64);
    assert_memory_not_equal(first, second, 32);
    assert_memory_not_equal(first + 32, second + 32, 32);
    send_frame(&h, CHAN_SHUTDOWN, view_of(NULL, 0));
    expect_end(&h, 0);
}

/* --- a sealed model: K before hello --- */

static struct keypair *start_sealed(struct host *h) {
    struct keypair *k = keypair_new();

    cmdline = (struct cmdline){.has_model = true, .has_broker = true, .model = {.blocks = 1}};
    memset(cmdline.model.root, 0x44, 32);
    memcpy(cmdline.broker, keypair_pub(k), 32);
    start(h);
    memset(&cmdline, 0, sizeof cmdline);
    send_job(h);
    return k;
}

/* The next wrap, opened by `to`; its type. guest: who sealed it. */
static void expect_wrap(struct host *h, const struct keypair *to, const char *type,
                        uint8_t guest[static 32]) {
    struct event *ev = event_parse(expect(h, CHAN_EVENT), NULL);
    struct rumor *r = ev ? wrap_open(ev, to, NULL, NULL) : NULL;
    struct msg m;

    assert_non_null(r);
    assert_int_equal(msg_parse(r, &m, NULL), 0);
    assert_string_equal(m.type, type);
    memcpy(guest, r->f.pubkey, 32);
    msg_free(&m);
    rumor_free(r);
    event_free(ev);
}

static void say(struct host *h, const struct keypair *from, const uint8_t guest[static 32],
                const char *type, const struct buf *body) {
    struct rumor *r = msg_make(type, h->job.rumor->f.id, buf_view(body), from, guest, unix_now());
    struct event *ev = wrap_make(r, from, NULL, guest, KIND_WRAP, unix_now(), 0, NULL);
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    send_frame(h, CHAN_EVENT, buf_view(&json));
    event_free(ev);
    rumor_free(r);
}

/* Both reports are made, each over its own binding; hello comes after the key, and the owner is not
 * heard any more. */
static void a_sealed_models_key_comes_before_hello(void **state) {
    uint8_t report[REPORT_LEN] = {2}, guest[32], data[64], want[64], nonce[32] = {7};
    cleanup_buf struct buf say_nonce = {0}, say_key = {0};
    struct secret *key = secret_new(MODELKEY_LEN);
    uint8_t root[32];
    struct host h;
    struct keypair *k = start_sealed(&h);

    (void)state;
    memset(root, 0x44, 32);
    expect_wrap(&h, k, "key_ask", guest);
    key_nonce_body(nonce, &say_nonce);
    say(&h, h.job.u, guest, "key_nonce", &say_nonce); /* the customer is not the owner */
    say(&h, k, guest, "key_nonce", &say_nonce);
    memcpy(data, expect(&h, CHAN_REPORT_REQ).p, sizeof data);
    binding_model_data(guest, keypair_pub(k), nonce, root, view_of(NULL, 0), want);
    assert_memory_equal(data, want, sizeof data);
    send_frame(&h, CHAN_REPORT, view_of(report, sizeof report));
    expect_wrap(&h, k, "key_evidence", guest);
    key_body(key, &say_key);
    say(&h, k, guest, "key", &say_key);
    memcpy(data, expect(&h, CHAN_REPORT_REQ).p, sizeof data);
    binding_report_data(guest, keypair_pub(h.job.u), h.job.q.nonce, h.job.rumor->f.id,
                        view_of(NULL, 0), want);
    assert_memory_equal(data, want, sizeof data);
    say(&h, k, guest, "key", &say_key);
    send_frame(&h, CHAN_REPORT, view_of(report, sizeof report));
    expect_wrap(&h, h.job.u, "hello", guest);
    secret_free(key);
    keypair_free(k);
    expect_end(&h, CHAN_ERR_VOLUME);
}

static void a_report_that_nobody_asked_for_ends_it(void **state) {
    uint8_t report[REPORT_LEN] = {2}, guest[32];
    struct host h;
    struct keypair *k = start_sealed(&h);

    (void)state;
    expect_wrap(&h, k, "key_ask", guest);
    send_frame(&h, CHAN_REPORT, view_of(report, sizeof report));
    keypair_free(k);
    expect_end(&h, CHAN_ERR_FRAME);
}

static void a_host_that_hangs_up_ends_it(void **state) {
    struct host h;
    int status;

    (void)state;
    start(&h);
    send_job(&h);
    expect(&h, CHAN_REPORT_REQ);
    close(h.fd);
    waitpid(h.child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status));
    chan_in_free(&h.in);
    job_drop(&h.job);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_whose_rumor_is_not_its_id_ends),
        cmocka_unit_test(a_second_job_ends_it),
        cmocka_unit_test(frames_out_of_order_end_it),
        cmocka_unit_test(broken_frames_end_it),
        cmocka_unit_test(an_empty_report_ends_it),
        cmocka_unit_test(auth_is_signed_for_the_requests_relay),
        cmocka_unit_test(auth_has_limits),
        cmocka_unit_test(hello_binds_what_the_request_says),
        cmocka_unit_test(two_guests_of_one_request_have_two_keys),
        cmocka_unit_test(a_sealed_models_key_comes_before_hello),
        cmocka_unit_test(a_report_that_nobody_asked_for_ends_it),
        cmocka_unit_test(a_host_that_hangs_up_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
