#include "guest/request.c"
#include "tests/unit/unit.h"
#include "tests/unit/guest_job.h"

static int parse(const struct buf *frame, struct job_request *q, struct err *e) {
    int64_t time;

    return request_parse(buf_view(frame), q, &time, e);
}

static void what_matters_comes_from_the_rumor(void **state) {
    cleanup_buf struct buf frame = {0};
    struct made_job m;
    struct job_request q;
    struct err e = {0};

    (void)state;
    job_make(&m);
    job_frame(&m, NULL, &frame);
    if (parse(&frame, &q, &e))
        fail_msg("%s", e.text);
    assert_memory_equal(q.id, m.rumor->f.id, 32);
    assert_memory_equal(q.customer, keypair_pub(m.u), 32);
    assert_memory_equal(q.nonce, m.q.nonce, 32);
    job_drop(&m);
}

/* Each byte of the rumor is covered by its id, or breaks the form. */
static void a_changed_byte_is_refused(void **state) {
    cleanup_buf struct buf frame = {0};
    struct made_job m;
    struct job_request q;

    (void)state;
    job_make(&m);
    job_frame(&m, NULL, &frame);
    for (size_t i = 0; i < frame.n; i++) {
        const char *time = strstr((char *)frame.p, "\"time\"");
        struct err e = {0};

        if (time && (size_t)(time - (char *)frame.p) <= i)
            break; /* the host's clock is the host's */
        frame.p[i] ^= 1;
        if (parse(&frame, &q, &e) != -1)
            fail_msg("byte %zu may be changed: %.40s", i, (char *)frame.p + i);
        frame.p[i] ^= 1;
    }
    job_drop(&m);
}

static void other_relays_are_refused(void **state) {
    static const char *const bad[] = {
        "[]",
        "[\"wss://one.example\"]",
        "[\"wss://two.example\",\"wss://one.example\"]",
        "[\"wss://one.example\",\"wss://two.example\",\"wss://three.example\"]",
        "[\"wss://one.example\",2]",
        "{}",
    };
    struct made_job m;
    struct job_request q;

    (void)state;
    job_make(&m);
    for (size_t i = 0; i < COUNT(bad); i++) {
        cleanup_buf struct buf frame = {0};
        struct err e = {0};

        job_frame(&m, bad[i], &frame);
        if (parse(&frame, &q, &e) != -1)
            fail_msg("accepted: %s", bad[i]);
    }
    job_drop(&m);
}

static void other_fields_are_refused(void **state) {
    cleanup_buf struct buf frame = {0};
    struct made_job m;
    struct job_request q;
    struct err e = {0};

    (void)state;
    job_make(&m);
    job_frame(&m, NULL, &frame);
    frame.n--; /* the brace */
    buf_str(&frame, ",\"debug\":true}");
    assert_int_equal(parse(&frame, &q, &e), -1);
    job_drop(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_matters_comes_from_the_rumor),
        cmocka_unit_test(a_changed_byte_is_refused),
        cmocka_unit_test(other_relays_are_refused),
        cmocka_unit_test(other_fields_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
