#include "core/key.c"
#include "tests/unit/vectors.h"

static void a_pair_signs_and_verifies(void **state) {
    struct keypair *k = keypair_new(), *other = keypair_new();
    uint8_t msg[32], sig[64], sig2[64];

    (void)state;
    random_bytes(msg, sizeof msg);
    keypair_sign(k, msg, sig);
    keypair_sign(k, msg, sig2);
    assert_memory_not_equal(sig, sig2, 64); /* fresh auxiliary randomness */
    assert_true(schnorr_verify(keypair_pub(k), view_of(msg, 32), sig));
    assert_false(schnorr_verify(keypair_pub(other), view_of(msg, 32), sig));
    for (size_t i = 0; i < 64; i++) {
        sig[i] ^= 1;
        assert_false(schnorr_verify(keypair_pub(k), view_of(msg, 32), sig));
        sig[i] ^= 1;
    }
    assert_false(schnorr_verify(keypair_pub(k), view_of(msg, 31), sig));
    keypair_free(k);
    keypair_free(other);
    keypair_free(NULL);
}

static void only_scalars_are_secret_keys(void **state) {
    static const char *const wrong[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", /* the order */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    struct keypair *k;
    uint8_t sk[32];
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_true(hex_decode_str(wrong[i], sk, 32));
        assert_null(keypair_from(sk, &e));
        assert_string_equal(e.code, "bad-key");
    }
    sk[31] = 1;
    memset(sk, 0, 31);
    k = keypair_from(sk, &e);
    assert_non_null(k);
    assert_memory_equal(secret_get(keypair_secret(k)), sk, 32);
    assert_hex(keypair_pub(k), 32, /* x of the generator */
               "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    keypair_free(k);
}

static void ecdh_is_symmetric(void **state) {
    struct keypair *a = keypair_new(), *b = keypair_new();
    uint8_t x[32], y[32], off[32] = {[31] = 5};
    struct err e;

    (void)state;
    assert_int_equal(keypair_ecdh(a, keypair_pub(b), x, &e), 0);
    assert_int_equal(keypair_ecdh(b, keypair_pub(a), y, &e), 0);
    assert_memory_equal(x, y, 32);
    assert_int_equal(keypair_ecdh(a, off, x, &e), -1);
    assert_string_equal(e.code, "bad-key");
    memset(y, 0, 32);
    assert_memory_equal(x, y, 32);
    keypair_free(a);
    keypair_free(b);
}

/* The next comma-separated field of a line; hex in upper case there. */
static char *csv_field(char **line) {
    char *f = strsep(line, ",");

    assert_non_null(f);
    for (char *p = f; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p = (char)(*p + 32);
    return f;
}

static size_t csv_bytes(char **line, uint8_t *out, size_t max) {
    char *hex = csv_field(line);
    size_t n = strlen(hex) / 2;

    assert_true(n <= max);
    assert_true(hex_decode_str(hex, out, n));
    return n;
}

static void check_signing(const uint8_t *sk, const uint8_t *aux, const uint8_t *pub,
                          const uint8_t *msg, size_t n, const uint8_t *want) {
    struct keypair *k = keypair_from(sk, NULL);
    secp256k1_schnorrsig_extraparams extra = SECP256K1_SCHNORRSIG_EXTRAPARAMS_INIT;
    unsigned char data[32], sig[64];

    memcpy(data, aux, 32);
    extra.ndata = data;
    assert_non_null(k);
    assert_memory_equal(keypair_pub(k), pub, 32);
    assert_true(secp256k1_schnorrsig_sign_custom(curve(), sig, msg, n, pair_of(k), &extra));
    assert_memory_equal(sig, want, 64);
    keypair_free(k);
}

static void check_row(char *line) {
    uint8_t sk[32], pub[32], aux[32], msg[128], sig[64];
    size_t has_sk, n;
    const char *result;

    csv_field(&line);
    has_sk = csv_bytes(&line, sk, 32);
    assert_int_equal(csv_bytes(&line, pub, 32), 32);
    csv_bytes(&line, aux, 32);
    n = csv_bytes(&line, msg, sizeof msg);
    assert_int_equal(csv_bytes(&line, sig, 64), 64);
    result = csv_field(&line);
    assert_int_equal(schnorr_verify(pub, view_of(msg, n), sig), strcasecmp(result, "true") == 0);
    if (has_sk)
        check_signing(sk, aux, pub, msg, n, sig);
}

static void bip340_vectors(void **state) {
    const char *path = vector_path("nostr/bip340-test-vectors.csv");
    cleanup_buf struct buf text = {0};
    char *line, *all;
    int rows = 0;

    (void)state;
    if (!path)
        skip();
    assert_int_equal(file_read(path, 65536, &text, NULL), 0);
    all = (char *)text.p;
    strsep(&all, "\n"); /* the heading */
    while ((line = strsep(&all, "\n")) && *line) {
        check_row(line);
        rows++;
    }
    assert_int_equal(rows, 19);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_signs_and_verifies),
        cmocka_unit_test(only_scalars_are_secret_keys),
        cmocka_unit_test(ecdh_is_symmetric),
        cmocka_unit_test(bip340_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
