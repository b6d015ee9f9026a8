#include "core/nip19.c"
#include "tests/unit/vectors.h"

/* NIP-19's own npub and its key. */
#define KEY_HEX "3bf0c63fcb93463407af97a5e5ee64fa883d107ef9e558472c4eb9aaaefa459d"
#define KEY_NPUB "npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6"

static void keys_in_both_forms(void **state) {
    uint8_t a[32], b[32];
    struct err e;
    char s[20];

    (void)state;
    assert_int_equal(pubkey_parse(KEY_HEX, a, &e), 0);
    assert_int_equal(pubkey_parse(KEY_NPUB, b, &e), 0);
    assert_memory_equal(a, b, 32);
    assert_int_equal(pubkey_parse("nostr:" KEY_NPUB, b, &e), 0);
    npub_short(a, s);
    assert_string_equal(s, "3bf0 c63f cb93 4634");
}

static char *encoded(enum nip19_type type) {
    struct nip19 id = {.type = type, .id = {7}, .has_author = true, .has_kind = true};
    struct buf out = {0};

    id.identifier = type == NIP19_NADDR ? mem_str("x") : NULL;
    assert_int_equal(nip19_encode(&id, &out, NULL), 0);
    nip19_free(&id);
    return buf_take(&out);
}

static void a_key_is_not_anything_else(void **state) {
    cleanup_free char *nsec = encoded(NIP19_NSEC), *note = encoded(NIP19_NOTE);
    uint8_t key[32];
    struct err e;

    (void)state;
    assert_int_equal(pubkey_parse(nsec, key, &e), -1);
    assert_string_equal(e.code, "secret-key");
    assert_int_equal(pubkey_parse(note, key, &e), -1);
    assert_int_equal(pubkey_parse(NULL, key, &e), -1);
    assert_int_equal(pubkey_parse("", key, &e), -1);
    assert_int_equal(pubkey_parse("npub1", key, &e), -1);
}

static void a_secret_key_is_never_a_link(void **state) {
    cleanup_free char *nsec = encoded(NIP19_NSEC);
    cleanup_free char *link = mem_fmt("nostr:%s", nsec);
    struct nip19 id;
    struct err e;

    (void)state;
    assert_int_equal(nip19_decode(view_str(nsec), &id, &e), 0);
    assert_int_equal(nip19_decode(view_str(link), &id, &e), -1);
}

static void every_type_round_trips(void **state) {
    (void)state;
    for (int t = NIP19_NPUB; t <= NIP19_NADDR; t++) {
        cleanup_free char *s = encoded((enum nip19_type)t);
        cleanup_buf struct buf again = {0};
        struct nip19 id;

        assert_int_equal(nip19_decode(view_str(s), &id, NULL), 0);
        assert_int_equal(id.type, t);
        assert_int_equal(nip19_encode(&id, &again, NULL), 0);
        assert_true(view_is(buf_view(&again), s));
        nip19_free(&id);
    }
}

/* A TLV identifier of hand-made fields, as bech32. */
static int decode_tlv(const char *hrp, const void *tlv, size_t n, struct nip19 *out,
                      struct err *e) {
    cleanup_buf struct buf s = {0};

    assert_int_equal(bech32_encode(hrp, view_of(tlv, n), &s, e), 0);
    return nip19_decode(buf_view(&s), out, e);
}

static void broken_fields_are_refused(void **state) {
    static const struct {
        const char *hrp;
        uint8_t tlv[48];
        size_t n;
    } wrong[] = {
        {"nprofile", {0}, 0},                       /* nothing */
        {"nprofile", {0, 31}, 33},                  /* short key */
        {"nprofile", {0, 32}, 33},                  /* ends inside */
        {"nprofile", {0, 32, [34] = 1}, 35},        /* a type without a length */
        {"nprofile", {1, 1, 'a'}, 3},               /* relay only */
        {"nprofile", {0, 32, [34] = 1, 0}, 36},     /* empty relay */
        {"nprofile", {0, 32, [34] = 1, 1, 27}, 37}, /* escape in a relay */
        {"nevent", {0, 32, [34] = 3, 3}, 39},       /* kind of three bytes */
        {"nevent", {0, 32, [34] = 2, 4}, 40},       /* author of four bytes */
        {"naddr", {0, 1, 'x'}, 3},                  /* neither author nor kind */
        {"naddr", {0, 1, 0}, 3},                    /* NUL in the identifier */
        {"npub", {0}, 31},                          /* a byte short */
        {"npub", {0}, 33},                          /* a byte long */
        {"nrelay", {0, 1, 'x'}, 3},                 /* unknown prefix */
    };
    struct nip19 id;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        if (decode_tlv(wrong[i].hrp, wrong[i].tlv, wrong[i].n, &id, &e) == 0)
            fail_msg("row %zu was taken", i);
        assert_string_equal(e.code, "bad-identifier");
    }
}

static void unknown_fields_are_passed_over(void **state) {
    static const uint8_t tlv[48] = {0, 32, [34] = 99, 2, 1, 2, 1, 3, 'w', ':', '/'};
    struct nip19 id;

    (void)state;
    assert_int_equal(decode_tlv("nprofile", tlv, 43, &id, NULL), 0);
    assert_int_equal(id.n_relays, 1);
    assert_string_equal(id.relays[0], "w:/");
    nip19_free(&id);
}

static void a_flood_of_relays_is_capped(void **state) {
    uint8_t tlv[34 + 3 * 100] = {0, 32};
    struct nip19 id;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        memcpy(tlv + 34 + 3 * i, "\x01\x01x", 3);
    assert_int_equal(decode_tlv("nprofile", tlv, sizeof tlv, &id, NULL), 0);
    assert_int_equal(id.n_relays, NIP19_RELAYS);
    nip19_free(&id);
}

static void length_is_bounded(void **state) {
    cleanup_free char *big = mem_new(NIP19_MAX + 2);
    cleanup_buf struct buf out = {0};
    char hrp[84];
    struct err e;

    (void)state;
    assert_int_equal(bech32_encode("x", view_of(big, 3200), &out, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(bech32_encode("x", view_of(big, 3100), &out, &e), 0);
    memset(big, 'q', NIP19_MAX + 1);
    big[1] = '1';
    assert_int_equal(bech32_decode(view_str(big), hrp, &out, &e), -1);
}

static void bech32_of_bip173(void **state) {
    const cJSON *row;
    char hrp[84];

    (void)state;
    VECTORS(v, "nostr/bech32_bip173.json");
    cJSON_ArrayForEach(row, row_at(v, "valid")) {
        cleanup_buf struct buf data = {0}, again = {0};

        assert_int_equal(bech32_decode(view_str(row->valuestring), hrp, &data, NULL), 0);
        assert_int_equal(bech32_encode(hrp, buf_view(&data), &again, NULL), 0);
        assert_int_equal(strcasecmp((char *)again.p, row->valuestring), 0);
    }
    cJSON_ArrayForEach(row, row_at(v, "invalid_hex")) {
        cleanup_buf struct buf data = {0};
        uint8_t s[100];
        size_t n = strlen(row->valuestring) / 2;

        assert_true(hex_decode_str(row->valuestring, s, n));
        assert_int_equal(bech32_decode(view_of(s, n), hrp, &data, NULL), -1);
        assert_int_equal(data.n, 0);
    }
    cJSON_Delete(v);
}

static void check_relays(const cJSON *data, const struct nip19 *id) {
    const cJSON *relays = cJSON_GetObjectItem(data, "relays"), *r;
    size_t i = 0;

    assert_int_equal(id->n_relays, cJSON_GetArraySize(relays));
    cJSON_ArrayForEach(r, relays) assert_string_equal(id->relays[i++], r->valuestring);
}

static void check_optional(const cJSON *data, const struct nip19 *id) {
    const char *author = cJSON_GetStringValue(cJSON_GetObjectItem(data, "author"));
    const cJSON *kind = cJSON_GetObjectItem(data, "kind");

    assert_int_equal(id->has_author, author != NULL);
    if (author)
        assert_hex(id->author, 32, author);
    assert_int_equal(id->has_kind, kind != NULL);
    if (kind)
        assert_int_equal(id->kind, kind->valueint);
}

/* One generated row: what was encoded is what comes out. */
static void check_row(const cJSON *row) {
    const cJSON *data = cJSON_GetObjectItem(row, "data");
    struct nip19 id;

    assert_int_equal(nip19_decode(view_str(row_str(row, "bech32")), &id, NULL), 0);
    assert_string_equal(shapes[id.type].hrp, row_str(row, "type"));
    if (!data)
        assert_hex(id.id, 32, row_str(row, "hex"));
    if (id.type == NIP19_NPROFILE)
        assert_hex(id.id, 32, row_str(data, "pubkey"));
    if (id.type == NIP19_NEVENT) {
        assert_hex(id.id, 32, row_str(data, "id"));
        check_optional(data, &id);
    }
    if (id.type == NIP19_NADDR) {
        assert_string_equal(id.identifier, row_str(data, "identifier"));
        assert_hex(id.author, 32, row_str(data, "pubkey"));
        assert_int_equal(id.kind, row_at(data, "kind")->valueint);
    }
    if (data)
        check_relays(data, &id);
    nip19_free(&id);
}

static void generated_identifiers(void **state) {
    const cJSON *row;
    struct nip19 id;
    struct err e;

    (void)state;
    VECTORS(v, "nostr/nip19.json");
    cJSON_ArrayForEach(row, row_at(v, "valid")) check_row(row);
    cJSON_ArrayForEach(row, row_at(v, "invalid")) {
        if (nip19_decode(view_str(row_str(row, "s")), &id, &e) == 0)
            fail_msg("taken: %s", row_str(row, "why"));
        assert_string_equal(e.code, "bad-identifier");
    }
    row = row_at(v, "upper_case_whole_string_is_valid_bech32");
    assert_int_equal(nip19_decode(view_str(row_str(row, "s")), &id, &e), 0);
    assert_hex(id.id, 32, row_str(row, "hex"));
    nip19_free(&id);
    cJSON_Delete(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_both_forms),
        cmocka_unit_test(a_key_is_not_anything_else),
        cmocka_unit_test(a_secret_key_is_never_a_link),
        cmocka_unit_test(every_type_round_trips),
        cmocka_unit_test(broken_fields_are_refused),
        cmocka_unit_test(unknown_fields_are_passed_over),
        cmocka_unit_test(a_flood_of_relays_is_capped),
        cmocka_unit_test(length_is_bounded),
        cmocka_unit_test(bech32_of_bip173),
        cmocka_unit_test(generated_identifiers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
