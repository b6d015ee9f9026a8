#include "core/dvm.c"
#include "tests/unit/unit.h"

#define NOW INT64_C(1800000000)

static struct keypair *u;

static struct job_request request(void) {
    struct job_request q = {.kind = KIND_JOB_TOOL, .expires = NOW + 3600, .max_msat = 1000};

    memset(q.provider, 1, 32);
    memset(q.offer, 2, 32);
    memset(q.nonce, 3, 32);
    memcpy(q.relays[0], "ws://127.0.0.1:7777", 20);
    memcpy(q.relays[1], "wss://relay.example", 20);
    q.n_relays = 2;
    memcpy(q.params[0].key, "pace", 5);
    memcpy(q.params[0].value, "free", 5);
    q.n_params = 1;
    return q;
}

static void a_request_round_trips(void **state) {
    struct job_request q = request(), got;
    struct rumor *r = job_request_make(&q, u, NOW, NULL);

    (void)state;
    assert_non_null(r);
    assert_int_equal(job_request_parse(r, NOW, &got, NULL), 0);
    assert_memory_equal(got.id, r->f.id, 32);
    assert_memory_equal(got.customer, keypair_pub(u), 32);
    assert_memory_equal(&got, &q, sizeof got);
    assert_string_equal(job_param(&got, "pace"), "free");
    assert_null(job_param(&got, "other"));
    rumor_free(r);
}

/* The rumor of a good request, with one thing changed by `spoil`. */
static struct rumor *spoiled(void (*spoil)(struct fields *f)) {
    struct job_request q = request();
    struct rumor *r = job_request_make(&q, u, NOW, NULL);
    struct fields f = r->f;

    r->f = (struct fields){0};
    rumor_free(r);
    spoil(&f);
    return rumor_make(&f, keypair_pub(u));
}

static void refuse(void (*spoil)(struct fields *f)) {
    struct rumor *r = spoiled(spoil);
    struct job_request got;
    struct err e;

    assert_int_equal(job_request_parse(r, NOW, &got, &e), -1);
    assert_string_equal(e.code, "bad-request");
    assert_true(e.text[0]);
    rumor_free(r);
}

static void set_tag(struct fields *f, const char *name, const char *v) {
    for (size_t i = 0; i < f->n_tags; i++)
        if (!strcmp(f->tags[i].v[0], name)) {
            free(f->tags[i].v[1]);
            f->tags[i].v[1] = mem_str(v);
            return;
        }
    fail();
}
static void rename_tag(struct fields *f, const char *name) {
    for (size_t i = 0; i < f->n_tags; i++)
        if (!strcmp(f->tags[i].v[0], name))
            f->tags[i].v[0][0] = 'X';
}

static void spoil_kind(struct fields *f) {
    f->kind = 5000;
}
static void spoil_content(struct fields *f) {
    free(f->content);
    f->content = mem_str("my secret");
    f->content_len = 9;
}
static void spoil_nonce(struct fields *f) {
    set_tag(f, "nonce", "00");
}
static void spoil_nonce_case(struct fields *f) {
    set_tag(f, "nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
}
static void spoil_no_p(struct fields *f) {
    rename_tag(f, "p");
}
static void spoil_no_relay(struct fields *f) {
    rename_tag(f, "relay");
}
static void spoil_two_e(struct fields *f) {
    fields_add(f, "e", "0202020202020202020202020202020202020202020202020202020202020202");
}
static void spoil_relay(struct fields *f) {
    set_tag(f, "relay", "http://x");
}
static void spoil_relay_quote(struct fields *f) {
    set_tag(f, "relay", "ws://x\"y");
}
static void spoil_relay_twice(struct fields *f) {
    fields_add(f, "relay", "wss://relay.example");
}
static void spoil_relays(struct fields *f) {
    fields_add(f, "relay", "ws://a");
    fields_add(f, "relay", "ws://b");
    fields_add(f, "relay", "ws://c");
}
static void spoil_past(struct fields *f) {
    set_tag(f, "expires", "1799999999");
}
static void spoil_future(struct fields *f) {
    set_tag(f, "expires", "1800086401");
}
static void spoil_number(struct fields *f) {
    set_tag(f, "expires", "+1800000100");
}
static void spoil_max(struct fields *f) {
    set_tag(f, "max", "9007199254740992");
}
static void spoil_param(struct fields *f) {
    fields_add(f, "param", "pace", "again");
}
static void spoil_param_key(struct fields *f) {
    fields_add(f, "param", "PATH=", "x");
}

static void bad_requests_are_refused(void **state) {
    void (*const spoils[])(struct fields *) = {
        spoil_kind,     spoil_content,   spoil_nonce,  spoil_nonce_case,  spoil_no_p,
        spoil_no_relay, spoil_two_e,     spoil_relay,  spoil_relay_quote, spoil_relay_twice,
        spoil_relays,   spoil_past,      spoil_future, spoil_number,      spoil_max,
        spoil_param,    spoil_param_key,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(spoils); i++)
        refuse(spoils[i]);
}

static void what_would_be_refused_is_not_made(void **state) {
    struct job_request q = request();
    struct err e;

    (void)state;
    q.expires = NOW + JOB_EXPIRES_MAX + 1;
    assert_null(job_request_make(&q, u, NOW, &e));
    assert_string_equal(e.code, "bad-request");
}

static void no_clock_no_time_limits(void **state) {
    struct rumor *r = spoiled(spoil_past);
    struct job_request got;

    (void)state;
    assert_int_equal(job_request_parse(r, -1, &got, NULL), 0);
    rumor_free(r);
}

static void feedback_round_trips(void **state) {
    struct job_feedback all[] = {
        {.status = JOB_PROCESSING, .phase = PHASE_ATTESTING, .has_guest = true, .guest = {5}},
        {.status = JOB_ERROR, .code = "no-capacity", .text = "All machines are taken."},
        {.status = JOB_PAYMENT_REQUIRED, .amount_msat = 21000, .invoice = "lnbc1..."},
        {.status = JOB_SUCCESS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++) {
        struct rumor *r = job_feedback_make(&all[i], u, keypair_pub(u), NOW);
        struct job_feedback got;

        assert_int_equal(job_feedback_parse(r, &got, NULL), 0);
        assert_memory_equal(&got, &all[i], sizeof got);
        rumor_free(r);
    }
}

static void feedback_text_is_sanitised(void **state) {
    struct job_feedback f = {.status = JOB_ERROR, .code = "x y", .text = "a\x1b[31mb"}, got;
    struct rumor *r = job_feedback_make(&f, u, keypair_pub(u), NOW);

    (void)state;
    assert_int_equal(job_feedback_parse(r, &got, NULL), 0);
    assert_string_equal(got.code, "error"); /* not a code */
    assert_null(strchr(got.text, 0x1b));
    rumor_free(r);
}

static void text_is_cut_at_a_code_point(void **state) {
    char out[8];

    (void)state;
    text_clip(out, sizeof out, "abcdef\xc3\xa9z"); /* e acute would be half in */
    assert_string_equal(out, "abcdef");
    text_clip(out, sizeof out, "short");
    assert_string_equal(out, "short");
}

static void numbers_have_one_spelling(void **state) {
    uint64_t v;

    (void)state;
    assert_true(decimal_parse("0", &v) && v == 0);
    assert_true(decimal_parse("9007199254740991", &v) && v == (uint64_t)JSON_INT_MAX);
    assert_false(decimal_parse("", &v));
    assert_false(decimal_parse("01", &v));
    assert_false(decimal_parse("-1", &v));
    assert_false(decimal_parse("1 ", &v));
    assert_false(decimal_parse("1e3", &v));
    assert_false(decimal_parse("9007199254740992", &v));
    assert_false(decimal_parse("18446744073709551617", &v));
}

static int open_key(void **state) {
    (void)state;
    u = keypair_new();
    return 0;
}
static int close_key(void **state) {
    (void)state;
    keypair_free(u);
    return 0;
}

static void parameters_as_they_are_typed(void **state) {
    static const char *const BAD[] = {"", "=", "=v", "key", "Key=v", "a b=v", "k\xc3\xa9=v"};
    struct job_param list[JOB_PARAMS_MAX];
    char text[700];
    struct err e;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(BAD); i++)
        assert_int_equal(job_param_put(BAD[i], list, &n, &e), -1);
    assert_int_equal(n, 0);
    assert_int_equal(job_param_put("system=a=b", list, &n, &e), 0);
    assert_int_equal(job_param_put("empty=", list, &n, &e), 0);
    assert_int_equal(job_param_put("system=c", list, &n, &e), 0); /* the last one counts */
    assert_int_equal(n, 2);
    assert_string_equal(list[0].value, "c");
    memset(text, 'v', sizeof text);
    memcpy(text, "k=", 2);
    text[2 + sizeof list->value] = 0;
    assert_int_equal(job_param_put(text, list, &n, &e), -1);
    assert_non_null(strstr(e.text, "more than 511 bytes"));
    text[2 + sizeof list->value - 1] = 0;
    assert_int_equal(job_param_put(text, list, &n, &e), 0);
    memset(text, 'k', sizeof list->key);
    memcpy(text + sizeof list->key, "=v", 3);
    assert_int_equal(job_param_put(text, list, &n, &e), -1);
    while (n < JOB_PARAMS_MAX) {
        snprintf(text, sizeof text, "p%zu=1", n);
        assert_int_equal(job_param_put(text, list, &n, &e), 0);
    }
    assert_int_equal(job_param_put("one.more=1", list, &n, &e), -1);
    assert_int_equal(job_param_put("p5=2", list, &n, &e), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_round_trips),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(what_would_be_refused_is_not_made),
        cmocka_unit_test(no_clock_no_time_limits),
        cmocka_unit_test(feedback_round_trips),
        cmocka_unit_test(feedback_text_is_sanitised),
        cmocka_unit_test(text_is_cut_at_a_code_point),
        cmocka_unit_test(numbers_have_one_spelling),
        cmocka_unit_test(parameters_as_they_are_typed),
    };
    return cmocka_run_group_tests(tests, open_key, close_key);
}
