/* Lists of GPU evidence: captured ones, ours read back, the order, and what is refused. */
#include "core/gpu_list.c"
#include "core/hash.h"
#include "tests/unit/gpu_pki.h"
#include "tests/unit/gpu_vectors.h"

static void captured_lists(void **state) {
    static const struct {
        const char *file;
        size_t n;
    } rows[] = {{"ppcie-h100-590.12/hopper_evidence.json", 1},
                {"ppcie-h100-590.12/evidence_hopper_590_12.json", 1},
                {"ppcie-h100-590.12/multi_gpu_hopper.json", 4}};

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf json = {0};
        struct gpu_list l;
        struct err e = {0};

        assert_true(gpu_load(rows[i].file, &json));
        if (gpu_list_parse(buf_view(&json), &l, &e))
            fail_msg("%s: %s", rows[i].file, e.text);
        assert_int_equal(l.n, rows[i].n);
        for (size_t k = 0; k < l.n; k++) {
            const struct gpu_item *item = &l.item[k];
            struct gpu_report r;

            assert_string_equal(item->ev.arch, "HOPPER");
            assert_int_equal(item->n_certs, GPU_CERTS);
            assert_true(item->has_nonce && !item->has_state);
            assert_int_equal(gpu_report_parse(item->ev.report, &r, &e), 0);
            assert_memory_equal(r.nonce, item->nonce, 32);
        }
        gpu_list_free(&l);
    }
}

static void evidence_of(const struct pki *p, struct gpu_evidence *g, const char *report) {
    *g = (struct gpu_evidence){.arch = "BLACKWELL", .report = view_str(report), .state = {1, 0, 2}};
    memcpy(g->cert, p->cert, sizeof g->cert);
}

static void written_and_read_back(void **state) {
    const uint8_t nonce[32] = {7};
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);
    struct gpu_evidence g[2];
    struct gpu_list l;
    struct err e;
    struct pki p;

    (void)state;
    pki_init(&p);
    pki_make(&p);
    evidence_of(&p, &g[0], "one");
    evidence_of(&p, &g[1], "two");
    gpu_list_write(g, 2, nonce, &w);
    assert_int_equal(gpu_list_parse(buf_view(&json), &l, &e), 0);
    assert_int_equal(l.n, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct gpu_item *item = &l.item[i];

        assert_string_equal(item->ev.arch, "BLACKWELL");
        assert_true(view_eq(item->ev.report, g[i].report));
        for (size_t k = 0; k < GPU_CERTS; k++)
            assert_true(view_eq(item->ev.cert[k], p.cert[k]));
        assert_memory_equal(item->ev.state, g[i].state, 4);
        assert_true(item->has_state && item->has_nonce);
        assert_memory_equal(item->nonce, nonce, 32);
    }
    gpu_list_free(&l);
    buf_reset(&json);
    w = jw_new(&json);
    gpu_list_write(g, 0, nonce, &w);
    assert_int_equal(gpu_list_parse(buf_view(&json), &l, &e), 0);
    assert_int_equal(l.n, 0);
    gpu_list_free(&l);
    pki_free(&p);
}

static void refused(const char *json, const char *why) {
    struct gpu_list l;
    struct err e = {0};

    if (!gpu_list_parse(view_str(json), &l, &e))
        fail_msg("accepted: %s", json);
    if (!strstr(e.text, why))
        fail_msg("'%s' instead of '%s'", e.text, why);
    gpu_list_free(&l);
}

static void lists_that_are_wrong(void **state) {
    char many[400] = "[";

    (void)state;
    refused("{}", "not a list");
    refused("[1]", "GPU 1: it has not all of");
    refused("[{}]", "GPU 1: it has not all of");
    refused("[{\"arch\":\"AMPERE\",\"evidence\":\"\",\"certificate\":\"\"}]", "its 'arch' is none");
    refused("[{\"arch\":\"LS10\",\"evidence\":\"x\",\"certificate\":\"\"}]", "'evidence' is not");
    refused("[{\"arch\":\"LS10\",\"evidence\":\"\",\"certificate\":\"x\"}]",
            "'certificate' is not");
    refused("[{\"arch\":\"LS10\",\"evidence\":\"\",\"certificate\":\"eA==\"}]", "is not PEM");
    refused("[{\"arch\":\"LS10\",\"nonce\":\"00\",\"evidence\":\"\",\"certificate\":\"\"}]",
            "its 'nonce'");
    refused("[{\"arch\":\"LS10\",\"state\":\"0\",\"evidence\":\"\",\"certificate\":\"\"}]",
            "its 'nonce'");
    for (int i = 0; i < 17; i++)
        strncat(many, i ? ",{}" : "{}", 4);
    strncat(many, "]", 2);
    refused(many, "evidence of 17 GPUs");
}

static void pem_has_one_form(void **state) {
    static const char *const rows[] = {
        "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    };
    static const char *const bad[] = {
        "-----BEGIN CERTIFICATE-----\r\nQUJD\r\n-----END CERTIFICATE-----\r\n",
        "-----BEGIN CERTIFICATE-----\nQU\nJD\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nQUJD\n\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n\n",
        "-----BEGIN CERTIFICATE-----\nQUJE=\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nQUK=\n-----END CERTIFICATE-----\n", /* bits that are nobody's
                                                                           */
        "-----BEGIN CERTIFICATE-----\nQUJD\n",
        "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n",
        "subject=x\n-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n",
    };
    struct buf der[2] = {0};
    struct err e;
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(pem_certificates(view_str(rows[i]), der, 2, &n, &e), 0);
        assert_int_equal(n, 1);
        assert_true(view_is(buf_view(&der[0]), i < 2 ? "ABC" : ""));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (!pem_certificates(view_str(bad[i]), der, 2, &n, &e))
            fail_msg("accepted: %s", bad[i]);
    buf_free(&der[0]);
    buf_free(&der[1]);
}

/* Every byte of a captured PEM, changed: another chain, or none. */
static void changed_pem_is_another_chain(void **state) {
    cleanup_buf struct buf pem = {0};
    struct gpu_item good, bad;
    struct err e;

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(gpu_load("h100-550.90.07/chain.pem", &pem));
    assert_int_equal(gpu_item_read(&good, "HOPPER", (struct view){0}, buf_view(&pem), &e), 0);
    for (size_t i = 0; i < pem.n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bool same;

            pem.p[i] ^= (uint8_t)(1u << bit);
            same = !gpu_item_read(&bad, "HOPPER", (struct view){0}, buf_view(&pem), &e) &&
                   bad.n_certs == good.n_certs;
            for (size_t k = 0; k < GPU_CERTS && same; k++)
                same = view_eq(good.ev.cert[k], bad.ev.cert[k]);
            if (same)
                fail_msg("byte %zu, bit %u", i, bit);
            pem.p[i] ^= (uint8_t)(1u << bit);
            gpu_item_free(&bad);
        }
    gpu_item_free(&good);
    assert_int_equal(gpu_item_read(&good, NULL, (struct view){0}, buf_view(&pem), &e), 0);
    assert_null(good.ev.arch);
    gpu_item_free(&good);
}

static void the_order_is_by_device(void **state) {
    struct gpu_evidence g[3];
    struct pki p[3];
    struct err e;

    (void)state;
    for (int i = 0; i < 3; i++) {
        pki_init(&p[i]);
        p[i].row[1].serial[4] = (uint8_t)(i == 0 ? 0x90 : i == 1 ? 0x10 : 0x80);
        pki_make(&p[i]);
        evidence_of(&p[i], &g[i], i == 0 ? "c" : i == 1 ? "a" : "b");
    }
    assert_int_equal(gpu_order(g, 3, &e), 0);
    assert_true(view_is(g[0].report, "a") && view_is(g[1].report, "b") &&
                view_is(g[2].report, "c"));
    g[1] = g[2];
    assert_int_equal(gpu_order(g, 3, &e), -1);
    assert_string_equal(e.code, "same-gpu");
    g[1].cert[1] = view_str("x");
    assert_int_equal(gpu_order(g, 3, &e), -1);
    assert_non_null(strstr(e.text, "GPU 2"));
    assert_int_equal(gpu_order(g, GPUS_MAX + 1, &e), -1);
    for (int i = 0; i < 3; i++)
        pki_free(&p[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_lists),
        cmocka_unit_test(written_and_read_back),
        cmocka_unit_test(lists_that_are_wrong),
        cmocka_unit_test(pem_has_one_form),
        cmocka_unit_test(changed_pem_is_another_chain),
        cmocka_unit_test(the_order_is_by_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
