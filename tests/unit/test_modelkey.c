#include "core/modelkey.c"
#include "tests/unit/unit.h"

static cJSON *object(const char *text) {
    return json_parse(view_str(text), 65536, NULL);
}

static cJSON *of_body(const struct buf *body) {
    cleanup_free char *text = mem_fmt("{%.*s}", (int)body->n, (const char *)body->p);

    return object(text);
}

static void ask_and_nonce_survive_the_wire(void **state) {
    cleanup_buf struct buf ask = {0}, nonce = {0};
    uint8_t in[32], out[32];
    cJSON *o;

    (void)state;
    memset(in, 7, sizeof in);
    key_ask_body(in, &ask);
    o = of_body(&ask);
    assert_int_equal(key_ask_parse(o, out, NULL), 0);
    assert_memory_equal(in, out, 32);
    cJSON_Delete(o);
    key_nonce_body(in, &nonce);
    o = of_body(&nonce);
    assert_int_equal(key_nonce_parse(o, out, NULL), 0);
    assert_memory_equal(in, out, 32);
    assert_int_equal(key_ask_parse(o, out, NULL), -1);
    cJSON_Delete(o);
}

static void evidence_survives_the_wire(void **state) {
    struct key_evidence in = {.work = {.blocks = 77}}, out;
    cleanup_buf struct buf body = {0};
    cJSON *o;

    (void)state;
    buf_str(&in.report, "as long as it likes");
    memset(in.nonce, 3, 32);
    memset(in.work.root, 4, 32);
    key_evidence_body(&in, &body);
    o = of_body(&body);
    assert_int_equal(key_evidence_parse(o, &out, NULL), 0);
    assert_true(view_is(buf_view(&out.report), "as long as it likes"));
    assert_memory_equal(out.nonce, in.nonce, 32);
    assert_memory_equal(out.work.root, in.work.root, 32);
    assert_int_equal(out.work.blocks, 77);
    cJSON_Delete(o);
    key_evidence_free(&in);
    key_evidence_free(&out);
}

#define HEX "0000000000000000000000000000000000000000000000000000000000000000"
static void malformed_evidence_is_refused(void **state) {
    static const struct {
        const char *text, *code;
    } rows[] = {
        {"{}", "bad-message"},
        {"{\"report\":\"AAAA\"}", "bad-message"},
        {"{\"report\":\"###\",\"gpu\":[],\"n\":\"" HEX "\",\"work\":\"" HEX ":1\"}", "bad-message"},
        {"{\"report\":\"AAAA\",\"gpu\":[],\"n\":\"00\",\"work\":\"" HEX ":1\"}", "bad-message"},
        {"{\"report\":\"AAAA\",\"gpu\":[],\"n\":\"" HEX "\",\"work\":\"none\"}", "bad-message"},
        {"{\"report\":\"AAAA\",\"gpu\":[],\"n\":\"" HEX "\",\"work\":\"" HEX ":01\"}",
         "bad-message"},
        {"{\"report\":\"AAAA\",\"n\":\"" HEX "\",\"work\":\"" HEX ":1\"}", "bad-message"},
        {"{\"report\":\"AAAA\",\"gpu\":[{}],\"n\":\"" HEX "\",\"work\":\"" HEX ":1\"}",
         "bad-gpu-list"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct key_evidence out;
        struct err e;
        cJSON *o = object(rows[i].text);

        assert_non_null(o);
        assert_int_equal(key_evidence_parse(o, &out, &e), -1);
        assert_string_equal(e.code, rows[i].code);
        key_evidence_free(&out);
        cJSON_Delete(o);
    }
}

static void a_key_has_64_bytes(void **state) {
    struct secret *in = secret_random(MODELKEY_LEN), *out;
    cleanup_buf struct buf body = {0};
    struct err e;
    cJSON *o;

    (void)state;
    key_body(in, &body);
    o = of_body(&body);
    out = key_parse(o, NULL);
    assert_non_null(out);
    assert_true(secret_eq(secret_get(in), secret_get(out), MODELKEY_LEN));
    cJSON_Delete(o);
    secret_free(in);
    secret_free(out);
    o = object("{\"key\":\"AAAA\"}");
    assert_null(key_parse(o, &e));
    assert_string_equal(e.code, "bad-message");
    cJSON_Delete(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ask_and_nonce_survive_the_wire),
        cmocka_unit_test(evidence_survives_the_wire),
        cmocka_unit_test(malformed_evidence_is_refused),
        cmocka_unit_test(a_key_has_64_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
