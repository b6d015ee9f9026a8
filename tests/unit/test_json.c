#include "core/json.c"
#include "tests/unit/unit.h"

#define MAX 65536

static bool taken(const char *text, size_t n, struct err *e) {
    cJSON *v = json_parse(view_of(text, n), MAX, e);
    bool ok = v != NULL;

    cJSON_Delete(v);
    return ok;
}

static void takes_plain_json(void **state) {
    static const char *const good[] = {
        "{}",
        "[]",
        " \t\r\n[ 1 , -2 , 0 ] \n",
        "\"\"",
        "true",
        "false",
        "null",
        "9007199254740991",
        "-9007199254740991",
        "{\"a\":{\"b\":[{}]}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\uD83D\\ude00\"",
        "\"\xc2\xa0\xe2\x80\xa8\xf0\x9f\x98\x80\x7f\"",
        "{\"a\":1,\"A\":2,\"\":3}",
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!taken(good[i], strlen(good[i]), &e))
            fail_msg("%s: %s", good[i], e.text);
}

static void refuses_what_is_not_json(void **state) {
    static const char *const wrong[] = {
        "",        " ",         "{",
        "[",       "\"",        "{]",
        "[1,]",    "[,1]",      "{\"a\":1,}",
        "{,}",     "{\"a\"}",   "{\"a\":}",
        "{a:1}",   "{'a':1}",   "[1 2]",
        "tru",     "nul",       "True",
        "NaN",     "Infinity",  "[1]x",
        "{}{}",    "[1]\v",     "01",
        "-01",     "+1",        "-",
        "--1",     "0x1",       "1a",
        ".5",      "1.",        "/**/1",
        "\"\\x\"", "\"\\u12\"", "\"\\u00g0\"",
        "\"\t\"",  "\"\n\"",    "\"\x01\"",
        "\"\\",    "\"\\u",     "[\"a\" \"b\"]",
        "{1:2}",   "{\"a\"1}",  "\xef\xbb\xbf{}",
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (taken(wrong[i], strlen(wrong[i]), &e))
            fail_msg("taken: %s", wrong[i]);
        assert_string_equal(e.code, "bad-json");
    }
}

static void refuses_what_cjson_would_bend(void **state) {
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"{\"a\":1,\"a\":2}", "appears twice"},
        {"{\"x\":{\"b\":1,\"c\":2,\"b\":1}}", "'b' appears twice"},
        {"[[{\"\\u0061\":1,\"a\":1}]]", "'a' appears twice"},
        {"\"a\\u0000b\"", "\\u0000"},
        {"{\"a\\u0000b\":1}", "\\u0000"},
        {"\"\\ud800\"", "high surrogate"},
        {"\"\\ud800\\u0041\"", "high surrogate"},
        {"\"\\udc00\"", "low surrogate"},
        {"\"\xff\"", "UTF-8"},
        {"\"\xc0\x80\"", "UTF-8"},
        {"\"\xed\xa0\x80\"", "UTF-8"},
        {"1.0", "whole numbers"},
        {"1e3", "whole numbers"},
        {"9007199254740992", "2^53"},
        {"-9007199254740992", "2^53"},
        {"99999999999999999999", "out of range"},
        {"-0", "starts with 0"},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (taken(wrong[i].text, strlen(wrong[i].text), &e))
            fail_msg("taken: %s", wrong[i].text);
        if (!strstr(e.text, wrong[i].says))
            fail_msg("%s: %s", wrong[i].text, e.text);
    }
    assert_false(taken(NULL, 0, &e));
    assert_false(taken("\"a\0b\"", 5, &e));
    assert_false(taken("[]\0", 3, &e));
}

static char *nested(size_t depth) {
    struct buf b = {0};

    for (size_t i = 0; i < depth; i++)
        buf_str(&b, i % 2 ? "{\"k\":" : "[");
    buf_str(&b, "0");
    for (size_t i = depth; i-- > 0;)
        buf_str(&b, i % 2 ? "}" : "]");
    return buf_take(&b);
}

static void depth_is_bounded(void **state) {
    cleanup_free char *just = nested(JSON_DEPTH), *over = nested(JSON_DEPTH + 1);
    cleanup_free char *far = nested(20000);
    struct err e;

    (void)state;
    assert_true(taken(just, strlen(just), &e));
    assert_false(taken(over, strlen(over), &e));
    assert_non_null(strstr(e.text, "too deep"));
    assert_false(taken(far, MAX, &e));
}

static void size_is_bounded(void **state) {
    cleanup_free char *big = mem_new(MAX + 2);
    struct err e;

    (void)state;
    memset(big, ' ', MAX + 1);
    big[0] = '1';
    assert_true(taken(big, MAX, &e));
    assert_false(taken(big, MAX + 1, &e));
    assert_string_equal(e.code, "too-large");
}

static void many_keys_are_compared_fast(void **state) {
    cleanup_buf struct buf b = {0};
    cJSON *v;
    struct err e;

    (void)state;
    buf_str(&b, "{");
    for (int i = 0; i < 200000; i++)
        buf_fmt(&b, "\"%d\":0,", i * 7919 % 200000);
    buf_str(&b, "\"x\":0}");
    v = json_parse(buf_view(&b), b.n, &e);
    assert_non_null(v);
    cJSON_Delete(v);
    memcpy(b.p + b.n - 5, "7", 1); /* "x" is now one that stands before */
    assert_null(json_parse(buf_view(&b), b.n, &e));
    assert_non_null(strstr(e.text, "'7' appears twice"));
}

static void hostile_keys_are_quoted_safely(void **state) {
    static const char text[] = "{\"\\u001b[31m\xe2\x80\xae\":1,\"\\u001b[31m\xe2\x80\xae\":2}";
    struct err e;

    (void)state;
    assert_false(taken(text, sizeof text - 1, &e));
    assert_null(strchr(e.text, 0x1b));
    assert_null(strstr(e.text, "\xe2\x80\xae"));
}

static void getters_name_the_key(void **state) {
    static const char text[] = "{\"s\":\"x\",\"n\":7,\"m\":-1,\"b\":true,\"h\":\"00ff\",\"a\":[],"
                               "\"o\":{},\"z\":null}";
    cJSON *v = json_parse(view_str(text), MAX, NULL);
    uint8_t h[2];
    uint64_t n;
    struct err e;
    bool b;

    (void)state;
    assert_non_null(v);
    assert_string_equal(json_str(v, "s", &e), "x");
    assert_true(json_u64(v, "n", &n, &e) && n == 7);
    assert_true(json_bool(v, "b", &b, &e) && b);
    assert_true(json_hex(v, "h", h, 2, &e) && h[1] == 0xff);
    assert_non_null(json_arr(v, "a", &e));
    assert_non_null(json_obj(v, "o", &e));
    assert_string_equal(json_opt(v, "s"), "x");
    assert_null(json_opt(v, "n"));
    assert_null(json_opt(v, "absent"));

    assert_false(json_u64(v, "m", &n, &e));
    assert_int_equal(n, 0);
    assert_string_equal(e.text, "'m' must be a whole number, not negative");
    assert_null(json_str(v, "z", &e));
    assert_string_equal(e.text, "'z' must be a string");
    assert_null(json_str(v, "absent", &e));
    assert_string_equal(e.text, "'absent' is missing");
    assert_false(json_hex(v, "h", h, 1, &e));
    assert_int_equal(h[0], 0);
    assert_false(json_bool(v, "n", &b, &e));
    assert_null(json_arr(v, "o", &e));
    assert_null(json_obj(v, "a", &e));
    assert_false(json_u64(v, "S", &n, &e)); /* keys are case sensitive */
    assert_null(json_str(NULL, "s", &e));
    cJSON_Delete(v);
}

static void fractions_where_they_are_asked_for(void **state) {
    static const char *const good[] = {"0.7",  "-0",  "1e9",     "-1.5E-3",
                                       "1e+2", "0.0", "123e400", "12345678901234567890"};
    static const char *const wrong[] = {"01", ".5", "1.", "1e", "1e+", "-", "+1", "0x1", "1.5.2"};
    struct err e;
    uint64_t n;
    cJSON *o;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        o = json_parse_fractions(view_str(good[i]), 100, &e);
        if (!o)
            fail_msg("%s: %s", good[i], e.text);
        cJSON_Delete(o);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        if ((o = json_parse_fractions(view_str(wrong[i]), 100, &e)))
            fail_msg("%s passes", wrong[i]);
    o = json_parse_fractions(view_str("{\"a\":7,\"b\":7.5}"), 100, &e);
    assert_true(json_u64(o, "a", &n, &e) && n == 7);
    assert_false(json_u64(o, "b", &n, &e));
    cJSON_Delete(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_plain_json),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(fractions_where_they_are_asked_for),
        cmocka_unit_test(refuses_what_cjson_would_bend),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(many_keys_are_compared_fast),
        cmocka_unit_test(hostile_keys_are_quoted_safely),
        cmocka_unit_test(getters_name_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
