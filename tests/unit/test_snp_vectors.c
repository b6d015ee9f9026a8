/* Every row of the SNP vectors: real reports, changed ones, certificate tables, a synthetic PKI.
 * The outcome and the failing ids are compared, and printed as a table. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "tests/unit/snp_vectors.h"

/* The policy under which a row's own fault is the only one left. */
static struct policy lenient(void) {
    struct policy p;

    policy_preset(&p, POLICY_STANDARD);
    p.allow_milan = p.allow_v2 = p.allow_vlek = true;
    return p;
}

static void print_row(const char *name, const struct verdict *v, const char *fails) {
    print_message("# %-42s %-11s %s\n", name, check_state_name(verdict_state(v)), fails);
}

/* fails: the exact set of failing leaves, "" for none. */
static void expect_fails(const char *name, const struct vector *in, const struct policy *p,
                         int64_t now, const char *fails) {
    struct verdict *v = verify(in, p, now);
    cleanup_buf struct buf got = {0};

    buf_str(&got, "");
    ids_in(verdict_tree(v), CHECK_FAIL, &got);
    print_row(name, v, (const char *)got.p);
    if (strcmp((const char *)got.p, fails) != 0)
        fail_msg("%s: failing '%s' instead of '%s'", name, got.p, fails);
    assert_int_equal(verdict_state(v) == CHECK_FAIL, *fails != 0);
    assert_false(verdict_simulated(v));
    assert_false(verdict_allows(v)); /* a bare report names no guest */
    verdict_free(v);
}

/* id: a leaf that must be among the failing ones. */
static void expect_refused(const char *name, const struct vector *in, const struct policy *p,
                           const char *id) {
    struct verdict *v = verify(in, p, NOW);
    cleanup_buf struct buf got = {0};

    buf_str(&got, "");
    ids_in(verdict_tree(v), CHECK_FAIL, &got);
    print_row(name, v, (const char *)got.p);
    if (verdict_state(v) != CHECK_FAIL)
        fail_msg("%s: %s", name, check_state_name(verdict_state(v)));
    if (!has_word((const char *)got.p, id))
        fail_msg("%s: '%s' is not among the failing: %s", name, id, got.p);
    verdict_free(v);
}

struct real_row {
    const char *name, *family;
    bool vlek, at_vlek_time;
    const char *fails;
};
static const struct real_row real[] = {
    {"milan_v2_debug", "milan", false, false, "snp.tcb.floor snp.policy.debug"},
    {"milan_v2_a", "milan", false, false, "snp.tcb.floor"},
    {"milan_v2_azure", "milan", false, false, "snp.tcb.floor"},
    {"milan_v2_azure_b", "milan", false, false, "snp.tcb.floor"},
    {"milan_v2_b", "milan", false, false, "snp.tcb.floor"},
    {"milan_v3_a", "milan", false, false, ""},
    {"milan_v3_b", "milan", false, false, ""},
    {"milan_v3_reported_lower", "milan", false, false, "snp.tcb.floor"},
    {"milan_v3_azure", "milan", false, false, ""},
    {"milan_v3_aci", "milan", false, false, ""},
    {"genoa_v3_aci", "genoa", false, false, ""},
    {"genoa_v3_tinfoil", "genoa", false, false, ""},
    {"genoa_v5_gcp", "genoa", false, false, ""},
    {"siena_or_bergamo_v5", "genoa", false, false, ""},
    {"turin_v5_aci", "turin", false, false, ""},
    {"milan_v3_vlek_vmpl1", "milan", true, false, "snp.chain.dates snp.tcb.floor snp.vmpl"},
    {"milan_v3_vlek_vmpl1", "milan", true, true, "snp.tcb.floor snp.vmpl"},
    {"mismatch_vlek_2023", "milan", true, false, "snp.signature snp.chain.dates snp.tcb.floor"},
};

static void load_real(struct vector *v, const char *name, const char *family, bool vlek) {
    *v = (struct vector){0};
    load(&v->report, "real", name, ".report.bin");
    load(&v->vek, "real", name, ".vek.der");
    load_root(&v->ask, vlek ? "asvk" : "ask", family);
    load_root(&v->ark, "ark", family);
    expect_from(v, &v->report);
}

static bool vectors_absent(void) {
    return !vector_path("snp/real/genoa_v5_gcp.report.bin");
}

static void real_reports(void **state) {
    struct policy p = lenient();

    (void)state;
    if (vectors_absent())
        skip();
    for (size_t i = 0; i < COUNT(real); i++) {
        struct vector v;

        load_real(&v, real[i].name, real[i].family, real[i].vlek);
        expect_fails(real[i].name, &v, &p, real[i].at_vlek_time ? NOW_VLEK : NOW, real[i].fails);
        vector_free(&v);
    }
}

static void real_reports_under_the_default_policy(void **state) {
    struct policy p;

    (void)state;
    if (vectors_absent())
        skip();
    policy_preset(&p, POLICY_STANDARD);
    for (size_t i = 0; i < COUNT(real); i++) {
        struct vector v;

        load_real(&v, real[i].name, real[i].family, real[i].vlek);
        if (!strcmp(real[i].family, "milan"))
            expect_refused(real[i].name, &v, &p,
                           strstr(real[i].name, "mismatch") ? "snp.version" : "snp.product");
        else
            expect_fails(real[i].name, &v, &p, NOW, "");
        vector_free(&v);
    }
}

static void other_nonce_and_measurement(void **state) {
    struct policy p = lenient();

    (void)state;
    if (vectors_absent())
        skip();
    for (size_t i = 0; i < COUNT(real); i++) {
        struct vector v;

        if (*real[i].fails)
            continue;
        load_real(&v, real[i].name, real[i].family, false);
        v.data[63] ^= 1;
        expect_fails("  other nonce", &v, &p, NOW, "snp.report_data");
        v.data[63] ^= 1;
        v.digest[0] ^= 0x80;
        expect_fails("  other measurement", &v, &p, NOW, "snp.measurement");
        vector_free(&v);
    }
}

static void nothing_expected_is_not_checked(void **state) {
    struct policy p = lenient();
    struct vector v;
    struct verdict *d;

    (void)state;
    if (vectors_absent())
        skip();
    load_real(&v, "genoa_v5_gcp", "genoa", false);
    v.has_expected = false;
    d = verify(&v, &p, NOW);
    assert_int_equal(verdict_state(d), CHECK_NOT_CHECKED);
    assert_int_equal(verdict_exit_code(d), 3);
    verdict_free(d);
    vector_free(&v);
}

/* Certificates that are missing are NOT CHECKED, of another family a failure. */
static void missing_and_foreign_certificates(void **state) {
    struct policy p = lenient();
    struct vector v;
    struct verdict *d;

    (void)state;
    if (vectors_absent())
        skip();
    for (int i = 0; i < 3; i++) {
        load_real(&v, "genoa_v5_gcp", "genoa", false);
        buf_reset(i == 0 ? &v.vek : i == 1 ? &v.ask : &v.ark);
        d = verify(&v, &p, NOW);
        assert_int_equal(verdict_state(d), CHECK_NOT_CHECKED);
        assert_int_equal(verdict_find(d, "snp.product")->state, CHECK_NOT_CHECKED);
        verdict_free(d);
        vector_free(&v);
    }
    load_real(&v, "genoa_v5_gcp", "milan", false);
    expect_refused("Genoa report, Milan chain", &v, &p, "snp.chain.root");
    vector_free(&v);
    load_real(&v, "genoa_v5_gcp", "genoa", true);
    expect_refused("VCEK under the ASVK", &v, &p, "snp.chain.intermediate");
    vector_free(&v);
}

static void other_real_certificates(void **state) {
    static const char *const bad[] = {"badsig_vcek_hwid_raw", "badsig_vcek_hwid_octetstring"};
    struct policy p = lenient();
    struct vector v;

    (void)state;
    if (vectors_absent())
        skip();
    for (size_t i = 0; i < COUNT(bad); i++) {
        load_real(&v, "milan_v3_a", "milan", false);
        buf_reset(&v.vek);
        load(&v.vek, "real", bad[i], ".der");
        expect_refused(bad[i], &v, &p, "snp.chain.leaf");
        vector_free(&v);
    }
    load_real(&v, "turin_v5_aci", "turin", false);
    buf_reset(&v.vek);
    load(&v.vek, "real", "lone_vcek_turin_engineering", ".der");
    expect_fails("Turin report, engineering VCEK", &v, &p, NOW,
                 "snp.signature snp.vek.tcb snp.vek.hwid");
    vector_free(&v);
    v = (struct vector){0};
    load(&v.report, "real", "no_vek_milan_v2_current_gt_committed", ".report.bin");
    expect_from(&v, &v.report);
    {
        struct verdict *d = verify(&v, &p, NOW);

        assert_int_equal(verdict_state(d), CHECK_NOT_CHECKED);
        verdict_free(d);
    }
    vector_free(&v);
}

struct named_id {
    const char *suffix, *id;
};

static const char *id_of(const struct named_id *rows, size_t n, const char *name) {
    size_t len = strlen(name);

    for (size_t i = 0; i < n; i++) {
        size_t k = strlen(rows[i].suffix);

        if (len > k && !strcmp(name + len - k, rows[i].suffix))
            return rows[i].id;
    }
    fail_msg("no expectation is written for %s", name);
    return NULL;
}

static void changed_reports(void **state) {
    static const struct named_id ids[] = {
        {"__version.bin", "snp.version"},
        {"__guest_svn.bin", "snp.signature"},
        {"__policy_debug.bin", "snp.policy.debug"},
        {"__vmpl.bin", "snp.vmpl"},
        {"__platform_info.bin", "snp.signature"},
        {"__report_data_first.bin", "snp.report_data"},
        {"__report_data_last.bin", "snp.report_data"},
        {"__measurement.bin", "snp.measurement"},
        {"__host_data.bin", "snp.signature"},
        {"__reported_tcb.bin", "snp.vek.tcb"},
        {"__cpuid_model.bin", "snp.chain.root"},
        {"__chip_id.bin", "snp.vek.hwid"},
        {"__launch_tcb.bin", "snp.signature"},
        {"__last_signed_byte.bin", "snp.structure"},
        {"__sig_r.bin", "snp.signature"},
        {"__sig_s.bin", "snp.signature"},
        {"__first_unsigned.bin", "snp.structure"},
        {"__last_byte.bin", "snp.structure"},
    };
    struct policy p = lenient();
    cJSON *all = vectors_load("snp/mutated/cases.json");
    const cJSON *c;
    int n = 0;

    (void)state;
    if (!all)
        skip();
    cJSON_ArrayForEach(c, all) {
        const char *file = case_str(c, "file"), *of = case_str(c, "of");
        struct vector v;

        load_real(&v, of, strstr(of, "turin") ? "turin" : "genoa", false);
        buf_reset(&v.report);
        load(&v.report, "mutated", file, "");
        expect_refused(file, &v, &p, id_of(ids, COUNT(ids), file));
        vector_free(&v);
        n++;
    }
    assert_int_equal(n, 22);
    cJSON_Delete(all);
}

/* Certificates from the table alone; the roots complete what it does not carry. */
static void certificate_tables(void **state) {
    static const struct {
        const char *file;
        enum check_state state;
    } rows[] = {
        {"good_vcek_ask_ark.bin", CHECK_WARN},
        {"good_page_padded.bin", CHECK_WARN},
        {"good_vcek_only.bin", CHECK_WARN},
        {"good_unknown_guid.bin", CHECK_WARN},
        {"empty_terminator_only.bin", CHECK_NOT_CHECKED},
        {"empty_zero_length.bin", CHECK_NOT_CHECKED},
        {"bad_no_terminator.bin", CHECK_FAIL},
        {"bad_overflow_u32.bin", CHECK_FAIL},
        {"bad_out_of_range.bin", CHECK_FAIL},
        {"bad_offset_in_header.bin", CHECK_FAIL},
        {"bad_truncated_entry.bin", CHECK_FAIL},
        {"dup_vcek.bin", CHECK_FAIL},
        {"bad_guid_little_endian.bin", CHECK_NOT_CHECKED},
    };
    struct policy p = lenient();

    (void)state;
    if (vectors_absent())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct vector v;
        struct verdict *d;

        load_real(&v, "genoa_v3_aci", "genoa", false);
        buf_reset(&v.vek);
        load(&v.table, "certtable", rows[i].file, "");
        d = verify(&v, &p, NOW);
        print_row(rows[i].file, d, "");
        if (verdict_state(d) != rows[i].state)
            fail_msg("%s: %s", rows[i].file, check_state_name(verdict_state(d)));
        if (rows[i].state == CHECK_FAIL)
            assert_int_equal(verdict_find(d, "snp.chain.leaf")->state, CHECK_FAIL);
        verdict_free(d);
        vector_free(&v);
    }
}

static enum snp_product product_in(const char *name) {
    return strstr(name, "turin") ? PRODUCT_TURIN : PRODUCT_MILAN;
}

static void load_sim(struct vector *v, const char *report, const char *vek, const char *ica,
                     bool trust_root) {
    const char *family = strstr(report, "turin") ? "turin" : "milan";
    struct buf good = {0};
    char name[64], ark[64];
    uint8_t sha[32];

    *v = (struct vector){0};
    snprintf(ark, sizeof ark, "sim_ark_%s.der", family);
    load(&v->report, "simpki", report, "");
    load(&v->vek, "simpki", vek, "");
    load(&v->ask, "simpki", ica, "");
    load(&v->ark, "simpki", ark, "");
    snprintf(name, sizeof name, "%s_good.report.bin", family);
    load(&good, "simpki", name, "");
    expect_from(v, &good);
    buf_free(&good);
    roots_test_clear();
    sha256(buf_view(&v->ark), sha);
    if (trust_root)
        roots_test_add(product_in(report), sha);
}

static const struct named_id sim_ids[] = {
    {"_debug", "snp.policy.debug"},
    {"_migrate_ma", "snp.policy.migrate"},
    {"_vmpl1", "snp.vmpl"},
    {"_vmpl_host", "snp.vmpl"},
    {"_algo0", "snp.signature"},
    {"_version1", "snp.version"},
    {"_version6", "snp.version"},
    {"_policy_bit17_zero", "snp.policy.reserved"},
    {"_policy_bit26_set", "snp.policy.reserved"},
    {"_res_4c", "snp.structure"},
    {"_keyinfo_vlek_but_vcek_cert", "snp.chain.leaf"},
    {"_keyinfo_none", "snp.key_info"},
    {"_mask_chip_key", "snp.key_info"},
    {"_zero_sig", "snp.signature"},
    {"_reported_gt_cert", "snp.vek.tcb"},
    {"_committed_gt_current", "snp.tcb.order"},
    {"_wrong_chip", "snp.vek.hwid"},
    {"_wrong_nonce", "snp.report_data"},
    {"_wrong_measurement", "snp.measurement"},
    {"_vlek_under_ask", "snp.chain.intermediate"},
    {"_ext_missing_ucode", "snp.chain.leaf"},
    {"_ext_missing_hwid", "snp.chain.leaf"},
    {"_ext_both_hwid_csp", "snp.chain.leaf"},
    {"_vcek_expired", "snp.chain.dates"},
    {"_vcek_p256", "snp.chain.leaf"},
    {"_vcek_other_issuer", "snp.chain.leaf"},
    {"_ask_not_under_ark", "snp.chain.intermediate"},
    {"_sig_reserved_nonzero", "snp.structure"},
    {"_sig_r_over_48", "snp.signature"},
    {"_sig_r_eq_n", "snp.signature"},
    {"_truncated", "snp.structure"},
    {"_oversize", "snp.structure"},
    {"_forged_root", "snp.chain.root"},
};

static void synthetic_pki(void **state) {
    struct policy p = lenient();
    cJSON *all = vectors_load("snp/simpki/cases.json");
    const cJSON *c;
    int n = 0;

    (void)state;
    if (!all)
        skip();
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(all, "cases")) {
        const char *id = case_str(c, "id"), *expect = case_str(c, "expect");
        struct vector v;

        load_sim(&v, case_str(c, "report"), case_str(c, "vek"), case_str(c, "ica"),
                 strcmp(case_str(c, "root"), "BUILTIN") != 0);
        if (!strcmp(expect, "REJECT"))
            expect_refused(id, &v, &p, id_of(sim_ids, COUNT(sim_ids), id));
        else
            expect_fails(id, &v, &p, NOW, "");
        vector_free(&v);
        n++;
    }
    assert_int_equal(n, 74);
    roots_test_clear();
    cJSON_Delete(all);
}

static void a_cloud_key_needs_permission(void **state) {
    struct policy p = lenient();
    struct vector v;

    (void)state;
    if (vectors_absent())
        skip();
    p.allow_vlek = false;
    load_sim(&v, "milan_vlek_good.report.bin", "sim_vlek_milan.der", "sim_asvk_milan.der", true);
    expect_fails("VLEK without permission", &v, &p, NOW, "snp.key_info");
    vector_free(&v);
    roots_test_clear();
}

static void revocation(void **state) {
    static const struct {
        const char *list;
        enum check_state lists, strict;
    } rows[] = {
        {"empty", CHECK_PASS, CHECK_PASS},
        {"ask_revoked", CHECK_FAIL, CHECK_FAIL},
        {"asvk_revoked", CHECK_PASS, CHECK_PASS}, /* another intermediate's */
        {"expired", CHECK_NOT_CHECKED, CHECK_NOT_CHECKED},
        {"future", CHECK_NOT_CHECKED, CHECK_NOT_CHECKED},
        {"wrong_key", CHECK_NOT_CHECKED, CHECK_NOT_CHECKED},
        {"signed_by_ask", CHECK_NOT_CHECKED, CHECK_NOT_CHECKED},
    };
    static const char *const families[] = {"milan", "turin"};
    struct policy p = lenient();

    (void)state;
    if (vectors_absent())
        skip();
    for (size_t f = 0; f < 2; f++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            char report[64], vek[64], ask[64], crl[64];
            struct vector v;
            struct verdict *d;

            snprintf(report, sizeof report, "%s_good.report.bin", families[f]);
            snprintf(vek, sizeof vek, "sim_vcek_%s.der", families[f]);
            snprintf(ask, sizeof ask, "sim_ask_%s.der", families[f]);
            snprintf(crl, sizeof crl, "sim_crl_%s_%s.der", families[f], rows[i].list);
            load_sim(&v, report, vek, ask, true);
            load(&v.crl, "simpki", crl, "");
            d = verify(&v, &p, NOW);
            print_row(crl, d, verdict_find(d, "snp.crl")->why);
            assert_int_equal(verdict_find(d, "snp.crl")->state, rows[i].lists);
            assert_int_equal(verdict_state(d) == CHECK_FAIL, rows[i].lists == CHECK_FAIL);
            verdict_free(d);
            p.profile = POLICY_STRICT;
            d = verify(&v, &p, NOW);
            assert_int_equal(verdict_find(d, "snp.crl")->state, rows[i].strict);
            assert_true(verdict_find(d, "snp.crl")->required);
            verdict_free(d);
            p.profile = POLICY_STANDARD;
            vector_free(&v);
        }
    roots_test_clear();
}

static void a_revoked_cloud_intermediate(void **state) {
    struct policy p = lenient();
    struct vector v;

    (void)state;
    if (vectors_absent())
        skip();
    load_sim(&v, "milan_vlek_good.report.bin", "sim_vlek_milan.der", "sim_asvk_milan.der", true);
    load(&v.crl, "simpki", "sim_crl_milan_asvk_revoked.der", "");
    expect_fails("VLEK, ASVK revoked", &v, &p, NOW, "snp.crl");
    vector_free(&v);
    load_sim(&v, "milan_good.report.bin", "sim_vcek_milan.der", "sim_ask_milan.der", true);
    load(&v.crl, "simpki", "sim_crl_milan_empty.der", "");
    p.crl_max_age = 1;
    {
        struct verdict *d = verify(&v, &p, NOW);

        assert_int_equal(verdict_find(d, "snp.crl")->state, CHECK_NOT_CHECKED);
        verdict_free(d);
    }
    vector_free(&v);
    roots_test_clear();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_reports),
        cmocka_unit_test(real_reports_under_the_default_policy),
        cmocka_unit_test(other_nonce_and_measurement),
        cmocka_unit_test(nothing_expected_is_not_checked),
        cmocka_unit_test(missing_and_foreign_certificates),
        cmocka_unit_test(other_real_certificates),
        cmocka_unit_test(changed_reports),
        cmocka_unit_test(certificate_tables),
        cmocka_unit_test(synthetic_pki),
        cmocka_unit_test(a_cloud_key_needs_permission),
        cmocka_unit_test(revocation),
        cmocka_unit_test(a_revoked_cloud_intermediate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
