#include "core/reader.c"
#include "tests/unit/unit.h"

static void reads_little_and_big_endian(void **state) {
    static const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    struct reader r = reader_new(view_of(b, sizeof b));

    (void)state;
    assert_int_equal(reader_u16le(&r), 0x0201);
    assert_int_equal(reader_u32be(&r), 0x03040506);
    assert_true(reader_u64le(&r) == 0x0e0d0c0b0a090807);
    assert_true(reader_done(&r));
}

static void failure_sticks_and_zeroes(void **state) {
    static const uint8_t b[] = {1, 2, 3};
    struct reader r = reader_new(view_of(b, sizeof b));
    uint8_t out[4] = {9, 9, 9, 9};

    (void)state;
    reader_copy(&r, out, 4);
    assert_memory_equal(out, "\0\0\0\0", 4);
    assert_false(reader_ok(&r));
    assert_int_equal(reader_u8(&r), 0);
    assert_false(reader_done(&r));
}

static void a_huge_length_does_not_wrap(void **state) {
    static const uint8_t b[] = {1, 2, 3};
    struct reader r = reader_new(view_of(b, sizeof b));

    (void)state;
    assert_null(reader_take(&r, SIZE_MAX).p);
    assert_false(reader_ok(&r));
}

static void nothing_can_be_taken_from_nothing(void **state) {
    struct reader r = reader_new(view_of(NULL, 0));

    (void)state;
    assert_int_equal(reader_take(&r, 0).n, 0);
    assert_int_equal(reader_rest(&r).n, 0);
    assert_true(reader_done(&r));
    assert_int_equal(reader_u8(&r), 0);
    assert_false(reader_ok(&r));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_little_and_big_endian),
        cmocka_unit_test(failure_sticks_and_zeroes),
        cmocka_unit_test(a_huge_length_does_not_wrap),
        cmocka_unit_test(nothing_can_be_taken_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
