#include "core/binding.c"
#include "tests/unit/vectors.h"

/* Expected values were computed by an independent implementation of list() and SHA-256. */
#define X8(x) x, x, x, x, x, x, x, x
#define X32(x)                                                                                     \
    { X8(x), X8(x), X8(x), X8(x) }
static const uint8_t one[32] = X32(1), two[32] = X32(2), three[32] = X32(3), four[32] = X32(4);

static void is_hex(const uint8_t got[static 32], const char *hex) {
    assert_hex(got, 32, hex);
}

static void make_gpu(struct gpu_evidence *g, uint8_t k, uint8_t store[static 200]) {
    uint8_t *p = store + 100;

    memset(store, 0x10 + k, 100);
    *g = (struct gpu_evidence){
        .arch = "hopper", .report = view_of(store, 100), .state = {1, 0, 2, 3}};
    for (uint8_t i = 0; i < GPU_CERTS; i++) {
        memset(p, 0x20 + k + i, 10u + i);
        g->cert[i] = view_of(p, 10u + i);
        p += 10 + i;
    }
}

static void known_answers(void **state) {
    struct gpu_evidence g[2];
    uint8_t store[2][200], data[64], ng[32];
    cleanup_buf struct buf digest = {0};
    struct err e;

    (void)state;
    binding_report_data(one, two, three, four, (struct view){0}, data);
    assert_memory_equal(data, one, 32);
    is_hex(data + 32, "c3060b750bf981982183e3541eabcec66db3032b0d40bdf877d104c15b876e16");
    make_gpu(&g[0], 0, store[0]);
    make_gpu(&g[1], 1, store[1]);
    assert_int_equal(binding_gpu_digest(g, 2, &digest, &e), 0);
    is_hex(digest.p, "de3122274c99ea0ba19f6beefbc40e38048d3ab688dba4e3396cead028038b72");
    binding_report_data(one, two, three, four, buf_view(&digest), data);
    is_hex(data + 32, "5ac067f5afe348cf0aff238b9d675370e7c385859938ef7a78996964c30b1323");
    binding_gpu_nonce(one, three, four, ng);
    is_hex(ng, "8361ef61628b20588a04ff8a21600f4cf01312647427265d3bbc2b660910f744");
    binding_model_data(one, two, three, four, buf_view(&digest), data);
    assert_memory_equal(data, one, 32);
    is_hex(data + 32, "62cf6d759c5374469df5db0ca7ca1a1afe1bfa82453cd2c4e789c068a3eea6da");
}

static void no_gpu_is_an_empty_digest(void **state) {
    cleanup_buf struct buf digest = {0};
    struct err e;

    (void)state;
    assert_int_equal(binding_gpu_digest(NULL, 0, &digest, &e), 0);
    assert_int_equal(digest.n, 0);
}

static void every_field_counts(void **state) {
    const uint8_t *const in[4] = {one, two, three, four};
    uint8_t base[64], got[64];

    (void)state;
    binding_report_data(one, two, three, four, (struct view){0}, base);
    for (int i = 0; i < 4; i++) {
        uint8_t other[32];
        const uint8_t *f[4] = {in[0], in[1], in[2], in[3]};

        memcpy(other, in[i], 32);
        other[31] ^= 1;
        f[i] = other;
        binding_report_data(f[0], f[1], f[2], f[3], (struct view){0}, got);
        assert_memory_not_equal(base + 32, got + 32, 32);
    }
    binding_report_data(one, three, two, four, (struct view){0}, got);
    assert_memory_not_equal(base + 32, got + 32, 32);
}

static void refuses_too_much(void **state) {
    static struct gpu_evidence many[GPUS_MAX + 1];
    static uint8_t huge[65536];
    struct gpu_evidence g;
    uint8_t store[200];
    cleanup_buf struct buf digest = {0};
    struct err e;

    (void)state;
    assert_int_equal(binding_gpu_digest(many, GPUS_MAX + 1, &digest, &e), -1);
    assert_string_equal(e.code, "too-large");
    make_gpu(&g, 0, store);
    g.report = view_of(huge, sizeof huge);
    assert_int_equal(binding_gpu_digest(&g, 1, &digest, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(digest.n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(no_gpu_is_an_empty_digest),
        cmocka_unit_test(every_field_counts),
        cmocka_unit_test(refuses_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
