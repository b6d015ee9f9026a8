#include "core/enc.c"
#include "tests/unit/unit.h"

static void hex_is_lower_case_and_exact(void **state) {
    static const char *const wrong[] = {"0G", "0g",   "AB",  "a",   "abc",
                                        "",   "abcd", " ab", "a\n", "0x"};
    uint8_t b[1];
    char s[9];

    (void)state;
    hex_encode(view_of("\x00\x7f\xab\xff", 4), s);
    assert_string_equal(s, "007fabff");
    assert_true(hex_decode_str("ab", b, 1));
    assert_int_equal(b[0], 0xab);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        b[0] = 9;
        assert_false(hex_decode_str(wrong[i], b, 1));
        assert_int_equal(b[0], 0);
    }
    assert_false(hex_decode_str(NULL, b, 1));
    assert_true(hex_decode(view_of(NULL, 0), b, 0));
}

static void hex_refuses_every_other_byte(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++) {
        uint8_t text[2] = {'0', (uint8_t)c}, out;
        bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

        assert_int_equal(hex_decode(view_of(text, 2), &out, 1), digit);
    }
}

/* RFC 4648, section 10. */
static const char *const rfc4648[][3] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

static void base64_of_rfc4648(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(rfc4648); i++) {
        cleanup_buf struct buf std = {0}, url = {0}, back = {0};

        base64_encode(view_str(rfc4648[i][0]), &std);
        base64url_encode(view_str(rfc4648[i][0]), &url);
        assert_true(view_is(buf_view(&std), rfc4648[i][1]));
        assert_true(view_is(buf_view(&url), rfc4648[i][2]));
        assert_true(base64_decode(view_str(rfc4648[i][1]), &back));
        assert_true(view_is(buf_view(&back), rfc4648[i][0]));
        buf_reset(&back);
        assert_true(base64url_decode(view_str(rfc4648[i][2]), &back));
        assert_true(view_is(buf_view(&back), rfc4648[i][0]));
    }
}

static void base64_has_one_text_per_value(void **state) {
    static const char *const wrong[] = {
        "Z",    "Zg",   "Zg=",   "Zg===",  "Zh==",       "Zm9=",     "====", "=",    "Zg==Zg==",
        "Z=g=", "Zg =", " Zg==", "Zg==\n", "Zm9v\nZm9v", "Zm9v====", "Zm-v", "Zm_v", "Zm9v=",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        cleanup_buf struct buf out = {0};

        buf_str(&out, "kept");
        if (base64_decode(view_str(wrong[i]), &out))
            fail_msg("'%s' was taken", wrong[i]);
        assert_true(view_is(buf_view(&out), "kept"));
    }
}

static void base64url_refuses_padding_and_the_other_alphabet(void **state) {
    static const char *const wrong[] = {"Zg==", "Z", "Zm+v", "Zm/v", "Zh", "Zm9"};
    cleanup_buf struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (base64url_decode(view_str(wrong[i]), &out))
            fail_msg("'%s' was taken", wrong[i]);
    assert_true(base64url_decode(view_str("-_-_"), &out));
    assert_memory_equal(out.p, "\xfb\xff\xbf", 3);
}

static void base64_round_trips_across_slices(void **state) {
    static const size_t around[] = {0, 3069, 4093, 6141, 12285};
    uint8_t bytes[12300];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i + i / 7);
    for (size_t i = 0; i < COUNT(around); i++)
        for (size_t n = around[i]; n < around[i] + 8; n++) {
            cleanup_buf struct buf text = {0}, back = {0};

            base64_encode(view_of(bytes, n), &text);
            assert_int_equal(text.n, (n + 2) / 3 * 4);
            assert_true(base64_decode(buf_view(&text), &back));
            assert_true(view_eq(buf_view(&back), view_of(bytes, n)));
        }
}

static void base64_refuses_every_other_byte_everywhere(void **state) {
    (void)state;
    for (int c = 0; c < 256; c++)
        for (int at = 0; at < 8; at++) {
            char text[] = "QUJDREVG";
            cleanup_buf struct buf out = {0};
            bool known = c && strchr(alphabet_std, c);

            text[at] = (char)c;
            assert_int_equal(base64_decode(view_of(text, 8), &out), known);
        }
}

static void base64_stops_at_a_full_buffer(void **state) {
    cleanup_buf struct buf out = {.max = 2};

    (void)state;
    assert_false(base64_decode(view_str("Zm9v"), &out));
    assert_int_equal(out.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_lower_case_and_exact),
        cmocka_unit_test(hex_refuses_every_other_byte),
        cmocka_unit_test(base64_of_rfc4648),
        cmocka_unit_test(base64_has_one_text_per_value),
        cmocka_unit_test(base64url_refuses_padding_and_the_other_alphabet),
        cmocka_unit_test(base64_round_trips_across_slices),
        cmocka_unit_test(base64_refuses_every_other_byte_everywhere),
        cmocka_unit_test(base64_stops_at_a_full_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
