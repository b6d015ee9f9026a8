#include "core/part.c"
#include "tests/unit/unit.h"

static const uint8_t key[32] = {1}, iv[12] = {2};

static struct part_place place(uint32_t index, uint32_t count, uint64_t total) {
    struct part_place p = {.key = key, .index = index, .count = count, .total = total};

    memcpy(p.iv, iv, sizeof iv);
    return p;
}

static void a_part_round_trips_with_its_padding(void **state) {
    struct part_place p = place(0, 1, 5);
    struct buf sealed = {0}, plain = {0};

    (void)state;
    assert_int_equal(part_seal(&p, view_str("hello"), 3, &sealed, NULL), 0);
    assert_int_equal(sealed.n, 8 + PART_TAG);
    assert_int_equal(part_open(&p, buf_view(&sealed), &plain, NULL), 0);
    assert_int_equal(plain.n, 8);
    assert_memory_equal(plain.p, "hello\0\0\0", 8);
    buf_free(&sealed);
    buf_free(&plain);
}

/* AES-256-GCM, NIST test case 14: key and IV of zeros, 16 bytes of zeros, no AAD. */
static void one_part_is_plain_aes_gcm(void **state) {
    static const uint8_t zero[32];
    static const uint8_t want[] = {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
                                   0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
                                   0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    struct part_place p = {.key = zero, .count = 1, .total = 16};
    struct buf sealed = {0};

    (void)state;
    assert_int_equal(part_seal(&p, view_of(zero, 16), 0, &sealed, NULL), 0);
    assert_int_equal(sealed.n, sizeof want);
    assert_memory_equal(sealed.p, want, sizeof want);
    buf_free(&sealed);
}

static void a_part_opens_in_its_place_only(void **state) {
    struct part_place at = place(1, 3, 100);
    const struct part_place wrong[] = {place(0, 3, 100), place(2, 3, 100), place(1, 2, 100),
                                       place(1, 3, 101), place(0, 1, 100)};
    struct buf sealed = {0}, plain = {0};
    struct err e;

    (void)state;
    buf_str(&plain, "kept");
    assert_int_equal(part_seal(&at, view_str("middle"), 0, &sealed, NULL), 0);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(part_open(&wrong[i], buf_view(&sealed), &plain, &e), -1);
        assert_string_equal(e.code, "bad-file");
        assert_int_equal(plain.n, 4);
    }
    assert_int_equal(part_open(&at, buf_view(&sealed), &plain, NULL), 0);
    assert_true(view_is(buf_view(&plain), "keptmiddle"));
    buf_free(&sealed);
    buf_free(&plain);
}

static void every_flipped_bit_is_noticed(void **state) {
    struct part_place p = place(0, 1, 3);
    struct buf sealed = {0}, plain = {0};

    (void)state;
    assert_int_equal(part_seal(&p, view_str("abc"), 0, &sealed, NULL), 0);
    for (size_t i = 0; i < sealed.n * 8; i++) {
        sealed.p[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(part_open(&p, buf_view(&sealed), &plain, NULL), -1);
        sealed.p[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t n = 0; n < sealed.n; n++)
        assert_int_equal(part_open(&p, view_of(sealed.p, n), &plain, NULL), -1);
    assert_int_equal(plain.n, 0);
    buf_free(&sealed);
    buf_free(&plain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_round_trips_with_its_padding),
        cmocka_unit_test(one_part_is_plain_aes_gcm),
        cmocka_unit_test(a_part_opens_in_its_place_only),
        cmocka_unit_test(every_flipped_bit_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
