#include "guest/entropy.c"
#include "tests/unit/unit.h"

static void this_kernel_is_seeded(void **state) {
    (void)state;
    assert_true(entropy_seeded());
}

static void the_cpu_must_have_its_generators(void **state) {
    struct err e = {0};

    (void)state;
    assert_int_equal(entropy_check(false, &e), has_rdrand() ? 0 : -1);
    assert_int_equal(entropy_check(true, &e), has_rdrand() && has_rdseed() ? 0 : -1);
    if (!has_rdrand())
        assert_string_equal(e.code, "no-entropy");
}

static int stuck(word *out) {
    *out = ~0ULL;
    return 1;
}

static int dry(word *out) {
    *out = 1;
    return 0;
}

static void a_broken_generator_is_noticed(void **state) {
    word w;

    (void)state;
    assert_false(draw(stuck, &w)); /* the well-known all ones */
    assert_false(draw(dry, &w));
}

/* Even of one nonce, no two guests have one key. */
static void keys_differ(void **state) {
    static const uint8_t nonce[32] = {1};
    struct keypair *a, *b;
    struct err e = {0};

    (void)state;
    if (!has_rdrand())
        skip();
    a = entropy_keypair(nonce, &e);
    b = entropy_keypair(nonce, &e);
    assert_non_null(a);
    assert_non_null(b);
    assert_memory_not_equal(keypair_pub(a), keypair_pub(b), 32);
    keypair_free(a);
    keypair_free(b);
}

/* The nonce counts too: the same seed under another nonce is another key. */
static void the_nonce_is_mixed_in(void **state) {
    static const uint8_t seed[2 * CPU_BYTES] = {7}, one[32] = {1}, two[32] = {2};
    struct keypair *a = derive(view_of(seed, sizeof seed), view_of(one, 32), NULL);
    struct keypair *b = derive(view_of(seed, sizeof seed), view_of(two, 32), NULL);
    struct keypair *c = derive(view_of(seed, sizeof seed), view_of(one, 32), NULL);

    (void)state;
    assert_memory_not_equal(keypair_pub(a), keypair_pub(b), 32);
    assert_memory_equal(keypair_pub(a), keypair_pub(c), 32);
    keypair_free(a);
    keypair_free(b);
    keypair_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_kernel_is_seeded),
        cmocka_unit_test(the_cpu_must_have_its_generators),
        cmocka_unit_test(a_broken_generator_is_noticed),
        cmocka_unit_test(keys_differ),
        cmocka_unit_test(the_nonce_is_mixed_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
