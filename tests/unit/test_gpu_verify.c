/* GPUs judged: every captured set by itself, GPUs made here with one thing wrong, several as one
 * machine, and every byte of a good report changed. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "attest/gpu_topology.c"
#include "attest/gpu_rules.c"
#include "attest/gpu_rules_nvidia.c"
#include "attest/gpu_verify.c"
#include "attest/evidence.h"
#include "tests/unit/gpu_made.h"
#include "tests/unit/gpu_vectors.h"
#include "tests/unit/nvidia_made.h"
#include "tests/unit/snp_vectors.h"

#define DEVICES 12

struct set {
    struct gpu_item item[DEVICES];
    struct gpu_subject subject[DEVICES];
    size_t n;
};

static void set_point(struct set *s) {
    for (size_t i = 0; i < s->n; i++)
        s->subject[i] = (struct gpu_subject){s->item[i].ev, s->item[i].n_certs, false};
}

static void set_free(struct set *s) {
    for (size_t i = 0; i < s->n; i++)
        gpu_item_free(&s->item[i]);
}

static void set_load(struct set *s, const char *arch, const char *report, const char *chain) {
    cleanup_buf struct buf r = {0}, c = {0};
    struct err e;

    *s = (struct set){.n = 1};
    assert_true(gpu_load(report, &r) && gpu_load(chain, &c));
    assert_int_equal(gpu_item_read(&s->item[0], arch, buf_view(&r), buf_view(&c), &e), 0);
    set_point(s);
}

/* Space-separated ids below "gpu" that are in one state. */
static void ids(const struct verdict *v, enum check_state state, struct buf *out) {
    buf_reset(out);
    buf_str(out, "");
    ids_in(verdict_find(v, "gpu"), state, out);
}

/* pass, fail: the exact leaves; what is in neither is NOT CHECKED, or WARN where warn says so. */
static void expect(const char *name, const struct set *s, const uint8_t *nonce,
                   const struct policy *p, const char *pass, const char *warn, const char *fail) {
    struct verdict *v = evidence_verify_gpu(s->subject, s->n, NULL, nonce, p, NOW);
    cleanup_buf struct buf got = {0};

    ids(v, CHECK_FAIL, &got);
    print_message("# %-34s %-11s fails: %s\n", name, check_state_name(verdict_state(v)), got.p);
    if (strcmp((char *)got.p, fail) != 0)
        fail_msg("%s: failing '%s' instead of '%s'", name, got.p, fail);
    ids(v, CHECK_WARN, &got);
    assert_string_equal((char *)got.p, warn);
    ids(v, CHECK_PASS, &got);
    if (strcmp((char *)got.p, pass) != 0)
        fail_msg("%s: passing '%s' instead of '%s'", name, got.p, pass);
    assert_int_equal(verdict_state(v), *fail ? CHECK_FAIL : CHECK_NOT_CHECKED);
    assert_int_equal(verdict_find(v, "bind.gpu")->state, CHECK_NOT_CHECKED);
    assert_false(verdict_allows(v));
    verdict_free(v);
}

static const char *why_of(const struct set *s, const char *id, char out[static 500]) {
    struct policy p;
    struct verdict *v;

    policy_preset(&p, POLICY_STANDARD);
    v = evidence_verify_gpu(s->subject, s->n, NULL, NULL, &p, NOW);
    snprintf(out, 500, "%s", verdict_find(v, id)->why);
    verdict_free(v);
    return out;
}

#define ALL                                                                                        \
    "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.fwid gpu.floor gpu.mode gpu.topology"
#define BUT_NONCE "gpu.structure gpu.chain gpu.signature gpu.fwid gpu.floor gpu.mode gpu.topology"

static void captured_sets(void **state) {
    static const struct {
        const char *arch, *folder, *pass, *warn, *fail;
        bool legacy;
    } rows[] = {
        {"HOPPER", "h100-550.90.07", BUT_NONCE, "gpu.nonce", "", false},
        {"HOPPER", "h100-535.86.09",
         "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.floor gpu.mode gpu.topology", "",
         "gpu.fwid", false},
        {"HOPPER", "h100-535.86.09",
         "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.floor gpu.mode gpu.topology",
         "gpu.fwid", "", true},
        {"BLACKWELL", "gb100-575.32", BUT_NONCE, "gpu.nonce", "", false},
        {"BLACKWELL", "gb202-595.58.03", BUT_NONCE, "gpu.nonce", "", false},
        {"LS10", "nvswitch-ls10-96.10.55.00.01",
         "gpu.structure gpu.chain gpu.signature gpu.fwid gpu.floor gpu.rim.driver", "gpu.nonce", "",
         false},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        char report[80], chain[80];
        uint8_t nonce[32];
        struct policy p;
        struct set s;

        policy_preset(&p, POLICY_STANDARD);
        p.allow_no_fwid = rows[i].legacy;
        snprintf(report, sizeof report, "%s/report.bin", rows[i].folder);
        snprintf(chain, sizeof chain, "%s/chain.pem", rows[i].folder);
        set_load(&s, rows[i].arch, report, chain);
        memcpy(nonce, s.item[0].report.p + 4, 32);
        expect(rows[i].folder, &s, nonce, &p, rows[i].pass, rows[i].warn, rows[i].fail);
        nonce[31] ^= 1;
        {
            struct verdict *v = evidence_verify_gpu(s.subject, 1, NULL, nonce, &p, NOW);

            assert_int_equal(verdict_find(v, "gpu.nonce")->state, CHECK_FAIL);
            verdict_free(v);
        }
        set_free(&s);
    }
}

static void captured_sets_that_are_bad(void **state) {
    static const struct {
        const char *report, *chain, *fail;
    } rows[] = {
        {"bad/report.invalid-signature.bin", "bad/report.invalid-signature.chain.pem",
         "gpu.signature gpu.fwid"},
        {"h100-550.90.07/report.bin", "bad/chain.4certs-wrong.pem", "gpu.chain"},
        {"h100-550.90.07/report.bin", "bad/chain.only-root.pem", "gpu.chain"},
        {"h100-550.90.07/report.bin", "bad/chain.missing-intermediate.pem", "gpu.chain"},
        {"h100-550.90.07/report.bin", "bad/chain.missing-leaf.pem", "gpu.chain"},
        {"h100-550.90.07/report.bin", "h100-535.86.09/chain.pem", "gpu.signature gpu.fwid"},
        {"gb202-595.58.03/report.bin", "gb100-575.32/chain.pem", "gpu.chain"},
        {"h100-550.90.07/chain.pem", "h100-550.90.07/chain.pem", "gpu.structure"},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf got = {0};
        struct verdict *v;
        struct policy p;
        struct set s;

        policy_preset(&p, POLICY_DEMO);
        set_load(&s, strstr(rows[i].report, "gb") ? "BLACKWELL" : "HOPPER", rows[i].report,
                 rows[i].chain);
        v = evidence_verify_gpu(s.subject, 1, NULL, NULL, &p, NOW);
        ids(v, CHECK_FAIL, &got);
        assert_string_equal((char *)got.p, rows[i].fail);
        ids(v, CHECK_PASS, &got); /* what an unproven report says is believed nowhere */
        assert_null(strstr((char *)got.p, "gpu.fwid"));
        assert_null(strstr((char *)got.p, "gpu.mode"));
        verdict_free(v);
        set_free(&s);
    }
}

/* --- with what NVIDIA signs --- */

static struct gpu_collateral signed_by_nvidia;
static struct buf signed_file[16];
static size_t n_signed;

static struct view give(const char *rel) {
    assert_true(n_signed < COUNT(signed_file) && gpu_load(rel, &signed_file[n_signed]));
    return buf_view(&signed_file[n_signed++]);
}

static void give_rim(const char *rel) {
    signed_by_nvidia.rim[signed_by_nvidia.n_rims++] = give(rel);
}

static void give_answers(void) {
    static const char *const names[] = {"gpu-chain-1-brom",     "gpu-chain-2-provisioner-ica",
                                        "gpu-chain-3-identity", "driver-rim-0-leaf",
                                        "vbios-rim-0-leaf",     "rim-chain-1-l3",
                                        "rim-chain-2-l2"};

    for (size_t i = 0; i < COUNT(names); i++) {
        char rel[100];

        snprintf(rel, sizeof rel, "h100-550.90.07/ocsp/%s.der", names[i]);
        signed_by_nvidia.ocsp[signed_by_nvidia.n_ocsps++] = give(rel);
    }
}

static void take_back(void) {
    while (n_signed)
        buf_free(&signed_file[--n_signed]);
    signed_by_nvidia = (struct gpu_collateral){0};
}

static void expect_one(const struct set *s, int64_t now, const char *id, enum check_state state,
                       const char *why) {
    struct policy p;
    struct verdict *v;
    const struct check *n;

    policy_preset(&p, POLICY_STANDARD);
    p.allow_no_fwid = true;
    v = evidence_verify_gpu(s->subject, s->n, &signed_by_nvidia, NULL, &p, now);
    n = verdict_find(v, id);
    if (n->state != state || !strstr(n->why, why))
        fail_msg("%s: %s '%s' (%s)", id, check_state_name(n->state), n->why, n->got);
    verdict_free(v);
}

#define JULY_2025 ((int64_t)1751328000)
#define AUGUST ((int64_t)1755777600)  /* 2025-08-21 12:00 */
#define OCTOBER ((int64_t)1761307200) /* 2025-10-24 12:00 */
#define JUNE_2026 ((int64_t)1780358400)
#define FULL "h100-550.90.07/"
#define DRIVER_RIM FULL "NV_GPU_DRIVER_GH100_550.90.07.xml"
#define VBIOS_RIM FULL "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"

static void the_full_set(void **state) {
    struct set s;

    (void)state;
    if (!gpu_vectors())
        skip();
    set_load(&s, "HOPPER", FULL "report.bin", FULL "chain.pem");
    expect_one(&s, AUGUST, "gpu.rim.driver", CHECK_NOT_CHECKED, "values are missing");
    expect_one(&s, AUGUST, "gpu.measurements", CHECK_NOT_CHECKED, "no reference values");
    expect_one(&s, AUGUST, "gpu.revocation", CHECK_NOT_CHECKED, "at hand");
    give_rim(VBIOS_RIM);
    expect_one(&s, AUGUST, "gpu.rim.vbios", CHECK_PASS, "");
    expect_one(&s, AUGUST, "gpu.measurements", CHECK_NOT_CHECKED, "Only a part");
    give_rim(DRIVER_RIM);
    expect_one(&s, AUGUST, "gpu.rim.driver", CHECK_PASS, "");
    expect_one(&s, AUGUST, "gpu.measurements", CHECK_PASS, "");
    give_answers();
    expect_one(&s, AUGUST, "gpu.revocation", CHECK_NOT_CHECKED,
               "'HCC RIM L4 Signer' does not count: it is not yet valid");
    expect_one(&s, OCTOBER, "gpu.revocation", CHECK_NOT_CHECKED,
               "'GH100 A01 GSP BROM' does not count: it is stale");
    expect_one(&s, JUNE_2026, "gpu.rim.driver", CHECK_FAIL, "was valid until 2026-06-01");
    expect_one(&s, JUNE_2026, "gpu.measurements", CHECK_NOT_CHECKED, "");
    signed_by_nvidia.n_rims = 0; /* of the device alone all answers are fresh */
    expect_one(&s, AUGUST, "gpu.revocation", CHECK_PASS, "");
    signed_by_nvidia.n_ocsps = 2;
    expect_one(&s, AUGUST, "gpu.revocation", CHECK_NOT_CHECKED, "'NVIDIA GH100 Identity' is not");
    take_back();
    set_free(&s);
}

static void values_that_differ(void **state) {
    struct set s;

    (void)state;
    if (!gpu_vectors())
        skip();
    set_load(&s, "HOPPER", "h100-535.86.09/report.bin", "h100-535.86.09/chain.pem");
    give_rim("h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.reissued-2023-12.xml");
    expect_one(&s, JULY_2025, "gpu.rim.vbios", CHECK_PASS, "");
    expect_one(&s, JULY_2025, "gpu.measurements", CHECK_FAIL, "signed: measurement 9.");
    expect_one(&s, JULY_2025, "gpu.rim.driver", CHECK_NOT_CHECKED, "values are missing");
    give_rim("h100-535.86.09/NV_GPU_DRIVER_GH100_535.86.09.tampered.xml");
    expect_one(&s, JULY_2025, "gpu.rim.driver", CHECK_FAIL, "forged or was changed");
    take_back();
    set_free(&s);
    set_load(&s, "LS10", "nvswitch-ls10-96.10.55.00.01/report.bin",
             "nvswitch-ls10-96.10.55.00.01/chain.pem");
    give_rim("nvswitch-ls10-96.10.55.00.01/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml");
    expect_one(&s, NOW, "gpu.rim.vbios", CHECK_PASS, "");
    expect_one(&s, NOW, "gpu.measurements", CHECK_PASS, "");
    take_back();
    set_free(&s);
}

/* --- several devices --- */

static void list_load(struct set *s, const char *rel) {
    cleanup_buf struct buf json = {0};
    struct gpu_list l;
    struct err e;

    *s = (struct set){0};
    assert_true(gpu_load(rel, &json));
    assert_int_equal(gpu_list_parse(buf_view(&json), &l, &e), 0);
    memcpy(s->item, l.item, l.n * sizeof *l.item);
    s->n = l.n;
    free(l.item);
    for (size_t i = 0; i < s->n; i++)
        s->item[i].ev.arch = s->item[i].arch;
    set_point(s);
}

static void captured_lists(void **state) {
    static const char *const rows[] = {"hopper_evidence", "evidence_hopper_590_12",
                                       "multi_gpu_hopper"};
    struct policy p;
    char why[500];

    (void)state;
    if (!gpu_vectors())
        skip();
    policy_preset(&p, POLICY_STANDARD);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char rel[80];
        struct set s;

        snprintf(rel, sizeof rel, "ppcie-h100-590.12/%s.json", rows[i]);
        list_load(&s, rel);
        expect(rows[i], &s, s.item[0].nonce, &p,
               "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.fwid gpu.floor gpu.mode", "",
               "");
        assert_non_null(strstr(why_of(&s, "gpu.topology", why), "none of those shows evidence"));
        set_free(&s);
    }
}

/* Eight GPUs and four switches, from the file of another tool. */
static void board_device(struct set *s, const cJSON *o, const char *chain, const char *report,
                         const char *arch) {
    cleanup_buf struct buf r = {0}, pem = {0};
    const cJSON *c;
    struct err e;

    assert_true(base64_decode(view_str(case_str(cJSON_GetObjectItem(o, report), "py/b64")), &r));
    cJSON_ArrayForEach(c, cJSON_GetObjectItem(o, chain)) {
        if (pem.n && pem.p[pem.n - 1] != '\n')
            buf_str(&pem, "\n");
        assert_true(base64_decode(view_str(case_str(c, "pem")), &pem));
    }
    assert_int_equal(gpu_item_read(&s->item[s->n++], arch, buf_view(&r), buf_view(&pem), &e), 0);
}

static bool board_load(struct set *s) {
    cJSON *all = vectors_load("gpu/ppcie-h200-570.124.06/test_ppcie_data.json"), *o;

    *s = (struct set){0};
    if (!all)
        return false;
    cJSON_ArrayForEach(o, cJSON_GetObjectItem(all, "gpus")) {
        cJSON *chains = cJSON_GetObjectItem(o, "CertificateChains");

        cJSON_AddItemToObject(o, "chain",
                              cJSON_DetachItemFromObject(chains, "GpuAttestationCertificateChain"));
        board_device(s, o, "chain", "AttestationReport", "HOPPER");
    }
    cJSON_ArrayForEach(o, cJSON_GetObjectItem(all, "nvswitches"))
        board_device(s, o, "attestation_cert_chain", "attestation_report", "LS10");
    cJSON_Delete(all);
    set_point(s);
    return true;
}

static void a_whole_board(void **state) {
    struct gpu_subject kept;
    struct policy p;
    struct set s;
    char why[500];
    uint8_t nonce[32];

    (void)state;
    if (!board_load(&s))
        skip();
    policy_preset(&p, POLICY_STANDARD);
    assert_int_equal(s.n, 12);
    memcpy(nonce, s.item[0].report.p + 4, 32);
    expect("8 H200 and 4 LS10", &s, nonce, &p, ALL, "", "");
    s.n = 11; /* one switch says nothing */
    expect("one switch missing", &s, nonce, &p,
           "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.fwid gpu.floor gpu.mode", "", "");
    assert_non_null(strstr(why_of(&s, "gpu.topology", why), "lead to 4 switches, 3 of them"));
    s.n = 12;
    kept = s.subject[11];
    {
        struct set other;

        set_load(&other, "LS10", "nvswitch-ls10-96.10.55.00.01/report.bin",
                 "nvswitch-ls10-96.10.55.00.01/chain.pem");
        s.subject[11] = other.subject[0];
        assert_non_null(strstr(why_of(&s, "gpu.topology", why), "they are not of one machine"));
        set_free(&other);
        set_load(&other, "HOPPER", "h100-550.90.07/report.bin", "h100-550.90.07/chain.pem");
        s.subject[11] = other.subject[0];
        assert_non_null(strstr(why_of(&s, "gpu.mode", why), "protected by neither"));
        set_free(&other);
    }
    s.subject[11] = kept;
    set_free(&s);
}

/* --- GPUs made here --- */

static struct made_gpu gpu;
static const uint8_t nonce_made[32] = {0x42};

static int setup(void **state) {
    (void)state;
    made_init(&gpu, 1);
    pki_make(&gpu.pki);
    roots_test_nvidia(NVIDIA_DEVICES, gpu.pki.root);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    made_free(&gpu);
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    return 0;
}

static struct set made_set_of(struct made_gpu *m, size_t n) {
    struct set s = {.n = n};

    for (size_t i = 0; i < n; i++) {
        made_report(&m[i], nonce_made);
        s.subject[i] = (struct gpu_subject){m[i].ev, GPU_CERTS, false};
    }
    return s;
}

/* After a change of `gpu`, this check says so. */
static void spoiled(const char *id, const char *why) {
    const struct set s = made_set_of(&gpu, 1);
    char got[500];

    if (!strstr(why_of(&s, id, got), why))
        fail_msg("%s: '%s' instead of '%s'", id, got, why);
}

static void a_made_gpu_passes(void **state) {
    struct policy p;
    struct set s;

    (void)state;
    policy_preset(&p, POLICY_STRICT);
    s = made_set_of(&gpu, 1);
    expect("made here", &s, nonce_made, &p, ALL, "", "");
}

static void notes_and_newer_firmware(void **state) {
    struct set s;
    char why[500];

    (void)state;
    made_set(&gpu, 29, "x", 1);
    s = made_set_of(&gpu, 1);
    {
        struct policy p;
        struct verdict *v;

        policy_preset(&p, POLICY_STANDARD);
        v = evidence_verify_gpu(s.subject, 1, NULL, nonce_made, &p, NOW);
        assert_int_equal(verdict_find(v, "gpu.structure")->state, CHECK_PASS);
        assert_non_null(strstr(verdict_find(v, "gpu.structure")->got, "not known here 29"));
        verdict_free(v);
    }
    buf_u8(&gpu.report, 0);
    s.subject[0].ev.report = buf_view(&gpu.report);
    assert_non_null(strstr(why_of(&s, "gpu.structure", why), "1 zero byte follows"));
    assert_non_null(strstr(why_of(&s, "gpu.nonce", why), "Nobody said which nonce"));
    made_set(&gpu, GF_OPAQUE_VERSION, "\2\0", 2);
    spoiled("gpu.structure", "newer firmware than this program knows");
}

static void modes(void **state) {
    (void)state;
    made_set(&gpu, GF_FEATURE, "\3\0", 2);
    spoiled("gpu.mode", "works in mode 3");
    made_set(&gpu, GF_FEATURE, "\2\0", 2);
    spoiled("gpu.mode", "mode PPCIE, and protected PCIe off");
    made_set(&gpu, GF_FEATURE, "\0\0", 2);
    made_set(&gpu, GF_PROTECTED_PCIE, "\xaa", 1);
    spoiled("gpu.mode", "mode SPT, and protected PCIe on");
    made_set(&gpu, GF_FEATURE, "\2\0", 2);
    spoiled("gpu.topology", "none of those shows evidence");
}

static void gpus_of_different_modes(void **state) {
    struct made_gpu two[2];
    struct policy p;
    struct set s;
    char why[500];

    (void)state;
    policy_preset(&p, POLICY_STANDARD);
    for (uint8_t i = 0; i < 2; i++) {
        made_init(&two[i], i + 5);
        pki_join(&two[i].pki, &gpu.pki);
        pki_make(&two[i].pki);
        made_set(&two[i], GF_FEATURE, "\1\0", 2);
    }
    s = made_set_of(two, 2);
    expect("two, MPT", &s, nonce_made, &p, ALL, "", "");
    made_set(&two[1], GF_FEATURE, "\0\0", 2);
    s = made_set_of(two, 2);
    expect("MPT and SPT", &s, nonce_made, &p,
           "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.fwid gpu.floor gpu.topology", "",
           "gpu.mode");
    assert_non_null(strstr(why_of(&s, "gpu.mode", why), "as MPT, GH100 0102030405060706 as SPT"));
    s.subject[1] = s.subject[0];
    assert_non_null(strstr(why_of(&s, "gpu.count", why), "shown twice"));
    s.subject[1].ev = two[1].ev;
    two[1].report.p[60] ^= 1;
    assert_non_null(strstr(why_of(&s, "gpu.signature", why), "2 of 2, GH100 0102030405060706: "));
    made_free(&two[0]);
    made_free(&two[1]);
}

static void firmware_ids(void **state) {
    struct policy p;
    struct set s;

    (void)state;
    policy_preset(&p, POLICY_STANDARD);
    made_set(&gpu, GF_FWID, NULL, 0);
    spoiled("gpu.fwid", "does not say which firmware made it");
    s = made_set_of(&gpu, 1);
    p.allow_no_fwid = true;
    expect("no FWID, allowed", &s, nonce_made, &p,
           "gpu.structure gpu.chain gpu.signature gpu.nonce gpu.floor gpu.mode gpu.topology",
           "gpu.fwid", "");
    gpu.composite[40] ^= 1; /* the certificate names other firmware */
    pki_make(&gpu.pki);
    roots_test_nvidia(NVIDIA_DEVICES, gpu.pki.root);
    made_set(&gpu, GF_FWID, (const char *)gpu.fwid, sizeof gpu.fwid);
    spoiled("gpu.fwid", "other firmware than its key was certified for");
    gpu.pki.fwid = (struct view){0};
    pki_make(&gpu.pki);
    spoiled("gpu.fwid", "the certificate does not name its firmware");
}

static void versions_below_a_floor(void **state) {
    const struct set s = made_set_of(&gpu, 1);
    const struct {
        enum gpu_part part;
        const char *floor;
        enum check_state state;
    } rows[] = {{GPU_DRIVER, "GH100 550.90.07", CHECK_PASS},
                {GPU_DRIVER, "GH100 550.90.06.99", CHECK_PASS},
                {GPU_DRIVER, "GH100 550.90.7.1", CHECK_FAIL},
                {GPU_DRIVER, "GH100 1000", CHECK_FAIL},
                {GPU_DRIVER, "GB100 1000", CHECK_PASS}, /* another chip's */
                {GPU_VBIOS, "GH100 96.00.9F", CHECK_PASS},
                {GPU_VBIOS, "GH100 96.00.A0", CHECK_FAIL}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct policy p;
        struct verdict *v;
        struct err e;

        policy_preset(&p, POLICY_STANDARD);
        p.n_gpu_floors = 1;
        assert_int_equal(gpu_floor_parse(rows[i].floor, rows[i].part, &p.gpu_floor[0], &e), 0);
        v = evidence_verify_gpu(s.subject, 1, NULL, nonce_made, &p, NOW);
        if (verdict_find(v, "gpu.floor")->state != rows[i].state)
            fail_msg("%s: %s", rows[i].floor, verdict_find(v, "gpu.floor")->why);
        verdict_free(v);
    }
    made_set(&gpu, GF_VBIOS_VERSION, "\x00\x5d\x00\x96\x01\0\0\0", 8);
    spoiled("gpu.floor", "holes that are known");
    made_set(&gpu, GF_VBIOS_VERSION, NULL, 0);
    spoiled("gpu.floor", "no version that could be compared");
}

/* What an advisory adds to the floors of the program and of the policy: the highest counts. */
static void floors_of_advisories(void **state) {
    const struct set s = made_set_of(&gpu, 1);
    const struct {
        const char *policy, *advisory;
        enum check_state state;
        const char *expected;
    } rows[] = {{"GH100 550.90.07", "GH100 550.90.07", CHECK_PASS, ""},
                {"GH100 550.54", "GH100 570.00", CHECK_FAIL, "driver 570.00 or later"},
                {"GH100 570.00", "GH100 550.54", CHECK_FAIL, "driver 570.00 or later"},
                {"GB100 580.65", "GB100 570.00", CHECK_PASS, ""}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gpu_floor of_advisory;
        struct policy p;
        struct verdict *v;
        struct err e;
        const struct gpu_input in = {.gpu = s.subject,
                                     .n = 1,
                                     .policy = &p,
                                     .now = NOW,
                                     .floor = &of_advisory,
                                     .n_floors = 1,
                                     .arch = ""};

        policy_preset(&p, POLICY_STANDARD);
        p.n_gpu_floors = 1;
        assert_int_equal(gpu_floor_parse(rows[i].policy, GPU_DRIVER, &p.gpu_floor[0], &e), 0);
        assert_int_equal(gpu_floor_parse(rows[i].advisory, GPU_DRIVER, &of_advisory, &e), 0);
        v = verdict_new(&p, NOW);
        gpu_verify(v, &in);
        verdict_seal(v);
        assert_int_equal(verdict_find(v, "gpu.floor")->state, rows[i].state);
        assert_string_equal(verdict_find(v, "gpu.floor")->expected, rows[i].expected);
        verdict_free(v);
    }
}

static void floors_that_are_none(void **state) {
    static const char *const bad[] = {
        "",           "GH100",      "GH100 ",        " 550",
        "gh100 550",  "GH100 r570", "GH100 550..1",  "GH100 96.0G",
        "GH\n00 550", "GH100 5 5",  "GH100 9999999", "ABCDEFGHIJKL 1"};
    struct gpu_floor f;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (!gpu_floor_parse(bad[i], GPU_VBIOS, &f, &e))
            fail_msg("accepted: '%s'", bad[i]);
    assert_int_equal(gpu_floor_parse("GH100 96.0A", GPU_DRIVER, &f, &e), -1);
    assert_int_equal(gpu_floor_parse("GH100 96.0A", GPU_VBIOS, &f, &e), 0);
}

/* --- with what NVIDIA would sign, made here --- */

static struct pki signers;
static struct buf made_doc[4], made_word[6];
static struct gpu_collateral made;

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN

/* The i-th of the certificates that are asked about: of the device, then of the signers. */
static void word(int i, int status, int reason) {
    if (i < 3)
        made_answer(&gpu.pki, i + 1, status, reason, NOW - 3600, &made_word[i]);
    else
        made_answer(&signers, i - 2, status, reason, NOW - 3600, &made_word[i]);
    made.ocsp[i] = buf_view(&made_word[i]);
}

static void document(size_t i, const char *product, const char *version, unsigned index,
                     const char *resources) {
    made_rim(&signers, product, version, index, resources, &made_doc[i]);
    made.rim[i] = buf_view(&made_doc[i]);
}

static int setup_signed(void **state) {
    setup(state);
    signers_init(&signers);
    roots_test_nvidia(NVIDIA_REFERENCES, signers.root);
    made = (struct gpu_collateral){.n_rims = 2, .n_ocsps = 6};
    document(0, "GH100", "550.90.07", 0, NULL);
    document(1, "GH100", "96.00.9F.00.01", 1, NULL);
    for (int i = 0; i < 6; i++)
        word(i, GOOD, OCSP_REVOKED_STATUS_NOSTATUS);
    return 0;
}

static int teardown_signed(void **state) {
    for (size_t i = 0; i < COUNT(made_doc); i++)
        buf_free(&made_doc[i]);
    for (size_t i = 0; i < COUNT(made_word); i++)
        buf_free(&made_word[i]);
    pki_free(&signers);
    roots_test_nvidia(NVIDIA_REFERENCES, NULL);
    return teardown(state);
}

static void said(const char *id, enum check_state state, const char *why) {
    const struct set s = made_set_of(&gpu, 1);
    struct policy p;
    struct verdict *v;
    const struct check *c;

    policy_preset(&p, POLICY_STRICT);
    v = evidence_verify_gpu(s.subject, 1, &made, nonce_made, &p, NOW);
    c = verdict_find(v, id);
    if (c->state != state || !strstr(c->why, why))
        fail_msg("%s: %s '%s' (%s)", id, check_state_name(c->state), c->why, c->got);
    assert_false(verdict_allows(v));
    verdict_free(v);
}

/* Nothing is left but what only a guest can say. */
static void all_that_nvidia_signs(void **state) {
    const struct set s = made_set_of(&gpu, 1);
    struct policy p;
    struct verdict *v;
    cleanup_buf struct buf open = {0};

    (void)state;
    policy_preset(&p, POLICY_STRICT);
    v = evidence_verify_gpu(s.subject, 1, &made, nonce_made, &p, NOW);
    ids(v, CHECK_NOT_CHECKED, &open);
    assert_string_equal((char *)open.p, "gpu.count gpu.cc_state gpu.in-this-guest");
    ids(v, CHECK_FAIL, &open);
    assert_string_equal((char *)open.p, "");
    assert_non_null(strstr(verdict_find(v, "gpu.revocation")->got, "6 of 6 certificates, as of"));
    verdict_free(v);
}

static void each_certificate_revoked(void **state) {
    static const char *const names[] = {"GH100 A01 GSP BROM",
                                        "NVIDIA GH100 Provisioner ICA 1",
                                        "NVIDIA GH100 Identity",
                                        "HCC RIM L4 Signer",
                                        "NVIDIA Reference Value L3 GH100 001",
                                        "NVIDIA Reference Value GH100 CA"};
    static const struct {
        int status, reason;
        enum check_state state;
        const char *why;
    } rows[] = {
        {REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE, CHECK_FAIL, "revoked since"},
        {REVOKED, OCSP_REVOKED_STATUS_NOSTATUS, CHECK_FAIL, "revoked since"},
        {REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD, CHECK_WARN, "on hold since"},
        {UNKNOWN, OCSP_REVOKED_STATUS_NOSTATUS, CHECK_FAIL, "not known"},
    };

    (void)state;
    for (int i = 0; i < 6; i++) {
        for (size_t r = 0; r < COUNT(rows); r++) {
            word(i, rows[r].status, rows[r].reason);
            said("gpu.revocation", rows[r].state, names[i]);
            said("gpu.revocation", rows[r].state, rows[r].why);
        }
        word(i, GOOD, OCSP_REVOKED_STATUS_NOSTATUS);
        said("gpu.revocation", CHECK_PASS, "");
        made.ocsp[i] = (struct view){0};
        said("gpu.revocation", CHECK_NOT_CHECKED, names[i]);
        word(i, GOOD, OCSP_REVOKED_STATUS_NOSTATUS);
    }
}

/* The worst word counts, wherever it stands, and a bad one even when a good one is newer. */
static void words_that_disagree(void **state) {
    cleanup_buf struct buf bad = {0};

    (void)state;
    made_answer(&gpu.pki, 1, REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE, NOW - 30 * 86400, &bad);
    made.ocsp[made.n_ocsps++] = buf_view(&bad);
    said("gpu.revocation", CHECK_FAIL, "'GH100 A01 GSP BROM' is revoked since");
    made_answer(&gpu.pki, 1, REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 3600, &bad);
    made.ocsp[made.n_ocsps - 1] = buf_view(&bad);
    word(4, UNKNOWN, OCSP_REVOKED_STATUS_NOSTATUS);
    said("gpu.revocation", CHECK_FAIL, "'NVIDIA Reference Value L3 GH100 001'");
}

/* A hold may have been lifted since: a fresh word counts more, and without one it is still told. */
static void a_hold_that_is_stale(void **state) {
    cleanup_buf struct buf held = {0};

    (void)state;
    made_answer(&gpu.pki, 1, REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD, NOW - 30 * 86400, &held);
    made.ocsp[made.n_ocsps++] = buf_view(&held);
    said("gpu.revocation", CHECK_PASS, "");
    made.ocsp[0] = (struct view){0};
    said("gpu.revocation", CHECK_WARN, "'GH100 A01 GSP BROM' is on hold since");
    said("gpu.revocation", CHECK_WARN, "by a word that is stale");
}

#define RESOURCE(index, active, n, hash)                                                           \
    "<Resource type=\"Measurement\" index=\"" index "\" active=\"" active "\" alternatives=\"" n   \
    "\" h:Hash0=\"" hash "\" size=\"48\"/>"

/* Signed, every one of them: what is in it is wrong, and each says what. */
static void documents_that_do_not_stand(void **state) {
    static const struct {
        const char *product, *version, *resources, *why;
        enum check_state state;
    } rows[] = {
        {"GH100", "550.90.07", "", "no active measurement", CHECK_FAIL},
        {"GH100", "550.90.07", RESOURCE("0", "True", "1", "00"), "alternative 0 is no SHA-384",
         CHECK_FAIL},
        {"GH100", "550.90.07", RESOURCE("0", "Maybe", "1", MADE_ZERO), "neither active nor not",
         CHECK_FAIL},
        {"GH100", "550.90.07",
         RESOURCE("0", "True", "1", MADE_ZERO) RESOURCE("0", "True", "1", MADE_ZERO),
         "index 0 stands twice", CHECK_FAIL},
        {"GH100", "550.90.07", RESOURCE("0", "True", "2", MADE_ZERO), "alternative 1", CHECK_FAIL},
        {"GB100", "550.90.07", NULL, "are of a GB100, the report is of a GH100", CHECK_FAIL},
        {"GH100", "550.90.08", NULL, "are missing: nothing says", CHECK_NOT_CHECKED},
        {"GH100", "5 5", NULL, "are missing, and a document that was given", CHECK_NOT_CHECKED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        document(0, rows[i].product, rows[i].version, 0, rows[i].resources);
        said("gpu.rim.driver", rows[i].state, rows[i].why);
        said("gpu.rim.vbios", CHECK_PASS, "");
        said("gpu.measurements", CHECK_NOT_CHECKED, "Only a part");
    }
    made.rim[0] = view_str("<SoftwareIdentity");
    said("gpu.rim.driver", CHECK_NOT_CHECKED, "cannot be read: ");
    said("gpu.rim.vbios", CHECK_PASS, "");
    document(0, "GH100", "550.90.07", 0, NULL);
    said("gpu.rim.driver", CHECK_PASS, "");
    *strstr((char *)made_doc[0].p, "0000") = '1';
    said("gpu.rim.driver", CHECK_FAIL, "forged or was changed");
    document(0, "GH100", "550.90.07", 1, NULL); /* the VBIOS has it already */
    said("gpu.measurements", CHECK_FAIL, "both claim measurement 1");
    document(0, "GH100", "550.90.07", 2, NULL);
    said("gpu.measurements", CHECK_FAIL, "lacks measurements that NVIDIA demands: 2");
}

/* --- a guest's word --- */

static void in_guest(struct made_gpu *m, bool authentic, bool bound, uint32_t offered,
                     const char *arch, struct verdict **v) {
    struct policy p;
    const struct set s = made_set_of(m, 1);
    struct gpu_subject subject = s.subject[0];
    const struct gpu_input in = {.gpu = &subject,
                                 .n = 1,
                                 .policy = &p,
                                 .now = NOW,
                                 .nonce = nonce_made,
                                 .in_guest = true,
                                 .guest_authentic = authentic,
                                 .bound = bound,
                                 .offered = offered,
                                 .arch = arch};

    policy_preset(&p, POLICY_STANDARD);
    subject.has_state = true;
    *v = verdict_new(&p, NOW);
    gpu_verify(*v, &in);
    verdict_seal(*v);
}

static void expect_guest(bool authentic, bool bound, uint32_t offered, const char *arch,
                         const char *id, enum check_state state, const char *why) {
    struct verdict *v;

    in_guest(&gpu, authentic, bound, offered, arch, &v);
    assert_int_equal(verdict_find(v, id)->state, state);
    if (!strstr(verdict_find(v, id)->why, why))
        fail_msg("%s: '%s' instead of '%s'", id, verdict_find(v, id)->why, why);
    verdict_free(v);
}

static void what_the_guest_says(void **state) {
    (void)state;
    expect_guest(true, true, 1, "hopper", "gpu.count", CHECK_PASS, "");
    expect_guest(true, true, 1, "blackwell", "gpu.count", CHECK_FAIL, "another kind");
    expect_guest(true, true, 2, "", "gpu.count", CHECK_FAIL, "of 1 GPUs, 2 are expected");
    expect_guest(true, true, 1, "", "gpu.cc_state", CHECK_PASS, "");
    expect_guest(false, true, 1, "", "gpu.cc_state", CHECK_NOT_CHECKED, "does not stand");
    expect_guest(true, true, 1, "", "gpu.in-this-guest", CHECK_PASS, "no hardware proves that");
    expect_guest(true, false, 1, "", "gpu.in-this-guest", CHECK_NOT_CHECKED, "does not cover");
    expect_guest(false, true, 1, "", "gpu.in-this-guest", CHECK_NOT_CHECKED, "does not cover");
}

/* A GPU that is open is refused although its report is good, whatever the policy. */
static void an_open_gpu_is_refused(void **state) {
    static const struct {
        uint8_t state[4];
        const char *why;
    } rows[] = {{{0, 0, 2, 0}, "Confidential computing is off"},
                {{1, 1, 2, 0}, "DevTools mode is on"},
                {{1, 0, 1, 0}, "not in its production environment"},
                {{1, 0, 2, 1}, "disagree"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct set s = made_set_of(&gpu, 1);
        struct policy p;
        struct verdict *v;
        struct gpu_input in = {.gpu = s.subject,
                               .n = 1,
                               .policy = &p,
                               .now = NOW,
                               .nonce = nonce_made,
                               .in_guest = true,
                               .guest_authentic = true,
                               .bound = true,
                               .offered = 1,
                               .arch = ""};

        policy_preset(&p, POLICY_DEMO);
        p.override[CK_GPU_CC_STATE] = REQ_NOTE + 1;
        s.subject[0].has_state = true;
        memcpy(s.subject[0].ev.state, rows[i].state, 4);
        v = verdict_new(&p, NOW);
        gpu_verify(v, &in);
        verdict_seal(v);
        assert_int_equal(verdict_state(v), CHECK_FAIL);
        assert_int_equal(verdict_find(v, "gpu.signature")->state, CHECK_PASS);
        assert_int_equal(verdict_find(v, "gpu.cc_state")->state, CHECK_FAIL);
        assert_int_equal(verdict_find(v, "gpu.cc_state")->source, SOURCE_GUEST);
        assert_non_null(strstr(verdict_find(v, "gpu.cc_state")->why, rows[i].why));
        verdict_free(v);
    }
}

/* Every byte of a captured report changed, 10,000 times in all: never a signature that stands. */
static void changed_reports_never_stand(void **state) {
    cleanup_buf struct buf report = {0}, chain = {0};
    struct gpu_item item;
    struct gpu_subject s;
    struct gpu_device d;
    struct err e;

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(gpu_load("h100-550.90.07/report.bin", &report));
    assert_true(gpu_load("h100-550.90.07/chain.pem", &chain));
    assert_int_equal(gpu_item_read(&item, "HOPPER", (struct view){0}, buf_view(&chain), &e), 0);
    s = (struct gpu_subject){item.ev, item.n_certs, false};
    s.ev.report = buf_view(&report);
    gpu_device_read(&d, &s, NOW);
    assert_true(d.authentic);
    for (size_t k = 0; k < 10000; k++) {
        const size_t i = k % report.n;
        const uint8_t flip = (uint8_t)(1u << (i + k / report.n) % 8);
        struct gpu_report r;

        report.p[i] ^= flip;
        if (!gpu_report_parse(buf_view(&report), &r, &e) &&
            !gpu_report_verify(&r, d.chain.x[0], &e))
            fail_msg("byte %zu", i);
        report.p[i] ^= flip;
    }
    gpu_device_free(&d);
    gpu_item_free(&item);
}

#define MADE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#define SIGNED(f) cmocka_unit_test_setup_teardown(f, setup_signed, teardown_signed)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_sets),
        cmocka_unit_test(captured_sets_that_are_bad),
        cmocka_unit_test(the_full_set),
        cmocka_unit_test(values_that_differ),
        cmocka_unit_test(captured_lists),
        cmocka_unit_test(a_whole_board),
        MADE(a_made_gpu_passes),
        MADE(notes_and_newer_firmware),
        MADE(modes),
        MADE(gpus_of_different_modes),
        MADE(firmware_ids),
        MADE(versions_below_a_floor),
        MADE(floors_of_advisories),
        cmocka_unit_test(floors_that_are_none),
        SIGNED(all_that_nvidia_signs),
        SIGNED(each_certificate_revoked),
        SIGNED(words_that_disagree),
        SIGNED(a_hold_that_is_stale),
        SIGNED(documents_that_do_not_stand),
        MADE(what_the_guest_says),
        MADE(an_open_gpu_is_refused),
        cmocka_unit_test(changed_reports_never_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
