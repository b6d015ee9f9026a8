#include "core/hello.c"
#include "tests/unit/unit.h"

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
        cmocka_unit_test(accept_survives_the_wire),
        cmocka_unit_test(accept_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
