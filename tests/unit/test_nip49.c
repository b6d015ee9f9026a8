#include "core/aead.c"
#include "core/nip49.c"
#include "core/passphrase.c"
#include "tests/unit/vectors.h"

static void assert_opens(const cJSON *row) {
    const char *want = row_str(row, "secret_key");
    struct nip49 n;
    struct keypair *k;
    struct err e;

    if (nip49_parse(view_str(row_str(row, "ncryptsec")), &n, &e))
        fail_msg("%s", e.text);
    assert_int_equal((int)n.log_n, row_at(row, "log_n")->valueint);
    k = nip49_open(&n, view_str(row_str(row, "password")), &e);
    if (!k)
        fail_msg("%s", e.text);
    assert_hex(secret_get(keypair_secret(k)), 32, want);
    keypair_free(k);
}

static void official_and_others_open(void **state) {
    static const char *const lists[] = {"official", "generated"};
    const cJSON *row;
    VECTORS(v, "nostr/nip49.json");

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++)
        cJSON_ArrayForEach(row, row_at(v, lists[i])) {
            assert_opens(row);
        }
    cJSON_Delete(v);
}

/* NIP-49's example of the specification itself, so that one stands here without the vector files.
 */
static void the_specifications_example(void **state) {
    static const char text[] =
        "ncryptsec1qgg9947rlpvqu76pj5ecreduf9jxhselq2nae2kghhvd5g7dgjtcxfqtd67p9m0w57lspw8gsq6yphnm"
        "8623nsl8xn9j4jdzz84zm3frztj3z7s35vpzmqf6ksu8r89qk5z2zxfmu5gv8th8wclt0h4p\n";
    struct nip49 n;
    struct keypair *k;

    (void)state;
    assert_int_equal(nip49_parse(view_str(text), &n, NULL), 0);
    assert_int_equal(n.log_n, 16);
    assert_null(nip49_open(&n, view_str("Nostr"), NULL));
    k = nip49_open(&n, view_str("nostr"), NULL);
    assert_non_null(k);
    assert_hex(secret_get(keypair_secret(k)), 32,
               "3501454135014541350145413501453fefb02227e449e57cf4d3a3ce05378683");
    keypair_free(k);
}

static void one_passphrase_in_two_spellings(void **state) {
    uint8_t raw[11], nfkc[7], salt[PASSPHRASE_SALT] = {3};
    struct secret *a, *b;
    size_t n = 0;
    VECTORS(v, "nostr/nip49.json");

    (void)state;
    row_hex(row_at(v, "nfkc"), "raw_utf8", raw, sizeof raw);
    row_hex(row_at(v, "nfkc"), "nfkc_utf8", nfkc, sizeof nfkc);
    a = normalised(view_of(raw, sizeof raw), &n);
    assert_non_null(a);
    assert_int_equal(n, sizeof nfkc);
    assert_memory_equal(secret_get(a), nfkc, n);
    secret_free(a);
    a = passphrase_key(view_of(raw, sizeof raw), salt, 4, NULL);
    b = passphrase_key(view_of(nfkc, sizeof nfkc), salt, 4, NULL);
    assert_memory_equal(secret_get(a), secret_get(b), 32);
    secret_free(a);
    secret_free(b);
    cJSON_Delete(v);
}

static void what_is_written_opens(void **state) {
    struct keypair *k = keypair_new(), *back;
    cleanup_buf struct buf text = {0};
    struct nip49 n;
    struct err e;

    (void)state;
    assert_int_equal(nip49_write(k, view_str("a b\xc3\xa9"), NIP49_KEPT, &text, &e), 0);
    assert_int_equal(text.n, NIP49_TEXT);
    assert_int_equal(nip49_parse(buf_view(&text), &n, &e), 0);
    assert_int_equal(n.log_n, PASSPHRASE_LOG_N);
    assert_int_equal(n.past, NIP49_KEPT);
    assert_null(nip49_open(&n, view_str("a b"), &e));
    assert_string_equal(e.code, "wrong-passphrase");
    back = nip49_open(&n, view_str("a be\xcc\x81"), &e); /* the same, decomposed */
    assert_non_null(back);
    assert_memory_equal(keypair_pub(back), keypair_pub(k), 32);
    keypair_free(back);
    n.past = NIP49_EXPOSED; /* what it says of itself is under the tag */
    assert_null(nip49_open(&n, view_str("a b\xc3\xa9"), &e));
    keypair_free(k);
}

static void assert_refused(const uint8_t *data, size_t n, const char *code) {
    cleanup_buf struct buf text = {0};
    struct nip49 out;
    struct err e;

    assert_int_equal(bech32_encode("ncryptsec", view_of(data, n), &text, NULL), 0);
    assert_int_equal(nip49_parse(buf_view(&text), &out, &e), -1);
    assert_string_equal(e.code, code);
}

static void hostile_texts_are_refused_before_any_work(void **state) {
    uint8_t data[92] = {VERSION, 16};
    struct nip49 n;
    struct err e;

    (void)state;
    data[0] = 1;
    assert_refused(data, 91, "unsupported");
    data[0] = VERSION;
    assert_refused(data, 90, "bad-key");
    assert_refused(data, 92, "bad-key");
    data[42] = 3;
    assert_refused(data, 91, "bad-key");
    data[42] = 0;
    for (size_t i = 0; i < 4; i++) {
        data[1] = (const uint8_t[]){0, PASSPHRASE_LOG_N_MAX + 1, 63, 255}[i];
        assert_refused(data, 91, "too-costly");
    }
    assert_int_equal(nip49_parse(view_str("nsec1"), &n, &e), -1);
    assert_int_equal(nip49_parse(view_str(""), &n, &e), -1);
}

static void passphrases_are_bounded(void **state) {
    cleanup_free char *big = mem_new(PASSPHRASE_MAX + 2);
    uint8_t salt[PASSPHRASE_SALT] = {0};
    struct secret *key;
    struct err e;

    (void)state;
    memset(big, 'x', PASSPHRASE_MAX + 1);
    assert_null(passphrase_key(view_str(big), salt, 4, &e));
    assert_string_equal(e.code, "bad-passphrase");
    assert_null(passphrase_key(view_str("\xff"), salt, 4, &e));
    assert_string_equal(e.code, "bad-passphrase");
    /* U+FDFA becomes 18 code points: the longest that NFKC makes of one. */
    big[0] = 0;
    for (size_t i = 0; i + 3 <= PASSPHRASE_MAX; i += 3)
        memcpy(big + i, "\xef\xb7\xba", 4);
    key = passphrase_key(view_str(big), salt, 4, &e);
    assert_non_null(key);
    secret_free(key);
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
static void xchacha_as_the_draft_has_it(void **state) {
    static const char plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
                                "only one tip for the future, sunscreen would be it.";
    uint8_t raw[32], nonce[24], ad[12];
    cleanup_buf struct buf sealed = {0}, back = {0};
    struct secret *key;

    (void)state;
    for (size_t i = 0; i < 32; i++)
        raw[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < 24; i++)
        nonce[i] = (uint8_t)(0x40 + i);
    assert_true(hex_decode_str("50515253c0c1c2c3c4c5c6c7", ad, sizeof ad));
    key = secret_from(raw, sizeof raw);
    aead_seal(key, nonce, view_of(ad, sizeof ad), view_str(plain), &sealed);
    assert_int_equal(sealed.n, strlen(plain) + AEAD_TAG);
    assert_hex(sealed.p, 16, "bd6d179d3e83d43b9576579493c0e939");
    assert_hex(sealed.p + sealed.n - AEAD_TAG, AEAD_TAG, "c0875924c1c7987947deafd8780acf49");
    assert_true(aead_open(key, nonce, view_of(ad, sizeof ad), buf_view(&sealed), &back));
    assert_true(view_is(buf_view(&back), plain));
    sealed.p[3] ^= 1;
    assert_false(aead_open(key, nonce, view_of(ad, sizeof ad), buf_view(&sealed), &back));
    assert_false(aead_open(key, nonce, view_of(ad, sizeof ad), view_of(sealed.p, 15), &back));
    secret_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_and_others_open),
        cmocka_unit_test(the_specifications_example),
        cmocka_unit_test(one_passphrase_in_two_spellings),
        cmocka_unit_test(what_is_written_opens),
        cmocka_unit_test(hostile_texts_are_refused_before_any_work),
        cmocka_unit_test(passphrases_are_bounded),
        cmocka_unit_test(xchacha_as_the_draft_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
