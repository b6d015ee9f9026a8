#include "core/introduction.c"
#include "tests/unit/unit.h"

#define NOW INT64_C(1800000000)

static struct keypair *u, *known;

static struct job_request request(void) {
    struct job_request q = {.kind = KIND_JOB_TOOL, .expires = NOW + 3600};

    memset(q.provider, 1, 32);
    memset(q.offer, 2, 32);
    memset(q.nonce, 3, 32);
    memcpy(q.customer, keypair_pub(u), 32);
    memcpy(q.relays[q.n_relays++], "ws://127.0.0.1:7777", 20);
    return q;
}

static struct event *signed_at(const struct job_request *q, int64_t at) {
    struct fields f = introduction_draft(q, at);

    return event_sign(&f, known);
}

static void introduced(struct job_request *q, int64_t at) {
    struct event *ev = signed_at(q, at);

    assert_int_equal(introduction_put(ev, q, NULL), 0);
    event_free(ev);
}

static void it_travels_in_the_request(void **state) {
    struct job_request q = request(), got;
    uint8_t who[32];
    struct rumor *r;

    (void)state;
    introduced(&q, NOW);
    r = job_request_make(&q, u, NOW, NULL);
    assert_non_null(r);
    assert_int_equal(job_request_parse(r, NOW, &got, NULL), 0);
    assert_int_equal(introduction_of(&got, r->f.created_at, who, NULL), 1);
    assert_memory_equal(who, keypair_pub(known), 32);
    rumor_free(r);
}

static void without_one_nobody_is_known(void **state) {
    struct job_request q = request();
    uint8_t who[32];

    (void)state;
    assert_int_equal(introduction_of(&q, NOW, who, NULL), 0);
}

static void assert_refused(const struct job_request *q, int64_t dated) {
    uint8_t who[32];
    struct err e;

    assert_int_equal(introduction_of(q, dated, who, &e), -1);
    assert_string_equal(e.code, "bad-request");
}

/* Whatever it is bound to, changed by one bit, makes it somebody else's. */
static void it_serves_for_nothing_else(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(named); i++) {
        struct job_request q = request();

        introduced(&q, NOW);
        ((uint8_t *)&q)[named[i].at + 31] ^= 1;
        assert_refused(&q, NOW);
    }
}

static void its_date_is_the_requests(void **state) {
    struct job_request q = request();

    (void)state;
    introduced(&q, NOW);
    assert_refused(&q, NOW + INTRODUCTION_WINDOW + 1);
    assert_refused(&q, NOW - INTRODUCTION_WINDOW - 1);
}

static void what_is_no_introduction_is_refused(void **state) {
    struct job_request q = request();
    struct event *ev;
    struct fields f;
    char *sig;

    (void)state;
    introduced(&q, NOW);
    sig = strstr(q.introduction, "\"sig\":\"");
    assert_non_null(sig);
    sig[8] = sig[8] == '0' ? '1' : '0';
    assert_refused(&q, NOW);
    snprintf(q.introduction, sizeof q.introduction, "{}");
    assert_refused(&q, NOW);
    f = introduction_draft(&q, NOW);
    fields_add(&f, "x", "y");
    ev = event_sign(&f, known);
    assert_int_equal(introduction_put(ev, &q, NULL), 0);
    assert_refused(&q, NOW);
    event_free(ev);
    f = introduction_draft(&q, NOW);
    f.kind = 1;
    ev = event_sign(&f, known);
    assert_int_equal(introduction_put(ev, &q, NULL), 0);
    assert_refused(&q, NOW);
    event_free(ev);
}

static void one_is_enough(void **state) {
    struct job_request q = request(), got;
    struct fields f;
    struct rumor *r;
    struct err e;

    (void)state;
    introduced(&q, NOW);
    r = job_request_make(&q, u, NOW, NULL);
    f = r->f;
    r->f = (struct fields){0};
    rumor_free(r);
    fields_add(&f, "introduction", q.introduction);
    r = rumor_make(&f, keypair_pub(u));
    assert_int_equal(job_request_parse(r, NOW, &got, &e), -1);
    assert_string_equal(e.code, "bad-request");
    rumor_free(r);
}

static int start(void **state) {
    (void)state;
    u = keypair_new();
    known = keypair_new();
    return 0;
}

static int stop(void **state) {
    (void)state;
    keypair_free(u);
    keypair_free(known);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_travels_in_the_request),
        cmocka_unit_test(without_one_nobody_is_known),
        cmocka_unit_test(it_serves_for_nothing_else),
        cmocka_unit_test(its_date_is_the_requests),
        cmocka_unit_test(what_is_no_introduction_is_refused),
        cmocka_unit_test(one_is_enough),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
