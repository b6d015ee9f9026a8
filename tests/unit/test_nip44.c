#include "core/nip44.c"
#include "tests/unit/vectors.h"

static struct nip44_key key_of(const cJSON *row) {
    struct nip44_key k;

    row_hex(row, "conversation_key", k.k, 32);
    return k;
}

/* What nip44_encrypt does, without its limit: vectors go beyond what we send. */
static void encrypt_any(const struct nip44_key *k, const uint8_t *nonce, struct view plain,
                        struct buf *out) {
    struct message_keys m = message_keys(k, nonce);
    struct buf raw = {0};

    seal(&m, nonce, plain, &raw);
    base64_encode(buf_view(&raw), out);
    buf_wipe(&raw);
}

static void assert_sha256(const struct buf *b, const char *want) {
    uint8_t h[32];

    sha256(buf_view(b), h);
    assert_hex(h, 32, want);
}

static void assert_opens(const struct nip44_key *k, struct view payload, struct view plain) {
    cleanup_buf struct buf out = {0};
    struct err e;

    if (nip44_decrypt(k, payload, &out, &e) < 0)
        fail_msg("%s", e.text);
    assert_true(view_eq(buf_view(&out), plain));
}

static void round_trip_with_fresh_nonces(void **state) {
    struct keypair *a = keypair_new(), *b = keypair_new();
    cleanup_buf struct buf p1 = {0}, p2 = {0};
    struct nip44_key ka, kb;

    (void)state;
    assert_int_equal(nip44_conversation(a, keypair_pub(b), &ka, NULL), 0);
    assert_int_equal(nip44_conversation(b, keypair_pub(a), &kb, NULL), 0);
    assert_memory_equal(ka.k, kb.k, 32);
    assert_int_equal(nip44_encrypt(&ka, view_str("hello"), NULL, &p1, NULL), 0);
    assert_int_equal(nip44_encrypt(&ka, view_str("hello"), NULL, &p2, NULL), 0);
    assert_false(view_eq(buf_view(&p1), buf_view(&p2)));
    assert_opens(&kb, buf_view(&p1), view_str("hello"));
    keypair_free(a);
    keypair_free(b);
}

static void sending_is_bounded(void **state) {
    cleanup_free char *big = mem_new(NIP44_SEND_MAX + 1);
    struct nip44_key k = {{1}};
    cleanup_buf struct buf out = {0};
    struct err e;

    (void)state;
    memset(big, 'x', NIP44_SEND_MAX + 1);
    assert_int_equal(nip44_encrypt(&k, view_of(NULL, 0), NULL, &out, &e), -1);
    assert_int_equal(nip44_encrypt(&k, view_of(big, NIP44_SEND_MAX + 1), NULL, &out, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(out.n, 0);
    assert_int_equal(nip44_encrypt(&k, view_of(big, NIP44_SEND_MAX), NULL, &out, &e), 0);
    assert_opens(&k, buf_view(&out), view_of(big, NIP44_SEND_MAX));
}

static void every_flipped_bit_is_noticed(void **state) {
    struct nip44_key k = {{1}};
    cleanup_buf struct buf text = {0}, raw = {0};

    (void)state;
    assert_int_equal(nip44_encrypt(&k, view_str("hello"), NULL, &text, NULL), 0);
    assert_true(base64_decode(buf_view(&text), &raw));
    for (size_t bit = 0; bit < 8 * raw.n; bit++) {
        cleanup_buf struct buf bent = {0}, out = {0};
        struct err e;

        raw.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        base64_encode(buf_view(&raw), &bent);
        assert_int_equal(nip44_decrypt(&k, buf_view(&bent), &out, &e), -1);
        assert_int_equal(out.n, 0);
        raw.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* A payload with a right MAC over a padded text of the caller's making. */
static int open_padded(const void *padded, size_t n, struct buf *out, struct err *e) {
    struct nip44_key k = {{1}};
    uint8_t nonce[32] = {2}, mac[32];
    struct message_keys m = message_keys(&k, nonce);
    cleanup_buf struct buf raw = {0}, text = {0};

    buf_u8(&raw, 2);
    buf_add(&raw, nonce, 32);
    buf_add(&raw, padded, n);
    chacha20(&m, raw.p + 33, n);
    payload_mac(&m, view_of(raw.p + 1, raw.n - 1), mac);
    buf_add(&raw, mac, 32);
    base64_encode(buf_view(&raw), &text);
    return nip44_decrypt(&k, buf_view(&text), out, e);
}

static void padding_has_one_form(void **state) {
    static const struct {
        size_t n;
        uint8_t start[40];
        const char *says; /* NULL: accepted */
    } rows[] = {
        {34, {0, 1, 'a'}, NULL},
        {34, {0, 32}, NULL},
        {34, {0, 0}, "one form"},                  /* empty */
        {38, {0, 0, 0, 0, 0, 1, 'a'}, "one form"}, /* short text in the long form */
        {35, {0, 1, 'a'}, "does not fit"},
        {34, {0, 33}, "does not fit"},
        {34, {0xff, 0xff}, "does not fit"},
        {34, {0, 0, 0xff, 0xff, 0xff, 0xff}, "does not fit"},
        {34, {0, 1, 'a', 0, 0, 1}, "not zero"},
        {34, {0, 1, 0xff}, "UTF-8"},
        {66, {0, 1, 'a'}, "does not fit"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t padded[80] = {0};
        cleanup_buf struct buf out = {0};
        struct err e = {0};
        int rc;

        memcpy(padded, rows[i].start, sizeof rows[i].start);
        rc = open_padded(padded, rows[i].n, &out, &e);
        assert_int_equal(rc, rows[i].says ? -1 : 0);
        if (rows[i].says && !strstr(e.text, rows[i].says))
            fail_msg("row %zu: %s", i, e.text);
    }
}

static void hostile_sizes(void **state) {
    cleanup_free char *big = mem_new(NIP44_PAYLOAD_MAX + 4);
    struct nip44_key k = {{1}};
    cleanup_buf struct buf out = {0};
    struct err e;

    (void)state;
    memset(big, 'A', NIP44_PAYLOAD_MAX + 4);
    assert_int_equal(nip44_decrypt(&k, view_of(big, NIP44_PAYLOAD_MAX + 4), &out, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(nip44_decrypt(&k, view_of(NULL, 0), &out, &e), -1);
    assert_int_equal(nip44_decrypt(&k, view_of(big, 131), &out, &e), -1);
    assert_non_null(strstr(e.text, "too short"));
    assert_int_equal(nip44_decrypt(&k, view_of(big, 132), &out, &e), -1);
    assert_string_equal(e.code, "unsupported");
}

/* ---- vectors ---- */

static const cJSON *v2(const cJSON *v, const char *valid, const char *name) {
    return row_at(row_at(row_at(v, "v2"), valid), name);
}

static void official_keys(void **state) {
    const cJSON *row, *keys;
    struct nip44_key k, want;
    uint8_t nonce[32];

    (void)state;
    VECTORS(v, "nostr/nip44.vectors.json");
    cJSON_ArrayForEach(row, v2(v, "valid", "get_conversation_key")) {
        uint8_t sk[32], pub[32];
        struct keypair *pair;

        row_hex(row, "sec1", sk, 32);
        row_hex(row, "pub2", pub, 32);
        pair = keypair_from(sk, NULL);
        want = key_of(row);
        assert_int_equal(nip44_conversation(pair, pub, &k, NULL), 0);
        assert_memory_equal(k.k, want.k, 32);
        keypair_free(pair);
    }
    k = key_of(v2(v, "valid", "get_message_keys"));
    keys = row_at(v2(v, "valid", "get_message_keys"), "keys");
    cJSON_ArrayForEach(row, keys) {
        struct message_keys m;

        row_hex(row, "nonce", nonce, 32);
        m = message_keys(&k, nonce);
        assert_hex(m.chacha_key, 32, row_str(row, "chacha_key"));
        assert_hex(m.chacha_nonce, 12, row_str(row, "chacha_nonce"));
        assert_hex(m.hmac_key, 32, row_str(row, "hmac_key"));
    }
    cJSON_Delete(v);
}

static void official_bad_keys(void **state) {
    const cJSON *row;

    (void)state;
    VECTORS(v, "nostr/nip44.vectors.json");
    cJSON_ArrayForEach(row, v2(v, "invalid", "get_conversation_key")) {
        uint8_t sk[32], pub[32];
        struct keypair *pair;
        struct nip44_key k;
        struct err e;

        row_hex(row, "sec1", sk, 32);
        row_hex(row, "pub2", pub, 32);
        pair = keypair_from(sk, &e);
        if (pair && nip44_conversation(pair, pub, &k, &e) == 0)
            fail_msg("taken: %s", row_str(row, "note"));
        keypair_free(pair);
    }
    cJSON_Delete(v);
}

static void official_padding(void **state) {
    const cJSON *row;

    (void)state;
    VECTORS(v, "nostr/nip44.vectors.json");
    cJSON_ArrayForEach(row, v2(v, "valid", "calc_padded_len"))
        assert_int_equal(nip44_padded_len((size_t)cJSON_GetArrayItem(row, 0)->valueint),
                         cJSON_GetArrayItem(row, 1)->valueint);
    cJSON_Delete(v);
}

static void official_messages(void **state) {
    const cJSON *row;

    (void)state;
    VECTORS(v, "nostr/nip44.vectors.json");
    cJSON_ArrayForEach(row, v2(v, "valid", "encrypt_decrypt")) {
        struct nip44_key k = key_of(row);
        cleanup_buf struct buf out = {0};
        uint8_t nonce[32];

        row_hex(row, "nonce", nonce, 32);
        assert_int_equal(nip44_encrypt(&k, view_str(row_str(row, "plaintext")), nonce, &out, NULL),
                         0);
        assert_string_equal((char *)out.p, row_str(row, "payload"));
        assert_opens(&k, buf_view(&out), view_str(row_str(row, "plaintext")));
    }
    cJSON_ArrayForEach(row, v2(v, "invalid", "decrypt")) {
        struct nip44_key k = key_of(row);
        cleanup_buf struct buf out = {0};

        if (nip44_decrypt(&k, view_str(row_str(row, "payload")), &out, NULL) == 0)
            fail_msg("taken: %s", row_str(row, "note"));
        assert_int_equal(out.n, 0);
    }
    cJSON_Delete(v);
}

static void official_long_messages(void **state) {
    const cJSON *row;

    (void)state;
    VECTORS(v, "nostr/nip44.vectors.json");
    cJSON_ArrayForEach(row, v2(v, "valid", "encrypt_decrypt_long_msg")) {
        struct nip44_key k = key_of(row);
        cleanup_buf struct buf plain = {0}, out = {0};
        uint8_t nonce[32];

        row_hex(row, "nonce", nonce, 32);
        for (int i = row_at(row, "repeat")->valueint; i > 0; i--)
            buf_str(&plain, row_str(row, "pattern"));
        assert_sha256(&plain, row_str(row, "plaintext_sha256"));
        encrypt_any(&k, nonce, buf_view(&plain), &out);
        assert_sha256(&out, row_str(row, "payload_sha256"));
        assert_opens(&k, buf_view(&out), buf_view(&plain));
    }
    cJSON_Delete(v);
}

/* The file still lists 65536 as invalid; since 2026-06-28 that length has the long prefix
 * (nips#1907). */
static void official_bad_lengths(void **state) {
    struct nip44_key k = {{1}};
    const cJSON *row;
    int tried = 0;

    (void)state;
    VECTORS(v, "nostr/nip44.vectors.json");
    cJSON_ArrayForEach(row, v2(v, "invalid", "encrypt_msg_lengths")) {
        cleanup_buf struct buf out = {0};
        cleanup_free char *text = NULL;
        size_t n = (size_t)row->valuedouble;

        if (n == LONG_FROM)
            continue;
        text = mem_new(n);
        assert_int_equal(nip44_encrypt(&k, view_of(text, n), NULL, &out, NULL), -1);
        tried++;
    }
    assert_true(tried > 0);
    cJSON_Delete(v);
}

static void extended_lengths(void **state) {
    const cJSON *row;
    struct nip44_key k;
    uint8_t nonce[32];

    (void)state;
    VECTORS(v, "nostr/nip44_extended_official.json");
    k = key_of(v);
    row_hex(v, "nonce", nonce, 32);
    cJSON_ArrayForEach(row, row_at(v, "rows")) {
        size_t n = (size_t)row_at(row, "plaintext_len")->valueint;
        cleanup_free char *plain = mem_new(n);
        cleanup_buf struct buf out = {0};

        memset(plain, row_at(v, "byte")->valueint, n);
        assert_int_equal(nip44_padded_len(n), row_at(row, "padded_len")->valueint);
        encrypt_any(&k, nonce, view_of(plain, n), &out);
        assert_sha256(&out, row_str(row, "payload_sha256"));
        assert_opens(&k, buf_view(&out), view_of(plain, n));
    }
    cJSON_Delete(v);
}

/* The vectors' plaintext rule: char i = alphabet[(i*i*7 + i*13 + start) mod 30]. */
static char *generated_text(size_t n, uint64_t start) {
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz \n\"\\";
    char *s = mem_new(n + 1);

    for (uint64_t i = 0; i < n; i++)
        s[i] = alphabet[(i * i * 7 + i * 13 + start) % 30];
    return s;
}

static void check_generated(const cJSON *row) {
    size_t n = (size_t)row_at(row, "plaintext_len")->valueint;
    cleanup_free char *plain =
        generated_text(n, (uint64_t)row_at(row, "plaintext_start")->valuedouble);
    struct nip44_key k = key_of(row), derived;
    cleanup_buf struct buf out = {0};
    uint8_t nonce[32], sk1[32], sk2[32];
    struct keypair *a, *b;

    row_hex(row, "nonce", nonce, 32);
    row_hex(row, "sec1", sk1, 32);
    row_hex(row, "sec2", sk2, 32);
    a = keypair_from(sk1, NULL);
    b = keypair_from(sk2, NULL);
    assert_int_equal(nip44_conversation(a, keypair_pub(b), &derived, NULL), 0);
    assert_memory_equal(derived.k, k.k, 32);
    encrypt_any(&k, nonce, view_of(plain, n), &out);
    assert_int_equal(out.n, row_at(row, "payload_len")->valueint);
    assert_sha256(&out, row_str(row, "payload_sha256"));
    assert_opens(&k, buf_view(&out), view_of(plain, n));
    keypair_free(a);
    keypair_free(b);
}

static void generated_messages(void **state) {
    const cJSON *row, *bad;
    struct nip44_key k;

    (void)state;
    VECTORS(v, "nostr/nip44_generated.json");
    cJSON_ArrayForEach(row, row_at(v, "valid")) check_generated(row);
    bad = row_at(v, "invalid");
    k = key_of(bad);
    cJSON_ArrayForEach(row, row_at(bad, "decrypt")) {
        cleanup_buf struct buf out = {0};

        if (nip44_decrypt(&k, view_str(row_str(row, "payload")), &out, NULL) == 0)
            fail_msg("taken: %s", row_str(row, "why"));
    }
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_with_fresh_nonces),
        cmocka_unit_test(sending_is_bounded),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(padding_has_one_form),
        cmocka_unit_test(hostile_sizes),
        cmocka_unit_test(official_keys),
        cmocka_unit_test(official_bad_keys),
        cmocka_unit_test(official_padding),
        cmocka_unit_test(official_messages),
        cmocka_unit_test(official_long_messages),
        cmocka_unit_test(official_bad_lengths),
        cmocka_unit_test(extended_lengths),
        cmocka_unit_test(generated_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
