#include "attest/policy.c"
#include "attest/advisory.c"
#include "attest/checks.c"
#include "tests/unit/unit.h"

static void refused(const char *text, const char *code) {
    struct policy p;
    struct err e = {0};

    if (!policy_parse(&p, view_str(text), &e))
        fail_msg("accepted: %s", text);
    if (strcmp(e.code, code) != 0)
        fail_msg("%s: %s (%s)", text, e.code, e.text);
    assert_int_equal(p.profile, POLICY_STRICT);
    assert_false(p.allow_milan);
}

static void reads_a_file(void **state) {
    static const char text[] = "# my rules\n"
                               "profile = strict\n"
                               "\n"
                               "allow-milan = yes\n"
                               "allow-no-fwid = yes\n"
                               "vmpl = 2\n"
                               "crl-max-age = 30\n"
                               "mitigation-min = 00000000000000ff\n"
                               "floor = 19:10-1f bl=10 snp=27 ucode=84\n"
                               "floor = 1a:00-11/1-2 fmc=1 tee=1\n"
                               "gpu-vbios = GH100 96.00.9F\n"
                               "gpu-driver = GH100 550.54.15\n"
                               "check = snp.crl optional\n"
                               "check = chip.endorsed note\n";
    struct policy p;
    struct err e = {0};

    (void)state;
    if (policy_parse(&p, view_str(text), &e))
        fail_msg("%s", e.text);
    assert_int_equal(p.profile, POLICY_STRICT);
    assert_string_equal(p.name, "strict, from a file");
    assert_true(p.allow_milan && p.allow_no_fwid && !p.allow_v2 && !p.allow_vlek);
    assert_int_equal(p.vmpl, 2);
    assert_int_equal(p.crl_max_age, 30);
    assert_int_equal(p.mitigation_min, 255);
    assert_int_equal(p.n_floors, 2);
    assert_int_equal(p.floor[0].snp, 27);
    assert_int_equal(p.floor[0].step_hi, 15);
    assert_int_equal(p.floor[1].model_hi, 0x11);
    assert_int_equal(p.floor[1].step_lo, 1);
    assert_int_equal(p.floor[1].step_hi, 2);
    assert_int_equal(p.n_gpu_floors, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(p.gpu_floor[i].version,
                            p.gpu_floor[i].part == GPU_VBIOS ? "96.00.9F" : "550.54.15");
    assert_int_equal(p.override[CK_SNP_CRL], REQ_OPTIONAL + 1);
    assert_int_equal(p.override[CK_CHIP_ENDORSED], REQ_NOTE + 1);
    assert_int_equal(p.override[CK_SNP_VMPL], 0);
}

static void an_empty_file_is_the_standard(void **state) {
    struct policy p, standard;
    struct err e;

    (void)state;
    policy_preset(&standard, POLICY_STANDARD);
    assert_int_equal(policy_parse(&p, view_str(""), &e), 0);
    assert_int_equal(p.profile, POLICY_STANDARD);
    assert_memory_equal(p.override, standard.override, sizeof p.override);
}

static void refuses(void **state) {
    (void)state;
    refused("profile = demo\n", "demo-in-file");
    refused("profile = lax\n", "bad-config");
    refused("allow-milan = maybe\n", "bad-config");
    refused("vmpl = 4\n", "bad-config");
    refused("unknown = 1\n", "bad-config");
    refused("mitigation-min = ff\n", "bad-policy");
    refused("id-key = 00\n", "bad-policy");
    refused("floor = 19\n", "bad-policy");
    refused("floor = 19:1f-10 bl=1\n", "bad-policy");
    refused("floor = 19:10-1f bl=256\n", "bad-policy");
    refused("floor = 19:10-1f bl=\n", "bad-policy");
    refused("floor = 19:10-1f cpu=1\n", "bad-policy");
    refused("floor = 19:10-1f/2-1 bl=1\n", "bad-policy");
    refused("gpu-driver = 550.54.15\n", "bad-policy");
    refused("gpu-driver = GH100 96.00.9F\n", "bad-policy");
    refused("check = snp.nothing note\n", "bad-policy");
    refused("check = snp.signature note\n", "bad-policy");
    refused("check = release.endorsed note\n", "bad-policy");
    refused("check = bind.nonce optional\n", "bad-policy");
    refused("check = snp.crl never\n", "bad-policy");
    refused("check = snp.crl\n", "bad-policy");
}

/* Every row of the table is filled in, with its own id, and groups have none of a leaf's duties. */
static void the_table_is_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < CK_COUNT; i++) {
        const struct check_row *r = &check_table[i];
        enum check_id id = CK_COUNT;

        assert_non_null(r->id);
        assert_true(*r->title && *r->stops);
        assert_true(check_named(r->id, &id));
        assert_int_equal(id, i);
        for (int p = 0; p < POLICY_PROFILES && !check_is_group(id); p++)
            assert_true(r->need[p] <= REQ_MUST);
        if (r->need[POLICY_STRICT] < r->need[POLICY_STANDARD])
            fail_msg("%s: strict is laxer than standard", r->id);
    }
}

/* What the interface promises by name. */
static void the_promised_ids_exist(void **state) {
    static const char *const ids[] = {"snp.structure",
                                      "snp.version",
                                      "snp.product",
                                      "snp.chain",
                                      "snp.chain.dates",
                                      "snp.crl",
                                      "snp.vek.tcb",
                                      "snp.vek.hwid",
                                      "snp.signature",
                                      "snp.key_info",
                                      "snp.tcb.order",
                                      "snp.tcb.floor",
                                      "snp.policy.reserved",
                                      "snp.policy.debug",
                                      "snp.policy.migrate",
                                      "snp.policy.smt",
                                      "snp.policy.abi",
                                      "snp.vmpl",
                                      "snp.platform.alias_check",
                                      "snp.platform.unknown",
                                      "snp.mitigation",
                                      "snp.id_block",
                                      "snp.measurement",
                                      "snp.report_data",
                                      "snp.host_data",
                                      "bind.guest_key",
                                      "bind.nonce",
                                      "bind.customer",
                                      "bind.job",
                                      "bind.gpu",
                                      "release.endorsed",
                                      "workload.endorsed",
                                      "model.endorsed",
                                      "guest.acpi",
                                      "guest.volumes",
                                      "chip.endorsed",
                                      "gpu.count",
                                      "offer.match"};
    enum check_id id;

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++)
        if (!check_named(ids[i], &id))
            fail_msg("no check %s", ids[i]);
}

static void floors_by_part(void **state) {
    struct snp_tcb f;
    const struct tcb_floor lower = {0x19, 0x11, 0x11, 0, 15, 0, 1, 0, 1, 1, "", ""};

    (void)state;
    assert_true(advisory_floor(0x19, 0x11, 1, &f));
    assert_true(f.bl == 10 && f.snp == 0x17 && f.ucode == 0x54);
    assert_true(advisory_floor(0x19, 0x11, 2, &f));
    assert_int_equal(f.ucode, 0x4f);
    assert_true(advisory_floor(0x19, 0xa0, 2, &f));
    assert_int_equal(f.ucode, 0x19);
    assert_true(advisory_floor(0x1a, 0x02, 1, &f));
    assert_true(f.fmc == 0 && f.bl == 1 && f.snp == 2 && f.ucode == 0x47);
    assert_false(advisory_floor(0x19, 0x11, 7, &f));
    assert_false(advisory_floor(0x17, 0x31, 0, &f));
    assert_true(advisory_floor(0x19, 0x11, 1, &f));
    floor_raise(&f, &lower, 0x19, 0x11, 1);
    assert_true(f.bl == 10 && f.snp == 0x17 && f.ucode == 0x54);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(an_empty_file_is_the_standard),
        cmocka_unit_test(refuses),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(the_promised_ids_exist),
        cmocka_unit_test(floors_by_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
