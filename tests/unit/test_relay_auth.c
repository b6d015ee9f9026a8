#include "provider/relay_auth.c"
#include "tests/unit/unit.h"

#include "core/blossom.h"

static void lengths_are_digits_only(void **state) {
    static const char *const bad[] = {"",
                                      " 5",
                                      "5 ",
                                      "+5",
                                      "-5",
                                      "5,",
                                      "5, 3",
                                      "0x5",
                                      "5.0",
                                      "1e3",
                                      "10000000000000000000000",
                                      "99999999999999999999"};
    uint64_t n;

    (void)state;
    assert_true(http_length_parse(view_str("0"), &n) && n == 0);
    assert_true(http_length_parse(view_str("67108864"), &n) && n == 67108864);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (http_length_parse(view_str(bad[i]), &n))
            fail_msg("'%s' was accepted", bad[i]);
}

static void ranges(void **state) {
    static const struct {
        const char *text;
        uint64_t size;
        enum http_range want;
        uint64_t first, count;
    } rows[] = {
        {"bytes=0-0", 10, RANGE_PART, 0, 1},
        {"bytes=2-4", 10, RANGE_PART, 2, 3},
        {"Bytes=2-", 10, RANGE_PART, 2, 8},
        {"bytes=2-99", 10, RANGE_PART, 2, 8},
        {"bytes=-3", 10, RANGE_PART, 7, 3},
        {"bytes=-99", 10, RANGE_PART, 0, 10},
        {"bytes=9-9", 10, RANGE_PART, 9, 1},
        {"bytes=10-", 10, RANGE_BAD, 0, 0},
        {"bytes=10-12", 10, RANGE_BAD, 0, 0},
        {"bytes=-0", 10, RANGE_BAD, 0, 0},
        {"bytes=0-", 0, RANGE_BAD, 0, 0},
        {"bytes=-5", 0, RANGE_BAD, 0, 0},
        {"bytes=4-2", 10, RANGE_NONE, 0, 0},
        {"bytes=0-1,3-4", 10, RANGE_NONE, 0, 0},
        {"bytes=-", 10, RANGE_NONE, 0, 0},
        {"bytes=", 10, RANGE_NONE, 0, 0},
        {"bytes=a-b", 10, RANGE_NONE, 0, 0},
        {"lines=1-2", 10, RANGE_NONE, 0, 0},
        {"bytes=1-99999999999999999999", 10, RANGE_NONE, 0, 0},
        {"", 10, RANGE_NONE, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t first = 77, count = 77;
        enum http_range got =
            http_range_parse(view_str(rows[i].text), rows[i].size, &first, &count);

        if (got != rows[i].want)
            fail_msg("'%s' of %llu gave %d", rows[i].text, (unsigned long long)rows[i].size, got);
        if (got == RANGE_PART) {
            assert_true(first == rows[i].first && count == rows[i].count);
        }
    }
}

static void blob_paths(void **state) {
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    uint8_t sha[32];

    (void)state;
    assert_true(http_blob_path(view_str("/" HEX), sha));
    assert_int_equal(sha[1], 0x11);
    assert_true(http_blob_path(view_str("/" HEX ".bin"), sha));
    assert_false(http_blob_path(view_str(HEX), sha));
    assert_false(http_blob_path(view_str("/" HEX "0"), sha));
    assert_false(http_blob_path(view_str("/" HEX "/"), sha));
    assert_false(http_blob_path(view_str("/../" HEX), sha));
    assert_false(http_blob_path(view_str("/00112233445566778899AABBCCDDEEFF00112233445566778899aa"
                                         "bbccddeeff"),
                                sha));
    assert_false(http_blob_path(view_str("/"), sha));
    assert_false(http_blob_path(view_of(NULL, 0), sha));
}

/* ---- authorizations ---- */

struct spec {
    uint32_t kind;
    int64_t at, until;
    const char *verb, *x, *server;
};

static char *header_of(const struct spec *s, bool url) {
    struct keypair *k = keypair_new();
    struct fields f = fields_new(s->kind, s->at, view_str("auth"));
    cleanup_free char *until = mem_fmt("%lld", (long long)s->until);
    cleanup_buf struct buf json = {0};
    struct buf out = {0};
    struct event *ev;

    if (s->verb)
        fields_add(&f, "t", s->verb);
    if (s->x)
        fields_add(&f, "x", s->x);
    if (s->until)
        fields_add(&f, "expiration", until);
    if (s->server)
        fields_add(&f, "server", s->server);
    ev = event_sign(&f, k);
    event_json(ev, &json);
    event_free(ev);
    keypair_free(k);
    buf_str(&out, "Nostr ");
    if (url)
        base64url_encode(buf_view(&json), &out);
    else
        base64_encode(buf_view(&json), &out);
    return buf_take(&out);
}

static void authorizations(void **state) {
    enum { NOW = 1700000000 };
    uint8_t sha[32] = {0,    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                       0xbb, 0xcc, 0xdd, 0xee, 0xff, 0,    0x11, 0x22, 0x33, 0x44, 0x55,
                       0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    const struct http_auth_want want = {.verb = "upload",
                                        .sha = sha,
                                        .hosts = (const char *[]){"127.0.0.1", "h.example", NULL},
                                        .now = NOW};
    static const struct {
        struct spec s;
        const char *fault; /* NULL: good */
    } rows[] = {
        {{24242, NOW, NOW + 60, "upload", HEX, NULL}, NULL},
        {{24242, NOW - 500, NOW + 1, "upload", HEX, "H.Example"}, NULL},
        {{24242, NOW, NOW + 60, "upload", HEX, "other.example"}, "server"},
        {{24242, NOW, NOW + 60, "delete", HEX, NULL}, "t tag"},
        {{24242, NOW, NOW + 60, NULL, HEX, NULL}, "t tag"},
        {{24242, NOW, NOW + 60, "upload", NULL, NULL}, "x tag"},
        {{24242, NOW, NOW + 60, "upload", "ff", NULL}, "x tag"},
        {{24242, NOW, NOW, "upload", HEX, NULL}, "expired"},
        {{24242, NOW, 0, "upload", HEX, NULL}, "no expiration"},
        {{24242, NOW + 600, NOW + 900, "upload", HEX, NULL}, "future"},
        {{27235, NOW, NOW + 60, "upload", HEX, NULL}, "24242"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        cleanup_free char *header = header_of(&rows[i / 2].s, i % 2);
        struct err e;
        struct event *ev = http_auth_parse(view_str(header), &want, &e);

        if (!rows[i / 2].fault && !ev)
            fail_msg("row %zu: %s", i / 2, e.text);
        if (rows[i / 2].fault && (ev || !strstr(e.text, rows[i / 2].fault)))
            fail_msg("row %zu: '%s' wanted, '%s' got", i / 2, rows[i / 2].fault,
                     ev ? "success" : e.text);
        event_free(ev);
    }
}

static void nonsense_is_no_authorization(void **state) {
    static const char *const bad[] = {"",           "Nostr",      "Nostr ",
                                      "Basic abcd", "Nostr ####", "Nostr e30",
                                      "Nostr e30=", "Nostr ====", "Nostr bnVsbA=="};
    const struct http_auth_want want = {
        .verb = "upload", .hosts = (const char *[]){"127.0.0.1", "h", NULL}, .now = 0};
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_null(http_auth_parse(view_str(bad[i]), &want, &e));
}

/* What our own client makes, our own server takes: both forms. */
static void takes_what_the_client_makes(void **state) {
    struct keypair *k = keypair_new();
    uint8_t sha[32] = {7};
    const struct http_auth_want want = {.verb = "upload",
                                        .sha = sha,
                                        .hosts = (const char *[]){"127.0.0.1", "h.example", NULL},
                                        .now = 1000};
    struct err e;

    (void)state;
    for (int padded = 0; padded < 2; padded++) {
        cleanup_free char *header = blossom_auth(k, "upload", sha, "h.example", 1000, padded);
        struct event *ev = http_auth_parse(view_str(header), &want, &e);

        assert_non_null(ev);
        assert_true(http_auth_names(ev, sha));
        assert_memory_equal(ev->f.pubkey, keypair_pub(k), 32);
        event_free(ev);
    }
    keypair_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_digits_only),
        cmocka_unit_test(ranges),
        cmocka_unit_test(blob_paths),
        cmocka_unit_test(authorizations),
        cmocka_unit_test(nonsense_is_no_authorization),
        cmocka_unit_test(takes_what_the_client_makes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
