/* The names of a report's bytes: every byte has one, and the words agree with the parser. */
#include "attest/snp_fields.c"

#include "tests/unit/snp_vectors.h"
#include "tests/unit/world.h"

static void every_byte_has_one_name(void **state) {
    size_t n, at = 0;
    const struct snp_field *f = snp_fields(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(f[i].offset, at);
        assert_true(f[i].size > 0 && *f[i].about);
        at += f[i].size;
    }
    assert_int_equal(at, SNP_REPORT_SIZE);
    assert_int_equal(snp_field_named("SIGNATURE.R")->offset, SNP_SIGNED_SIZE);
    assert_null(snp_field_named("NOSUCH"));
}

/* One byte set at a named place is what the parser reads under that name. */
static void names_are_the_parsers(void **state) {
    static const struct {
        const char *name;
        size_t at; /* in struct snp_report */
    } same[] = {
        {"VERSION", offsetof(struct snp_report, version)},
        {"GUEST_SVN", offsetof(struct snp_report, guest_svn)},
        {"POLICY", offsetof(struct snp_report, policy)},
        {"FAMILY_ID", offsetof(struct snp_report, family_id)},
        {"IMAGE_ID", offsetof(struct snp_report, image_id)},
        {"VMPL", offsetof(struct snp_report, vmpl)},
        {"SIGNATURE_ALGO", offsetof(struct snp_report, signature_algo)},
        {"CURRENT_TCB", offsetof(struct snp_report, current_tcb)},
        {"PLATFORM_INFO", offsetof(struct snp_report, platform_info)},
        {"KEY_INFO", offsetof(struct snp_report, key_info)},
        {"REPORT_DATA.G", offsetof(struct snp_report, report_data)},
        {"REPORT_DATA.H", offsetof(struct snp_report, report_data) + 32},
        {"MEASUREMENT", offsetof(struct snp_report, measurement)},
        {"HOST_DATA", offsetof(struct snp_report, host_data)},
        {"ID_KEY_DIGEST", offsetof(struct snp_report, id_key_digest)},
        {"AUTHOR_KEY_DIGEST", offsetof(struct snp_report, author_key_digest)},
        {"REPORT_ID", offsetof(struct snp_report, report_id)},
        {"REPORT_ID_MA", offsetof(struct snp_report, report_id_ma)},
        {"REPORTED_TCB", offsetof(struct snp_report, reported_tcb)},
        {"CPUID", offsetof(struct snp_report, cpu_family)},
        {"CHIP_ID", offsetof(struct snp_report, chip_id)},
        {"COMMITTED_TCB", offsetof(struct snp_report, committed_tcb)},
        {"CURRENT_VERSION", offsetof(struct snp_report, current)},
        {"COMMITTED_VERSION", offsetof(struct snp_report, committed)},
        {"LAUNCH_TCB", offsetof(struct snp_report, launch_tcb)},
        {"LAUNCH_MIT_VECTOR", offsetof(struct snp_report, launch_mit)},
        {"CURRENT_MIT_VECTOR", offsetof(struct snp_report, current_mit)},
        {"SIGNATURE.R", offsetof(struct snp_report, sig_r)},
        {"SIGNATURE.S", offsetof(struct snp_report, sig_s)},
    };
    uint8_t raw[SNP_REPORT_SIZE];
    struct snp_report r;

    (void)state;
    for (size_t i = 0; i < COUNT(same); i++) {
        const struct snp_field *f = snp_field_named(same[i].name);

        memset(raw, 0, sizeof raw);
        raw[0] = 5; /* every field is there */
        raw[f->offset] = 0x5a;
        assert_true(snp_report_parse(view_of(raw, sizeof raw), &r));
        if (((const uint8_t *)&r)[same[i].at] != 0x5a)
            fail_msg("%s", same[i].name);
    }
}

static void expect_words(const char *name, struct view report, const char *part) {
    cleanup_buf struct buf out = {0};

    snp_field_words(snp_field_named(name), report, &out);
    buf_str(&out, "");
    if (!strstr((char *)out.p, part))
        fail_msg("%s says '%s', not '%s'", name, (char *)out.p, part);
}

static void words_of_a_simulated_report(void **state) {
    struct world w;
    struct view v;

    (void)state;
    world_init(&w);
    v = view_of(w.report, sizeof w.report);
    expect_words("POLICY", v, "SMT allowed, no migration agent, no debugging");
    expect_words("KEY_INFO", v, "signed by the chip's key (VCEK)");
    expect_words("SIGNATURE_ALGO", v, "ECDSA P-384");
    expect_words("REPORTED_TCB", v, "ucode 0x");
    expect_words("CPUID", v, "Genoa");
    expect_words("MEASUREMENT", v, "");
    w.report[0x0a] |= 0x08; /* debug */
    expect_words("POLICY", v, "DEBUG ALLOWED");
    w.report[0x048] |= 7 << 2;
    expect_words("KEY_INFO", v, "signed by no key");
    w.report[0x182] = 1;
    expect_words("REPORTED_TCB", v, "reserved bytes are set");
    expect_words("REPORTED_TCB", view_of(w.report, 100), ""); /* not a report: no words */
    world_free(&w);
}

static void words_of_a_captured_report(void **state) {
    cleanup_buf struct buf raw = {0};

    (void)state;
    if (!vector_load("snp/real/genoa_v5_gcp.report.bin", &raw))
        skip();
    expect_words("VERSION", buf_view(&raw), "5");
    expect_words("CPUID", buf_view(&raw), "Genoa");
    expect_words("KEY_INFO", buf_view(&raw), "signed by");
    expect_words("CURRENT_VERSION", buf_view(&raw), "1.");
    expect_words("REPORTED_TCB", buf_view(&raw), "ucode 0x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_has_one_name),
        cmocka_unit_test(names_are_the_parsers),
        cmocka_unit_test(words_of_a_simulated_report),
        cmocka_unit_test(words_of_a_captured_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
