#include "core/hello.c"
#include "tests/unit/gpu_made.h"

static cJSON *object(const struct buf *body) {
    cleanup_buf struct buf text = {0};

    buf_str(&text, "{");
    buf_add(&text, body->p, body->n);
    buf_str(&text, "}");
    return json_parse(buf_view(&text), 65536, NULL);
}

static void hello_survives_the_wire(void **state) {
    struct hello in = {0}, out;
    cleanup_buf struct buf body = {0};
    cJSON *o;

    (void)state;
    buf_str(&in.report, "not quite 1184 bytes");
    memset(in.echo_nonce, 7, 32);
    hello_body(&in, &body);
    o = object(&body);
    assert_int_equal(hello_parse(o, &out, NULL), 0);
    assert_true(view_is(buf_view(&out.report), "not quite 1184 bytes"));
    assert_true(out.has_echo);
    assert_memory_equal(out.echo_nonce, in.echo_nonce, 32);
    cJSON_Delete(o);
    hello_free(&in);
    hello_free(&out);
}

static void hello_without_a_report_is_refused(void **state) {
    static const char *const bad[] = {"{}", "{\"report\":1}", "{\"report\":\"###\"}",
                                      "{\"report\":\"AAAA\",\"echo\":{\"u\":\"00\"}}"};
    struct hello h;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        cJSON *o = json_parse(view_str(bad[i]), 65536, NULL);

        assert_int_equal(hello_parse(o, &h, &e), -1);
        assert_string_equal(e.code, "bad-message");
        hello_free(&h);
        cJSON_Delete(o);
    }
}

/* --- GPUs in it --- */

static void made_list(struct made_gpu *m, size_t n, struct buf *json) {
    const uint8_t nonce[32] = {1};
    struct gpu_evidence ev[GPUS_MAX];
    struct jw w = jw_new(json);

    for (size_t i = 0; i < n; i++) {
        made_init(&m[i], (uint8_t)(n - i)); /* the last one first in the protocol's order */
        pki_make(&m[i].pki);
        made_report(&m[i], nonce);
        ev[i] = m[i].ev;
    }
    gpu_list_write(ev, n, nonce, &w);
}

static void round_trip(struct view gpu, struct hello *out) {
    struct hello in = {.gpu_json = gpu};
    cleanup_buf struct buf body = {0};
    cJSON *o;

    buf_str(&in.report, "r");
    hello_body(&in, &body);
    o = object(&body);
    assert_int_equal(hello_parse(o, out, NULL), 0);
    cJSON_Delete(o);
    hello_free(&in);
}

static void gpus_come_in_the_order_that_is_bound(void **state) {
    cleanup_buf struct buf json = {0};
    struct made_gpu m[2];
    struct hello h;

    (void)state;
    made_list(m, 2, &json);
    assert_true(json.n < HELLO_GPU_MAX);
    round_trip(buf_view(&json), &h);
    assert_string_equal(h.gpu_error.code, "");
    assert_int_equal(h.n_gpu, 2);
    assert_true(view_eq(h.gpu[0].report, m[1].ev.report));
    assert_true(view_eq(h.gpu[1].report, m[0].ev.report));
    assert_memory_equal(h.gpu[0].state, m[1].ev.state, 4);
    hello_free(&h);
    round_trip((struct view){0}, &h);
    assert_int_equal(h.n_gpu, 0);
    assert_false(h.gpu_follows);
    assert_string_equal(h.gpu_error.code, "");
    hello_free(&h);
    made_free(&m[0]);
    made_free(&m[1]);
}

static void a_long_list_follows_as_a_file(void **state) {
    cleanup_buf struct buf json = {0};
    struct made_gpu m[8];
    struct hello h;

    (void)state;
    made_list(m, COUNT(m), &json);
    assert_true(json.n > HELLO_GPU_MAX);
    round_trip(buf_view(&json), &h);
    assert_true(h.gpu_follows);
    assert_int_equal(h.gpu_size, json.n);
    assert_int_equal(h.n_gpu, 0);
    assert_string_equal(h.gpu_error.code, "gpu-missing");
    hello_gpu_file(&h, buf_view(&json));
    assert_string_equal(h.gpu_error.code, "");
    assert_int_equal(h.n_gpu, COUNT(m));
    json.p[json.n / 2] ^= 1;
    hello_gpu_file(&h, buf_view(&json));
    assert_int_equal(h.n_gpu, 0);
    assert_non_null(strstr(h.gpu_error.text, "not the one announced"));
    hello_free(&h);
    for (size_t i = 0; i < COUNT(m); i++)
        made_free(&m[i]);
}

static void gpus_that_cannot_be_read_are_said(void **state) {
    static const char *const bad[] = {"[{}]", "{}", "{\"size\":1}", "7"};
    cleanup_buf struct buf json = {0};
    struct hello h;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        round_trip(view_str(bad[i]), &h);
        assert_true(h.gpu_error.code[0] && h.n_gpu == 0 && !h.gpu_follows);
        assert_true(view_is(buf_view(&h.report), "r"));
        hello_free(&h);
    }
    buf_fmt(&json, "[{\"arch\":\"HOPPER\",\"evidence\":\"\",\"certificate\":\"\"}]");
    round_trip(buf_view(&json), &h);
    assert_non_null(strstr(h.gpu_error.text, "'state' is missing"));
    hello_free(&h);
}

static void accept_survives_the_wire(void **state) {
    struct accept in = {.now = 1760000000, .max_minutes = 60}, out;
    cleanup_buf struct buf body = {0};
    cJSON *o;

    (void)state;
    memset(in.hello, 9, 32);
    accept_body(&in, &body);
    o = object(&body);
    assert_int_equal(accept_parse(o, &out, NULL), 0);
    assert_memory_equal(out.hello, in.hello, 32);
    assert_int_equal(out.max_minutes, 60);
    cJSON_Delete(o);
}

static void accept_has_a_limit(void **state) {
    struct accept in = {.now = 1, .max_minutes = ACCEPT_MINUTES_MAX + 1}, out;
    cleanup_buf struct buf body = {0};
    cJSON *o;

    (void)state;
    accept_body(&in, &body);
    o = object(&body);
    assert_int_equal(accept_parse(o, &out, NULL), -1);
    cJSON_Delete(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_survives_the_wire),
        cmocka_unit_test(hello_without_a_report_is_refused),
        cmocka_unit_test(gpus_come_in_the_order_that_is_bound),
        cmocka_unit_test(a_long_list_follows_as_a_file),
        cmocka_unit_test(gpus_that_cannot_be_read_are_said),
        cmocka_unit_test(accept_survives_the_wire),
        cmocka_unit_test(accept_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
