#include "tui/shelf.c"

#include "tests/unit/unit.h"

static void put(struct shelf *s, const char *what, uint64_t msat, uint8_t who, bool alive) {
    struct offer o = {.job_kind = KIND_JOB_CHAT, .price_msat = msat, .created_at = who};

    snprintf(o.model_name, sizeof o.model_name, "%s", what);
    snprintf(o.provider_name, sizeof o.provider_name, "seller %u", who);
    snprintf(o.privacy, sizeof o.privacy, "sev-snp");
    snprintf(o.price_unit, sizeof o.price_unit, "minute");
    o.pubkey[0] = o.id[0] = who;
    shelf_put(s, &o, alive, 1, 0);
}

static void expect(struct shelf *s, const char *filter, enum shelf_sort by, const char *order) {
    struct proven *p = proven_new(NULL);
    cleanup_buf struct buf got = {0};
    uint8_t passed[32] = {3}, failed[32] = {2};
    const struct shelf_row *r;
    struct err e;

    assert_int_equal(proven_put(p, passed, (struct proof){PROOF_PASS, 1}, &e), 0);
    assert_int_equal(proven_put(p, failed, (struct proof){PROOF_FAIL, 1}, &e), 0);
    shelf_view(s, filter, by, p);
    for (size_t i = 0; (r = shelf_at(s, i)); i++)
        buf_fmt(&got, "%u", r->pubkey[0]);
    buf_str(&got, "");
    assert_string_equal(got.p ? (char *)got.p : "", order);
    proven_free(p);
}

static void sorts_and_filters(void **st) {
    struct shelf *s = shelf_new();

    (void)st;
    expect(s, "", SORT_PROVEN, "");
    put(s, "llama", 5000, 1, true);
    put(s, "Qwen", 1000, 2, true);
    put(s, "mistral", 9000, 3, true);
    put(s, "away", 0, 4, false);
    expect(s, "", SORT_PROVEN, "3124"); /* passed, never tried, failed; who is away comes last */
    expect(s, "", SORT_PRICE, "2134");
    expect(s, "", SORT_NAME, "1324");
    expect(s, "", SORT_AGE, "3214");
    expect(s, "qwen", SORT_PRICE, "2");
    expect(s, " SNP  l ", SORT_PRICE, "2134"); /* every word, anywhere */
    expect(s, "snp llama 5", SORT_PRICE, "1");
    expect(s, "nothing", SORT_PRICE, "");
    shelf_clear(s);
    expect(s, "", SORT_PRICE, "");
    shelf_free(s);
}

static void prices(void **st) {
    static const struct {
        uint64_t msat;
        const char *unit, *text;
    } ROWS[] = {{0, "job", "free"},
                {1000, "job", "1 sat/job"},
                {1500, "minute", "1.5 sat/min"},
                {210000, "job", "210 sat/job"},
                {UINT64_MAX, "job", "18446744073709551 sat/job"}};
    char out[48];

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct offer o = {.price_msat = ROWS[i].msat};

        snprintf(o.price_unit, sizeof o.price_unit, "%s", ROWS[i].unit);
        shelf_price(&o, out, sizeof out);
        assert_string_equal(out, ROWS[i].text);
    }
}

static void claims(void **st) {
    static const struct {
        const char *privacy;
        uint32_t gpus;
        const char *text;
    } ROWS[] = {{"sev-snp+gpu-cc", 1, "SNP + hopper CC"},
                {"sev-snp+gpu-cc", 8, "SNP + 8x hopper CC"},
                {"sev-snp", 0, "SNP, no GPU"},
                {"sev-snp", 1, "SNP, GPU open"},
                {"sim", 0, "SIMULATED"},
                {"none", 0, "(none)"}};
    char out[32];

    (void)st;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct offer o = {.gpu_count = ROWS[i].gpus};

        snprintf(o.privacy, sizeof o.privacy, "%s", ROWS[i].privacy);
        snprintf(o.gpu_arch, sizeof o.gpu_arch, "hopper");
        shelf_claims(&o, out, sizeof out);
        assert_string_equal(out, ROWS[i].text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_and_filters),
        cmocka_unit_test(prices),
        cmocka_unit_test(claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
