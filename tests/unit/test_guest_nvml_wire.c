/* What agent and NVML child say to each other, byte by byte: the child is hostile. */
#include "guest/nvml_wire.c"
#include "tests/unit/unit.h"

static const struct nvml_settings settings = {.environment = 2, .cc_feature = 1, .multi_gpu = 1};

static void frame(struct buf *out, enum nvml_op op, enum nvml_outcome o, const struct buf *body) {
    uint8_t head[NVML_HEAD];

    nvml_head(head, op, o, body->n);
    buf_add(out, head, sizeof head);
    buf_add(out, body->p, body->n);
}

static void good_evidence(struct buf *out) {
    cleanup_buf struct buf body = {0};

    nvml_put_facts(&body, &settings, 2, false);
    nvml_put_gpu(&body, NVML_ARCH_HOPPER, view_str("report one"), view_str("chain one"));
    nvml_put_gpu(&body, NVML_ARCH_BLACKWELL, view_str("report two"), view_str("chain two"));
    frame(out, NVML_EVIDENCE, NVML_DONE, &body);
}

static void an_answer_reads_back(void **state) {
    cleanup_buf struct buf b = {0};
    struct nvml_answer a;
    struct err e = {0};
    size_t n = 0;

    (void)state;
    good_evidence(&b);
    assert_int_equal(nvml_answer_whole(buf_view(&b), &n, &e), 1);
    assert_int_equal(n, b.n);
    assert_int_equal(nvml_answer_parse(buf_view(&b), NVML_EVIDENCE, &a, &e), 0);
    assert_memory_equal(a.facts.state, "\1\0\2\1", 4);
    assert_int_equal(a.facts.count, 2);
    assert_false(a.facts.ready);
    assert_int_equal(a.gpu[1].arch, NVML_ARCH_BLACKWELL);
    assert_true(view_is(a.gpu[0].report, "report one") && view_is(a.gpu[1].chain, "chain two"));
}

/* Cut anywhere it is not whole; whole and cut inside, it is refused. */
static void every_cut_is_noticed(void **state) {
    cleanup_buf struct buf b = {0};
    struct nvml_answer a;
    size_t n;

    (void)state;
    good_evidence(&b);
    for (size_t i = 0; i < b.n; i++) {
        assert_int_equal(nvml_answer_whole(view_of(b.p, i), &n, NULL), 0);
        assert_int_equal(nvml_answer_parse(view_of(b.p, i), NVML_EVIDENCE, &a, NULL), -1);
    }
    buf_u8(&b, 0);
    assert_int_equal(nvml_answer_parse(buf_view(&b), NVML_EVIDENCE, &a, NULL), -1);
}

static void lengths_that_none_can_have(void **state) {
    static const uint8_t bad[][4] = {
        {0, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 4, 0}, {255, 255, 255, 255}};
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err e = {0};

        assert_int_equal(nvml_answer_whole(view_of(bad[i], 4), &n, &e), -1);
        assert_string_equal(e.code, "bad-nvml");
    }
}

static void must_refuse(const struct buf *body, enum nvml_op asked, enum nvml_op said,
                        enum nvml_outcome o, const char *about) {
    cleanup_buf struct buf b = {0};
    struct nvml_answer a;
    struct err e = {0};

    frame(&b, said, o, body);
    assert_int_equal(nvml_answer_parse(buf_view(&b), asked, &a, &e), -1);
    assert_string_equal(e.code, "bad-nvml");
    if (!strstr(e.text, about))
        fail_msg("'%s' does not say %s", e.text, about);
}

static void values_that_cannot_be(void **state) {
    static const struct {
        size_t at;
        uint32_t value;
    } rows[] = {{0, 256}, {4, 256}, {8, 0x80000000}, {12, 0xffffffff}, {16, GPUS_MAX + 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf body = {0};

        nvml_put_facts(&body, &settings, 1, false);
        put_u32(body.p + rows[i].at, rows[i].value);
        must_refuse(&body, NVML_FACTS, NVML_FACTS, NVML_DONE, "no facts that can be");
    }
}

static void reports_and_chains_that_cannot_be(void **state) {
    static uint8_t large[NVML_REPORT_MAX + 1];
    const struct {
        size_t report, chain;
    } rows[] = {{0, 9}, {9, 0}, {NVML_REPORT_MAX + 1, 9}, {9, NVML_ATTESTATION_CHAIN_MAX + 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf body = {0};

        nvml_put_facts(&body, &settings, 1, false);
        nvml_put_gpu(&body, NVML_ARCH_HOPPER, view_of(large, rows[i].report),
                     view_of(large, rows[i].chain));
        must_refuse(&body, NVML_EVIDENCE, NVML_EVIDENCE, NVML_DONE, "no report and chain");
    }
}

static void answers_to_nothing_that_was_asked(void **state) {
    cleanup_buf struct buf facts = {0}, failure = {0}, unknown = {0};

    (void)state;
    nvml_put_facts(&facts, &settings, 1, true);
    must_refuse(&facts, NVML_READY, NVML_FACTS, NVML_DONE, "to another question");
    must_refuse(&facts, NVML_READY, NVML_READY, (enum nvml_outcome)3, "no facts");
    must_refuse(&facts, NVML_READY, NVML_READY, NVML_REFUSED, "a failure that there cannot be");
    nvml_put_refused(&failure, NVML_CALL_INIT, 9);
    must_refuse(&failure, NVML_READY, NVML_READY, NVML_TIMED_OUT, "a failure that there cannot be");
    nvml_put_refused(&unknown, NVML_CALLS, 9);
    must_refuse(&unknown, NVML_READY, NVML_READY, NVML_REFUSED, "a failure that there cannot be");
}

static void every_call_has_a_name(void **state) {
    (void)state;
    for (int c = 0; c < NVML_CALLS; c++)
        assert_non_null(nvml_call_name((enum nvml_call)c));
}

static void questions_read_back(void **state) {
    static const uint8_t nonce[NVML_NONCE] = {7};
    cleanup_buf struct buf b = {0};
    struct nvml_ask ask;
    size_t n;

    (void)state;
    nvml_ask_put(&b, NVML_EVIDENCE, view_of(nonce, sizeof nonce));
    for (size_t i = 0; i < b.n; i++)
        assert_int_equal(nvml_ask_take(view_of(b.p, i), &ask, &n), 0);
    assert_int_equal(nvml_ask_take(buf_view(&b), &ask, &n), 1);
    assert_int_equal(n, b.n);
    assert_memory_equal(ask.payload.p, nonce, sizeof nonce);
    b.p[4] = NVML_READY; /* whose payload is another */
    assert_int_equal(nvml_ask_take(buf_view(&b), &ask, &n), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_reads_back),
        cmocka_unit_test(every_cut_is_noticed),
        cmocka_unit_test(lengths_that_none_can_have),
        cmocka_unit_test(values_that_cannot_be),
        cmocka_unit_test(reports_and_chains_that_cannot_be),
        cmocka_unit_test(answers_to_nothing_that_was_asked),
        cmocka_unit_test(every_call_has_a_name),
        cmocka_unit_test(questions_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
