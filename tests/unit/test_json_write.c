#include "core/json_write.c"
#include "tests/unit/unit.h"

static void assert_text(const struct buf *b, const char *want) {
    if (!view_is(buf_view(b), want))
        fail_msg("got  %s\nwant %s", b->p ? (char *)b->p : "", want);
}

static void writes_commas_where_they_belong(void **state) {
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    (void)state;
    jw_obj(&w);
    jw_kstr(&w, "s", "x");
    jw_kint(&w, "n", -5);
    jw_kbool(&w, "t", true);
    jw_khex(&w, "h", view_of("\x01\xff", 2));
    jw_kb64(&w, "b", view_str("foob"));
    jw_key(&w, "a");
    jw_arr(&w);
    jw_null(&w);
    jw_obj(&w);
    jw_end_obj(&w);
    jw_arr(&w);
    jw_bool(&w, false);
    jw_end_arr(&w);
    jw_raw(&w, view_str("{\"r\":0}"));
    jw_end_arr(&w);
    jw_kint(&w, "max", INT64_MAX);
    jw_end_obj(&w);
    assert_text(&b, "{\"s\":\"x\",\"n\":-5,\"t\":true,\"h\":\"01ff\",\"b\":\"Zm9vYg==\","
                    "\"a\":[null,{},[false],{\"r\":0}],\"max\":9223372036854775807}");
}

static void escapes_as_nip01_says(void **state) {
    static const char in[] = "\x01\b\t\n\v\f\r\x1f\"\\/\x7f\xe2\x80\xa8z";
    cleanup_buf struct buf b = {0};

    (void)state;
    json_escape(view_of(in, sizeof in - 1), &b);
    assert_text(&b, "\"\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\x7f\xe2\x80\xa8z\"");
    buf_reset(&b);
    json_escape(view_of("\0", 1), &b);
    assert_text(&b, "\"\\u0000\"");
    buf_reset(&b);
    json_escape(view_of(NULL, 0), &b);
    assert_text(&b, "\"\"");
}

static void a_tree_comes_out_as_it_went_in(void **state) {
    static const char text[] =
        "{\"b\":[1,-2,9007199254740991,\"\\u0001\",true,null,[],{}],\"a\":{}}";
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);
    cJSON *v = json_parse(view_str(text), 1000, NULL);

    (void)state;
    jw_json(&w, v);
    assert_text(&b, text);
    cJSON_Delete(v);
}

static void too_deep_is_marked_incomplete(void **state) {
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    (void)state;
    for (int i = 0; i < JSON_DEPTH; i++)
        jw_arr(&w);
    assert_false(b.full);
    jw_arr(&w);
    assert_true(b.full);
    for (int i = 0; i < 2 * JSON_DEPTH; i++)
        jw_end_arr(&w);
}

static void canonical_sorts_and_compacts(void **state) {
    cleanup_buf struct buf b = {0};
    cJSON *v = json_parse(view_str(" {\"b\": 1, \"a\": {\"z\": [3, \"\\u0041\\/\"], \"B\": true}, "
                                   "\"aa\": \"\\u0007\\u007f\"} "),
                          1000, NULL);

    (void)state;
    assert_int_equal(json_canonical(v, &b, NULL), 0);
    assert_text(&b, "{\"a\":{\"B\":true,\"z\":[3,\"A/\"]},\"aa\":\"\\u0007\x7f\",\"b\":1}");
    cJSON_Delete(v);
}

static void canonical_refuses_what_it_cannot_order(void **state) {
    static const char *const wrong[] = {"{\"\xc3\xa4\":1}", "[\"\xc3\xa4\"]",
                                        "{\"a\":[{\"b\":\"\xe2\x82\xac\"}]}"};

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        cleanup_buf struct buf b = {0};
        cJSON *v = json_parse(view_str(wrong[i]), 1000, NULL);
        struct err e;

        assert_non_null(v);
        assert_int_equal(json_canonical(v, &b, &e), -1);
        assert_string_equal(e.code, "bad-json");
        cJSON_Delete(v);
    }
}

static void canonical_that_does_not_fit_is_an_error(void **state) {
    cleanup_buf struct buf b = {.max = 4};
    cJSON *v = json_parse(view_str("[1,2,3]"), 1000, NULL);
    struct err e;

    (void)state;
    assert_int_equal(json_canonical(v, &b, &e), -1);
    assert_string_equal(e.code, "too-large");
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_commas_where_they_belong),
        cmocka_unit_test(escapes_as_nip01_says),
        cmocka_unit_test(a_tree_comes_out_as_it_went_in),
        cmocka_unit_test(too_deep_is_marked_incomplete),
        cmocka_unit_test(canonical_sorts_and_compacts),
        cmocka_unit_test(canonical_refuses_what_it_cannot_order),
        cmocka_unit_test(canonical_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
