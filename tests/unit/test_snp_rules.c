/* Evidence of our own making: every rule over report and certificate has a row that breaks it
 * alone. Needs no vector files. */
#include "provider/psp_sim.c"
#include "provider/psp_cert.c"
#include "attest/checks.h"
#include "tests/unit/snp_vectors.h"

#define TODAY ((int64_t)time(NULL))

static struct psp_sim *psp;
static uint8_t fingerprint[32];
static struct policy policy;
static uint8_t report[SIM_REPORT_SIZE];
static struct snp_collateral certs;

static int group_setup(void **state) {
    struct err e = {0};

    (void)state;
    mkdir("build", 0755);
    psp = psp_sim_open("build/test-psp", NULL, NULL, &e);
    if (!psp)
        fail_msg("%s", e.text);
    psp_sim_fingerprint(psp, fingerprint);
    return 0;
}

static int group_teardown(void **state) {
    (void)state;
    psp_sim_free(psp);
    return 0;
}

static int setup(void **state) {
    uint8_t data[64] = {1}, digest[48] = {2};
    struct err e;

    (void)state;
    policy_preset(&policy, POLICY_DEMO);
    certs = (struct snp_collateral){
        .vek = psp_sim_vek(psp), .ask = psp_sim_ask(psp), .ark = psp_sim_ark(psp)};
    assert_int_equal(psp_sim_report(psp, data, digest, 0x30000, report, &e), 0);
    return 0;
}

static struct verdict *judge(void) {
    const uint8_t data[64] = {1}, digest[48] = {2};
    const struct expect_report x = {.report_data = data,
                                    .measurement = digest,
                                    .sim_roots = (const uint8_t(*)[32]) & fingerprint,
                                    .n_sim_roots = 1};

    return evidence_verify_report(view_of(report, sizeof report), &certs, &x, &policy, TODAY);
}

/* The state of the whole, and the leaves that are WARN or FAIL, in tree order. */
static void expect(const char *what, enum check_state s, const char *ids) {
    struct verdict *v = judge();
    cleanup_buf struct buf bad = {0}, warn = {0};

    buf_str(&bad, "");
    ids_in(verdict_tree(v), CHECK_FAIL, &bad);
    ids_in(verdict_tree(v), CHECK_WARN, &warn);
    if (warn.n)
        buf_fmt(&bad, "%s%s", bad.n ? " " : "", warn.p);
    if (verdict_state(v) != s || strcmp((const char *)bad.p, ids) != 0)
        fail_msg("%s: %s '%s' instead of %s '%s'", what, check_state_name(verdict_state(v)), bad.p,
                 check_state_name(s), ids);
    verdict_free(v);
}

/* Signs the report as it stands: a field that firmware would never write, honestly signed. */
static void resign(void) {
    assert_true(report_sign(psp->vcek_key, report));
}

struct change {
    const char *what;
    uint16_t at;
    uint8_t value;
    enum check_state state;
    const char *ids;
};

static void changed_fields(void **state) {
    static const struct change rows[] = {
        {"as made", 0x000, 3, CHECK_PASS, ""},
        {"version 4", 0x000, 4, CHECK_PASS, ""},
        {"version 5", 0x000, 5, CHECK_PASS, ""},
        {"version 0", 0x000, 0, CHECK_FAIL, "snp.version"},
        {"version 1", 0x000, 1, CHECK_FAIL, "snp.version"},
        {"version 6", 0x000, 6, CHECK_FAIL, "snp.version"},
        {"version 0x103", 0x001, 1, CHECK_FAIL, "snp.version"},
        {"guest svn", 0x004, 1, CHECK_WARN, "snp.id_block"},
        {"policy: debug", 0x00a, 0x0b, CHECK_FAIL, "snp.policy.debug"},
        {"policy: migrate", 0x00a, 0x07, CHECK_FAIL, "snp.policy.migrate"},
        {"policy: bit 17 clear", 0x00a, 0x01, CHECK_FAIL, "snp.policy.reserved"},
        {"policy: bit 25 before version 5", 0x00b, 0x02, CHECK_FAIL, "snp.policy.reserved"},
        {"policy: bit 26", 0x00b, 0x04, CHECK_FAIL, "snp.policy.reserved"},
        {"policy: bit 63", 0x00f, 0x80, CHECK_FAIL, "snp.policy.reserved"},
        {"policy: SMT off", 0x00a, 0x02, CHECK_PASS, ""},
        {"policy: ABI 1.0", 0x009, 1, CHECK_PASS, ""},
        {"policy: ABI 2.0", 0x009, 2, CHECK_FAIL, "snp.policy.abi"},
        {"policy: RAPL off, met", 0x00a, 0x83, CHECK_PASS, ""},
        {"family id", 0x010, 1, CHECK_WARN, "snp.id_block"},
        {"image id", 0x02f, 1, CHECK_WARN, "snp.id_block"},
        {"VMPL 1", 0x030, 1, CHECK_FAIL, "snp.vmpl"},
        {"VMPL 2", 0x030, 2, CHECK_FAIL, "snp.vmpl"},
        {"VMPL 3", 0x030, 3, CHECK_FAIL, "snp.vmpl"},
        {"VMPL 4", 0x030, 4, CHECK_FAIL, "snp.vmpl"},
        {"algorithm 0", 0x034, 0, CHECK_FAIL, "snp.signature"},
        {"algorithm 2", 0x034, 2, CHECK_FAIL, "snp.signature"},
        {"CURRENT below REPORTED", 0x03e, 0x1a, CHECK_FAIL, "snp.tcb.order snp.tcb.provisional"},
        {"CURRENT above COMMITTED", 0x03f, 0x55, CHECK_WARN, "snp.tcb.provisional"},
        {"CURRENT reserved", 0x03a, 1, CHECK_FAIL,
         "snp.tcb.order snp.tcb.floor snp.tcb.provisional"},
        {"no alias check", 0x040, 0x1c, CHECK_FAIL, "snp.platform.alias_check"},
        {"SMT on", 0x040, 0x3d, CHECK_PASS, ""},
        {"platform: unknown bit 6", 0x040, 0x7c, CHECK_WARN, "snp.platform.unknown"},
        {"platform: unknown bit 8", 0x041, 1, CHECK_WARN, "snp.platform.unknown"},
        {"author key enabled", 0x048, 1, CHECK_WARN, "snp.id_block"},
        {"masked chip key", 0x048, 2, CHECK_FAIL, "snp.key_info"},
        {"signed by a VLEK", 0x048, 4, CHECK_FAIL, "snp.key_info snp.chain.leaf"},
        {"signing key 2", 0x048, 8, CHECK_FAIL, "snp.key_info"},
        {"signing key none", 0x048, 0x1c, CHECK_FAIL, "snp.key_info"},
        {"key info reserved", 0x048, 0x20, CHECK_FAIL, "snp.structure"},
        {"key info reserved, high", 0x04b, 0x80, CHECK_FAIL, "snp.structure"},
        {"reserved 0x4c", 0x04f, 1, CHECK_FAIL, "snp.structure"},
        {"report data", 0x050, 2, CHECK_FAIL, "snp.report_data"},
        {"report data, last", 0x08f, 2, CHECK_FAIL, "snp.report_data"},
        {"measurement", 0x090, 3, CHECK_FAIL, "snp.measurement"},
        {"measurement, last", 0x0bf, 3, CHECK_FAIL, "snp.measurement"},
        {"host data", 0x0df, 1, CHECK_WARN, "snp.host_data"},
        {"id key digest", 0x0e0, 1, CHECK_WARN, "snp.id_block"},
        {"author digest without author", 0x110, 1, CHECK_FAIL, "snp.key_info snp.id_block"},
        {"report id", 0x140, 0x55, CHECK_PASS, ""},
        {"REPORTED bl", 0x180, 9, CHECK_FAIL, "snp.vek.tcb snp.tcb.floor"},
        {"REPORTED tee", 0x181, 1, CHECK_FAIL, "snp.vek.tcb snp.tcb.order"},
        {"REPORTED reserved", 0x182, 1, CHECK_FAIL,
         "snp.vek.tcb snp.tcb.order snp.tcb.floor snp.tcb.provisional"},
        {"REPORTED snp", 0x186, 0x1a, CHECK_FAIL, "snp.vek.tcb"},
        {"REPORTED ucode", 0x187, 0x53, CHECK_FAIL, "snp.vek.tcb snp.tcb.floor"},
        {"a Milan model", 0x189, 0x01, CHECK_FAIL, "snp.product snp.tcb.floor"},
        {"a Turin family", 0x188, 0x1a, CHECK_FAIL, "snp.chain.leaf snp.tcb.order snp.tcb.floor"},
        {"a family of nobody", 0x188, 0x17, CHECK_FAIL, "snp.product"},
        {"a model of nobody", 0x189, 0x20, CHECK_FAIL, "snp.product"},
        {"a stepping without a floor", 0x18a, 9, CHECK_FAIL, "snp.tcb.floor"},
        {"reserved after CPUID", 0x18b, 1, CHECK_FAIL, "snp.structure"},
        {"reserved before chip id", 0x19f, 1, CHECK_FAIL, "snp.structure"},
        {"COMMITTED above CURRENT", 0x1e7, 0x55, CHECK_FAIL, "snp.tcb.order snp.tcb.provisional"},
        {"COMMITTED below floor", 0x1e6, 0x16, CHECK_FAIL, "snp.tcb.floor snp.tcb.provisional"},
        {"firmware committed above current", 0x1ec, 50, CHECK_FAIL,
         "snp.tcb.order snp.tcb.provisional"},
        {"firmware provisional", 0x1e8, 50, CHECK_WARN, "snp.tcb.provisional"},
        {"reserved 0x1eb", 0x1eb, 1, CHECK_FAIL, "snp.structure"},
        {"reserved 0x1ef", 0x1ef, 1, CHECK_FAIL, "snp.structure"},
        {"LAUNCH below floor", 0x1f0, 9, CHECK_FAIL, "snp.tcb.floor"},
        {"mitigation vector before version 5", 0x1f8, 1, CHECK_FAIL, "snp.structure"},
        {"reserved, last signed", 0x29f, 1, CHECK_FAIL, "snp.structure"},
        {"unsigned tail, first", 0x330, 1, CHECK_FAIL, "snp.structure"},
        {"unsigned tail, last", 0x49f, 1, CHECK_FAIL, "snp.structure"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        setup(NULL);
        report[rows[i].at] = rows[i].value;
        resign();
        expect(rows[i].what, rows[i].state, rows[i].ids);
    }
    print_message("# %zu rows, each its own ids\n", COUNT(rows));
}

/* The same changes without a new signature: the fields prove nothing any more. */
/* The classes that other verifiers test for, each honestly signed by the chip's key: what a host
 * could make real firmware say. Several fields of one report, and the ids that must say no. */
static void classes_of_tampering(void **state) {
    static const struct {
        const char *what;
        struct {
            uint16_t at;
            uint8_t value;
        } set[8];
        enum check_state state;
        const char *ids;
    } rows[] = {
        {"debug", {{0x00a, 0x0b}}, CHECK_FAIL, "snp.policy.debug"},
        {"migration", {{0x00a, 0x07}}, CHECK_FAIL, "snp.policy.migrate"},
        {"debug and migration", {{0x00a, 0x0f}}, CHECK_FAIL, "snp.policy.debug snp.policy.migrate"},
        {"reserved policy bits", {{0x00c, 0xff}}, CHECK_FAIL, "snp.policy.reserved"},
        {"VMPL 0", {{0x030, 0}}, CHECK_PASS, ""},
        {"VMPL 1", {{0x030, 1}}, CHECK_FAIL, "snp.vmpl"},
        {"VMPL 2", {{0x030, 2}}, CHECK_FAIL, "snp.vmpl"},
        {"VMPL 3", {{0x030, 3}}, CHECK_FAIL, "snp.vmpl"},
        {"VMPL 4", {{0x030, 4}}, CHECK_FAIL, "snp.vmpl"},
        {"VMPL of the host's own request",
         {{0x030, 0xff}, {0x031, 0xff}, {0x032, 0xff}, {0x033, 0xff}},
         CHECK_FAIL,
         "snp.vmpl"},
        {"unknown algorithm", {{0x034, 2}}, CHECK_FAIL, "snp.signature"},
        {"no algorithm", {{0x034, 0}}, CHECK_FAIL, "snp.signature"},
        {"a VLEK's report under a VCEK", {{0x048, 4}}, CHECK_FAIL, "snp.key_info snp.chain.leaf"},
        {"masked key, chip id shown", {{0x048, 2}}, CHECK_FAIL, "snp.key_info"},
        {"provisional firmware", {{0x1ec, 40}}, CHECK_WARN, "snp.tcb.provisional"},
        {"provisional level", {{0x1e7, 0x54}, {0x03f, 0x60}}, CHECK_WARN, "snp.tcb.provisional"},
        {"CURRENT below the floor",
         {{0x03e, 0x16}, {0x1e6, 0x16}},
         CHECK_FAIL,
         "snp.tcb.order snp.tcb.floor"},
        {"COMMITTED below the floor",
         {{0x1e6, 0x16}},
         CHECK_FAIL,
         "snp.tcb.floor snp.tcb.provisional"},
        {"LAUNCH below the floor", {{0x1f6, 0x16}}, CHECK_FAIL, "snp.tcb.floor"},
        {"REPORTED below the floor", {{0x186, 0x16}}, CHECK_FAIL, "snp.vek.tcb snp.tcb.floor"},
        {"all four below, boot loader",
         {{0x038, 9}, {0x180, 9}, {0x1e0, 9}, {0x1f0, 9}},
         CHECK_FAIL,
         "snp.vek.tcb snp.tcb.floor"},
        {"all four below, SNP",
         {{0x03e, 0x16}, {0x186, 0x16}, {0x1e6, 0x16}, {0x1f6, 0x16}},
         CHECK_FAIL,
         "snp.vek.tcb snp.tcb.floor"},
        {"all four below, microcode",
         {{0x03f, 0x53}, {0x187, 0x53}, {0x1e7, 0x53}, {0x1f7, 0x53}},
         CHECK_FAIL,
         "snp.vek.tcb snp.tcb.floor"},
        {"another chip", {{0x1a0, 1}, {0x1a1, 2}, {0x1a2, 3}}, CHECK_FAIL, "snp.vek.hwid"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        setup(NULL);
        for (size_t k = 0; k < COUNT(rows[i].set) && (k == 0 || rows[i].set[k].at); k++)
            report[rows[i].set[k].at] = rows[i].set[k].value;
        resign();
        expect(rows[i].what, rows[i].state, rows[i].ids);
        print_message("# %-34s %-5s %s\n", rows[i].what, check_state_name(rows[i].state),
                      rows[i].ids);
    }
}

static void unsigned_changes(void **state) {
    (void)state;
    for (size_t at = 0; at < SIGNED_BYTES; at++) {
        struct verdict *v;

        setup(NULL);
        report[at] ^= 0x40;
        v = judge();
        if (verdict_state(v) != CHECK_FAIL)
            fail_msg("byte 0x%zx: %s", at, check_state_name(verdict_state(v)));
        assert_int_not_equal(verdict_find(v, "snp.vmpl")->state, CHECK_PASS);
        assert_int_not_equal(verdict_find(v, "snp.report_data")->state, CHECK_PASS);
        assert_int_equal(verdict_chip(v).n, 0);
        verdict_free(v);
    }
}

static void policies_change_what_counts(void **state) {
    (void)state;
    report[0x030] = 1;
    policy.vmpl = 1;
    resign();
    expect("VMPL 1 expected", CHECK_PASS, "");
    setup(NULL);
    memset(report + 0x1a0, 0, 64);
    resign();
    expect("chip id hidden", CHECK_FAIL, "snp.vek.hwid");
    policy.allow_masked_chip = true;
    expect("chip id hidden, allowed", CHECK_WARN, "snp.vek.hwid");
    setup(NULL);
    report[0x1a0] ^= 1;
    resign();
    policy.allow_masked_chip = true;
    expect("another chip", CHECK_FAIL, "snp.vek.hwid");
    setup(NULL);
    report[0x189] = 0x01;
    report[0x18a] = 0x01;
    policy.allow_milan = true;
    resign();
    expect("Milan allowed, floor stays", CHECK_FAIL, "snp.tcb.floor snp.product");
    setup(NULL);
    report[0x00a] = 0x02; /* policy without SMT on a machine with it */
    report[0x040] = 0x3d;
    resign();
    expect("SMT against policy", CHECK_FAIL, "snp.policy.smt");
    setup(NULL);
    report[0x00a] = 0x83;
    report[0x040] = 0x34;
    resign();
    expect("RAPL demanded, not met", CHECK_FAIL, "snp.platform.requested");
    setup(NULL);
    report[0x00b] = 0x01;
    report[0x040] = 0x2c;
    resign();
    expect("ciphertext hiding demanded, not met", CHECK_FAIL, "snp.platform.requested");
}

static void version_two(void **state) {
    (void)state;
    report[0x000] = 2;
    memset(report + 0x188, 0, 3);
    resign();
    /* The issuer says SIM, not Milan or Genoa: no product. */
    expect("version 2 of a simulator", CHECK_FAIL, "snp.version snp.product");
    setup(NULL);
    report[0x000] = 2; /* with the CPUID bytes of version 3 left in */
    resign();
    expect("version 2, reserved bytes set", CHECK_FAIL, "snp.structure snp.version snp.product");
}

static void mitigations_and_id_keys(void **state) {
    (void)state;
    policy.mitigation_min = 5;
    expect("bits demanded of version 3", CHECK_FAIL, "snp.mitigation");
    report[0x000] = 5;
    report[0x1f8] = 0x0d;
    report[0x200] = 0x0d;
    resign();
    expect("bits there", CHECK_PASS, "");
    report[0x200] = 0x09;
    resign();
    expect("one bit missing now", CHECK_FAIL, "snp.mitigation");
    setup(NULL);
    policy.has_id_key = true;
    memset(policy.id_key, 7, 48);
    expect("id key expected, none there", CHECK_FAIL, "snp.id_block");
    memset(report + 0x0e0, 7, 48);
    resign();
    expect("id key there", CHECK_PASS, "");
}

static void floors_of_the_policy(void **state) {
    (void)state;
    policy.floor[policy.n_floors++] =
        (struct tcb_floor){0x19, 0x10, 0x1f, 0, 15, 0, 0, 0, 0x1c, 0, "", ""};
    expect("raised by policy", CHECK_FAIL, "snp.tcb.floor");
    policy.floor[0].snp = 1;
    expect("not lowered by policy", CHECK_PASS, "");
    report[0x186] = report[0x03e] = report[0x1e6] = report[0x1f6] = 0x16;
    resign();
    expect("all four below", CHECK_FAIL, "snp.vek.tcb snp.tcb.floor");
}

static void strict_demands_more(void **state) {
    struct policy strict;

    (void)state;
    policy_preset(&strict, POLICY_STRICT);
    policy = strict;
    policy.profile = POLICY_DEMO; /* so that the simulator's root counts at all */
    for (size_t i = 0; i < CK_COUNT; i++)
        policy.override[i] = (int8_t)(check_table[i].need[POLICY_STRICT] + 1);
    report[0x00a] = 0x02;
    resign();
    {
        struct verdict *v = judge();

        assert_int_equal(verdict_state(v), CHECK_NOT_CHECKED); /* no list of revoked keys */
        assert_int_equal(verdict_find(v, "snp.crl")->state, CHECK_NOT_CHECKED);
        verdict_free(v);
    }
    {
        cleanup_buf struct buf crl = {0};
        struct err e;

        assert_int_equal(psp_sim_crl(psp, TODAY, &crl, &e), 0);
        certs.crl[certs.n_crl++] = buf_view(&crl);
        expect("strict, all there", CHECK_PASS, "");
        report[0x040] = 0x2c;
        resign();
        expect("strict, ciphertext visible", CHECK_FAIL, "snp.platform.ciphertext_hiding");
        report[0x00a] = 0x03;
        report[0x040] = 0x3c;
        resign();
        expect("strict, SMT allowed", CHECK_FAIL, "snp.policy.smt");
    }
}

/* Certificates of our own: the intermediate shares the root's key, so no third key is needed. */
struct pki {
    X509 *ark, *ask, *vcek;
    struct buf ask_der, vcek_der;
};

static struct psp_chip chip_of_report(void) {
    struct psp_chip c = {.bl = SIM_BL, .tee = SIM_TEE, .snp = SIM_SNP, .ucode = SIM_UCODE};

    memcpy(c.chip_id, psp->chip_id, 64);
    return c;
}

static void pki_free(struct pki *k) {
    X509_free(k->ask);
    X509_free(k->vcek);
    buf_free(&k->ask_der);
    buf_free(&k->vcek_der);
}

static void pki_use(struct pki *k) {
    assert_true(der_of(k->ask, &k->ask_der));
    assert_true(der_of(k->vcek, &k->vcek_der));
    certs.ask = buf_view(&k->ask_der);
    certs.vek = buf_view(&k->vcek_der);
}

static void certificates_that_say_something_else(void **state) {
    struct psp_chip chip = chip_of_report();
    uint8_t *const levels[] = {&chip.bl, &chip.tee, &chip.snp, &chip.ucode};

    (void)state;
    for (size_t i = 0; i <= COUNT(levels); i++) {
        struct pki k = {0};

        chip = chip_of_report();
        if (i < COUNT(levels))
            (*levels[i])++;
        else
            chip.chip_id[63] ^= 1;
        k.ask = psp_cert_ask(psp->ark_key, psp->ark_key, psp->ark, TODAY);
        k.vcek = psp_cert_vcek(psp->vcek_key, psp->ark_key, k.ask, &chip, TODAY);
        pki_use(&k);
        expect("certificate", CHECK_FAIL, i < COUNT(levels) ? "snp.vek.tcb" : "snp.vek.hwid");
        pki_free(&k);
    }
}

/* Signs a leaf again after `spoil` has been at it. */
static void spoiled_leaf(const char *what, void (*spoil)(X509 *x), const char *ids) {
    struct psp_chip chip = chip_of_report();
    struct pki k = {.ask = psp_cert_ask(psp->ark_key, psp->ark_key, psp->ark, TODAY)};
    EVP_MD_CTX *ctx = pss_context(psp->ark_key);

    setup(NULL);
    k.vcek = psp_cert_vcek(psp->vcek_key, psp->ark_key, k.ask, &chip, TODAY);
    spoil(k.vcek);
    assert_true(X509_sign_ctx(k.vcek, ctx) > 0);
    EVP_MD_CTX_free(ctx);
    pki_use(&k);
    expect(what, *ids ? CHECK_FAIL : CHECK_PASS, ids);
    pki_free(&k);
}

static void no_change(X509 *x) {
    (void)x;
}

static int ext_index(X509 *x, const char *oid) {
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    int at = X509_get_ext_by_OBJ(x, obj, -1);

    ASN1_OBJECT_free(obj);
    assert_true(at >= 0);
    return at;
}

static void ext_remove(X509 *x, const char *oid) {
    X509_EXTENSION_free(X509_delete_ext(x, ext_index(x, oid)));
}

#define ARC "1.3.6.1.4.1.3704.1."
static void no_hwid(X509 *x) {
    ext_remove(x, ARC "4");
}

static void no_ucode(X509 *x) {
    ext_remove(x, ARC "3.8");
}

static void no_product(X509 *x) {
    ext_remove(x, ARC "2");
}

static void twice(X509 *x) {
    assert_true(add_integer(x, ARC "3.3", SIM_SNP));
}

static void unknown_spl(X509 *x) {
    assert_true(add_integer(x, ARC "3.10", 1));
}

static void fmc_on_genoa(X509 *x) {
    assert_true(add_integer(x, ARC "3.9", 0));
}

static void csp_on_vcek(X509 *x) {
    assert_true(add_raw(x, ARC "5", view_of("\x16\x01x", 3)));
}

static void replace_raw(X509 *x, const char *oid, const void *p, size_t n) {
    ext_remove(x, oid);
    assert_true(add_raw(x, oid, view_of(p, n)));
}

static void spl_not_minimal(X509 *x) {
    replace_raw(x, ARC "3.3", "\x02\x02\x00\x1b", 4);
}

static void spl_trailing(X509 *x) {
    replace_raw(x, ARC "3.3", "\x02\x01\x1b\x00", 4);
}

static void spl_negative(X509 *x) {
    replace_raw(x, ARC "3.8", "\x02\x01\xd4", 3);
}

static void spl_wide(X509 *x) {
    replace_raw(x, ARC "3.8", "\x02\x02\x01\x54", 4);
}

static void spl_empty(X509 *x) {
    replace_raw(x, ARC "3.8", "\x02\x00", 2);
}

static void reserved_spl(X509 *x) {
    replace_raw(x, ARC "3.5", "\x02\x01\x01", 3);
}

static void struct_version(X509 *x) {
    replace_raw(x, ARC "1", "\x02\x01\x01", 3);
}

static void product_not_text(X509 *x) {
    replace_raw(x, ARC "2", "\x16\x05G\x1bnoa", 7);
}

static void hwid_short(X509 *x) {
    replace_raw(x, ARC "4", psp->chip_id, 63);
}

static void hwid_wrapped(X509 *x) {
    uint8_t v[66] = {4, 64};

    memcpy(v + 2, psp->chip_id, 64);
    replace_raw(x, ARC "4", v, sizeof v);
}

static void hwid_wrapped_wrong(X509 *x) {
    uint8_t v[66] = {4, 63};

    memcpy(v + 2, psp->chip_id, 64);
    replace_raw(x, ARC "4", v, sizeof v);
}

static void authority(X509 *x) {
    assert_true(add_v3(x, NID_basic_constraints, "critical,CA:TRUE"));
}

static void critical_stranger(X509 *x) {
    ASN1_OBJECT *obj = OBJ_txt2obj("1.2.3.4", 1);
    ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    assert_true(ASN1_OCTET_STRING_set(os, (const uint8_t *)"\x05\x00", 2));
    ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 1, os);
    assert_true(X509_add_ext(x, ext, -1));
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(os);
    ASN1_OBJECT_free(obj);
}

static void key_identifier(X509 *x) {
    assert_true(add_v3(x, NID_subject_key_identifier, "00:11"));
}

static void other_name(X509 *x) {
    assert_true(name_add(X509_get_subject_name(x), "CN", "SEV-VCEK"));
}

static void other_issuer(X509 *x) {
    assert_true(X509_set_issuer_name(x, X509_get_subject_name(psp->ark)));
}

static void over(X509 *x) {
    assert_non_null(ASN1_TIME_set(X509_getm_notAfter(x), TODAY - 1));
}

static void not_begun(X509 *x) {
    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), TODAY + 100000));
}

static void another_curve(X509 *x) {
    EVP_PKEY *k = EVP_EC_gen("P-256");

    assert_true(X509_set_pubkey(x, k));
    EVP_PKEY_free(k);
}

static void spoiled_certificates(void **state) {
    static const struct {
        const char *what;
        void (*spoil)(X509 *x);
        const char *ids;
    } rows[] = {
        {"as made", no_change, ""},
        {"hwID wrapped", hwid_wrapped, ""},
        {"key identifier", key_identifier, ""},
        {"no hwID", no_hwid, "snp.chain.leaf"},
        {"no ucodeSPL", no_ucode, "snp.chain.leaf"},
        {"no productName", no_product, "snp.chain.leaf"},
        {"snpSPL twice", twice, "snp.chain.leaf"},
        {"unknown SPL", unknown_spl, "snp.chain.leaf"},
        {"fmcSPL on Genoa", fmc_on_genoa, "snp.chain.leaf"},
        {"cspID on a VCEK", csp_on_vcek, "snp.chain.leaf"},
        {"SPL not minimal", spl_not_minimal, "snp.chain.leaf"},
        {"SPL with a stray byte", spl_trailing, "snp.chain.leaf"},
        {"SPL negative", spl_negative, "snp.chain.leaf"},
        {"SPL over 255", spl_wide, "snp.chain.leaf"},
        {"SPL empty", spl_empty, "snp.chain.leaf"},
        {"reserved SPL set", reserved_spl, "snp.chain.leaf"},
        {"structVersion of Turin", struct_version, "snp.chain.leaf"},
        {"productName with an escape", product_not_text, "snp.chain.leaf"},
        {"hwID short", hwid_short, "snp.chain.leaf"},
        {"hwID wrapped wrongly", hwid_wrapped_wrong, "snp.chain.leaf"},
        {"an authority", authority, "snp.chain.leaf"},
        {"critical stranger", critical_stranger, "snp.chain.leaf"},
        {"two common names", other_name, "snp.chain.leaf"},
        {"another issuer name", other_issuer, "snp.chain.leaf"},
        {"over", over, "snp.chain.dates"},
        {"not begun", not_begun, "snp.chain.dates"},
        {"on P-256", another_curve, "snp.signature snp.chain.leaf"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        spoiled_leaf(rows[i].what, rows[i].spoil, rows[i].ids);
    print_message("# %zu certificates\n", COUNT(rows));
}

/* Other signature parameters than AMD's, honestly signed by the right key. */
static void other_signature_schemes(void **state) {
    static const struct {
        int padding, salt;
        const char *hash, *mgf;
    } rows[] = {
        {RSA_PKCS1_PADDING, 0, "SHA384", NULL},
        {RSA_PKCS1_PSS_PADDING, 48, "SHA256", "SHA256"},
        {RSA_PKCS1_PSS_PADDING, 48, "SHA384", "SHA256"},
        {RSA_PKCS1_PSS_PADDING, 32, "SHA384", "SHA384"},
        {RSA_PKCS1_PSS_PADDING, 0, "SHA384", "SHA384"},
    };
    struct psp_chip chip = chip_of_report();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pki k = {.ask = psp_cert_ask(psp->ark_key, psp->ark_key, psp->ark, TODAY)};
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *p;

        k.vcek = psp_cert_vcek(psp->vcek_key, psp->ark_key, k.ask, &chip, TODAY);
        assert_true(
            EVP_DigestSignInit(ctx, &p, EVP_get_digestbyname(rows[i].hash), NULL, psp->ark_key));
        assert_true(EVP_PKEY_CTX_set_rsa_padding(p, rows[i].padding));
        if (rows[i].mgf) {
            assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_get_digestbyname(rows[i].mgf)));
            assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(p, rows[i].salt));
        }
        assert_true(X509_sign_ctx(k.vcek, ctx) > 0);
        EVP_MD_CTX_free(ctx);
        pki_use(&k);
        expect("other scheme", CHECK_FAIL, "snp.chain.leaf");
        pki_free(&k);
    }
}

static void stray_bytes_after_certificates(void **state) {
    struct view *const which[] = {&certs.vek, &certs.ask, &certs.ark};
    static const char *const ids[] = {"snp.chain.leaf", "snp.chain.intermediate", "snp.chain.root"};

    (void)state;
    for (size_t i = 0; i < COUNT(which); i++) {
        cleanup_buf struct buf b = {0};
        struct verdict *v;

        setup(NULL);
        buf_add(&b, which[i]->p, which[i]->n);
        buf_u8(&b, 0);
        *which[i] = buf_view(&b);
        v = judge();
        assert_int_equal(verdict_state(v), CHECK_FAIL);
        assert_int_equal(verdict_find(v, ids[i])->state, CHECK_FAIL);
        verdict_free(v);
    }
}

static void lists_of_revoked_keys(void **state) {
    cleanup_buf struct buf crl = {0};
    struct err e;
    struct verdict *v;

    (void)state;
    assert_int_equal(psp_sim_crl(psp, TODAY - (int64_t)40 * 86400, &crl, &e), 0);
    certs.crl[certs.n_crl++] = buf_view(&crl);
    v = judge();
    assert_int_equal(verdict_find(v, "snp.crl")->state, CHECK_NOT_CHECKED);
    assert_non_null(strstr(verdict_find(v, "snp.crl")->why, "ended on"));
    verdict_free(v);
    buf_u8(&crl, 0);
    certs.crl[0] = buf_view(&crl);
    v = judge();
    assert_non_null(strstr(verdict_find(v, "snp.crl")->why, "not a DER CRL"));
    verdict_free(v);
}

static void a_stale_list_that_revokes_still_counts(void **state) {
    X509_CRL *crl = psp_cert_crl(psp->ark_key, psp->ark, TODAY - (int64_t)400 * 86400);
    X509_REVOKED *r = X509_REVOKED_new();
    EVP_MD_CTX *ctx = pss_context(psp->ark_key);
    ASN1_TIME *when = ASN1_TIME_set(NULL, TODAY);
    uint8_t *der = NULL;
    int n;

    (void)state;
    assert_true(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(psp->ask)));
    assert_true(X509_REVOKED_set_revocationDate(r, when));
    assert_true(X509_CRL_add0_revoked(crl, r));
    assert_true(X509_CRL_sign_ctx(crl, ctx) > 0);
    n = i2d_X509_CRL(crl, &der);
    certs.crl[certs.n_crl++] = view_of(der, (size_t)n);
    expect("stale list that revokes", CHECK_FAIL, "snp.crl");
    OPENSSL_free(der);
    ASN1_TIME_free(when);
    EVP_MD_CTX_free(ctx);
    X509_CRL_free(crl);
}

int main(void) {
#define T(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        T(changed_fields),
        T(classes_of_tampering),
        T(unsigned_changes),
        T(policies_change_what_counts),
        T(version_two),
        T(mitigations_and_id_keys),
        T(floors_of_the_policy),
        T(strict_demands_more),
        T(certificates_that_say_something_else),
        T(spoiled_certificates),
        T(other_signature_schemes),
        T(stray_bytes_after_certificates),
        T(lists_of_revoked_keys),
        T(a_stale_list_that_revokes_still_counts),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
