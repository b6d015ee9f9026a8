#include "core/hash.c"
#include "tests/unit/vectors.h"

static void sha2_of_abc(void **state) {
    uint8_t out[48];
    struct sha *s;

    (void)state;
    sha256(view_str("abc"), out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha384(view_str("abc"), out);
    assert_hex(out, 48,
               "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
               "8086072ba1e7cc2358baeca134c825a7");
    s = sha_new(SHA384_LEN);
    sha_add(s, view_str("a"));
    sha_add(s, view_of(NULL, 0));
    sha_add(s, view_str("bc"));
    memset(out, 0, sizeof out);
    sha_end(s, out);
    sha_free(s);
    sha_free(NULL);
    assert_hex(out, 4, "cb00753f");
}

static void sha256_of_a_file(void **state) {
    char path[] = "/tmp/cdvm-test-XXXXXX";
    int fd = mkstemp(path);
    uint8_t out[32];
    struct err e;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, view_str("abc"), &e), 0);
    close(fd);
    assert_int_equal(sha256_file(path, out, &e), 0);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    unlink(path);
    assert_int_equal(sha256_file(path, out, &e), -1);
    assert_string_equal(e.code, "system");
}

/* RFC 4231 test case 2, and the empty key. */
static void hmac(void **state) {
    uint8_t out[32];

    (void)state;
    hmac_sha256(view_str("Jefe"), view_str("what do ya want for nothing?"), out);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha256(view_of(NULL, 0), view_of(NULL, 0), out);
    assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 5869 test case 1. */
static void hkdf(void **state) {
    static const uint8_t salt[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
    uint8_t ikm[22], prk[32], okm[42];

    (void)state;
    memset(ikm, 0x0b, sizeof ikm);
    hkdf_extract(view_of(salt, sizeof salt), view_of(ikm, sizeof ikm), prk);
    assert_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    hkdf_expand(prk, view_of(info, sizeof info), okm, sizeof okm);
    assert_hex(okm, 42,
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b8"
               "87185865");
}

static void list_is_unambiguous(void **state) {
    cleanup_buf struct buf a = {0}, b = {0};
    struct err e;

    (void)state;
    assert_int_equal(list_encode(&a, "t", (struct view[]){view_str("ab"), view_of(NULL, 0)}, 2, &e),
                     0);
    assert_int_equal(a.n, 8);
    assert_memory_equal(a.p, "t\0\0\2ab\0\0", 8);
    assert_int_equal(list_encode(&b, "t", (struct view[]){view_str("a"), view_str("b")}, 2, &e), 0);
    assert_false(view_eq(buf_view(&a), buf_view(&b)));
}

static void list_refuses_a_long_field(void **state) {
    cleanup_free char *big = mem_new(65536);
    cleanup_buf struct buf out = {0};
    struct view v = view_of(big, 65536);
    struct err e;

    (void)state;
    assert_int_equal(list_encode(&out, "t", &v, 1, &e), -1);
    assert_string_equal(e.code, "too-large");
    v.n--;
    buf_reset(&out);
    assert_int_equal(list_encode(&out, "t", &v, 1, &e), 0);
    assert_int_equal(out.n, 2 + 2 + 65535);
}

/* Roots of leaves 00..00, 01..01, ... worked out apart from this code. */
static void merkle_roots(void **state) {
    static const struct {
        size_t n;
        const char *root;
    } known[] = {
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "7f9c9e31ac8256ca2f258583df262dbc7d6f68f2a03043d5c99a4ae5a7396ce9"},
        {2, "28fb81e496897e0ce886f08602392e9239b65c659041e5202163e58ad898f444"},
        {3, "ba8d94b7fbcecae7b81c4c80574fe24734a6917bf9c1ecd66ff3e0c34ead4620"},
        {4, "fdea52008cdae79fa8bf806261959e23f5e11681646a2fa2bc9b5e56b32030a2"},
        {5, "85e20cac1f02fda7bcdb2fc3f908568c57018c77815f1fa361acad13994f08bf"},
        {7, "7318881c41fce3c1de3640df8e8c110c93f43f686b74204a9d1ad5b8c71c2047"},
        {8, "f907f23f76aa01b755a614d31ef9832909f44638b4590073301e61e6d01f9a1d"},
        {9, "57a92667ebb7ab5e021d0d10dce29b3111769aff9ef206339797bea4494d09f3"},
    };
    uint8_t leaves[9][32], root[32];

    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++)
        memset(leaves[i], (int)i, 32);
    for (size_t i = 0; i < COUNT(known); i++) {
        merkle_root((const uint8_t(*)[32])leaves, known[i].n, root);
        assert_hex(root, 32, known[i].root);
    }
}

/* Every leaf of every small tree is proved, and by no other path, place, size or root. */
static void merkle_paths(void **state) {
    uint8_t leaves[40][32], root[32], path[MERKLE_PATH_MAX][32];
    const uint8_t(*p)[32] = (const uint8_t(*)[32])path;

    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++)
        memset(leaves[i], (int)i, 32);
    for (size_t n = 1; n <= COUNT(leaves); n++) {
        merkle_root((const uint8_t(*)[32])leaves, n, root);
        for (size_t i = 0; i < n; i++) {
            size_t depth = merkle_path((const uint8_t(*)[32])leaves, n, i, path);

            assert_true(depth <= 6);
            assert_true(merkle_proves(leaves[i], i, n, p, depth, root));
            assert_false(merkle_proves(leaves[(i + 1) % COUNT(leaves)], i, n, p, depth, root));
            assert_false(merkle_proves(leaves[i], n, n, p, depth, root));
            if (depth == 0)
                continue;
            assert_false(merkle_proves(leaves[i], i ^ 1, n, p, depth, root) && (i ^ 1) < n);
            assert_false(merkle_proves(leaves[i], i, n, p, depth - 1, root));
            assert_false(merkle_proves(leaves[i], i, n, p, depth + 1, root));
            path[depth - 1][5] ^= 1;
            assert_false(merkle_proves(leaves[i], i, n, p, depth, root));
        }
    }
    assert_false(merkle_proves(leaves[0], 0, 0, p, 0, root));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha2_of_abc),
        cmocka_unit_test(sha256_of_a_file),
        cmocka_unit_test(hmac),
        cmocka_unit_test(hkdf),
        cmocka_unit_test(list_is_unambiguous),
        cmocka_unit_test(list_refuses_a_long_field),
        cmocka_unit_test(merkle_roots),
        cmocka_unit_test(merkle_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
