/* Reports of GPUs and switches: real ones read and verified, and each thing that can be wrong with
 * their bytes named. */
#include "attest/gpu_report.c"
#include "attest/p384.c"
#include "tests/unit/gpu_vectors.h"

struct real_row {
    const char *folder, *driver, *vbios, *project, *project_sku, *chip_sku, *chip_info;
    unsigned blocks;
    enum gpu_switchable nvdec, pcie;
    bool fwid;
};
static const struct real_row real[] = {
    {"h100-550.90.07", "550.90.07", "96.00.9F.00.01", "1010", "0200", "882", "", 64, GPU_SAYS_OFF,
     GPU_SAYS_OFF, true},
    {"h100-535.86.09", "535.86.09", "96.00.5E.00.01", "1010", "0200", "882", "", 64, GPU_SAYS_OFF,
     GPU_SAYS_NOTHING, false},
    {"gb100-575.32", "575.32", "97.00.88.00.0F", "G525", "0220", "886", "", 64, GPU_SAYS_OFF,
     GPU_SAYS_NOTHING, true},
    {"gb202-595.58.03", "595.58.03", "98.02.81.00.01", "G153", "0210", "895", "GB202", 64,
     GPU_SAYS_ON, GPU_SAYS_NOTHING, true},
    {"nvswitch-ls10-96.10.55.00.01", "", "96.10.55.00.01", "", "", "", "", 31, GPU_SAYS_NOTHING,
     GPU_SAYS_NOTHING, false},
};

static void load(const char *folder, const char *file, struct buf *out) {
    char rel[120];

    snprintf(rel, sizeof rel, "%s/%s", folder, file);
    if (!gpu_load(rel, out))
        fail_msg("cannot read %s", rel);
}

static void real_reports(void **state) {
    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(real); i++) {
        const struct real_row *row = &real[i];
        cleanup_buf struct buf report = {0}, chain = {0};
        struct gpu_report r;
        struct err e = {0};
        X509 *leaf;

        load(row->folder, "report.bin", &report);
        load(row->folder, "chain.pem", &chain);
        if (gpu_report_parse(buf_view(&report), &r, &e))
            fail_msg("%s: %s", row->folder, e.text);
        assert_string_equal(r.driver, row->driver);
        assert_string_equal(r.vbios, row->vbios);
        assert_string_equal(r.project, row->project);
        assert_string_equal(r.project_sku, row->project_sku);
        assert_string_equal(r.chip_sku, row->chip_sku);
        assert_string_equal(r.chip_info, row->chip_info);
        assert_int_equal(r.n_digests, row->blocks);
        assert_int_equal(r.nvdec, row->nvdec);
        assert_int_equal(r.protected_pcie, row->pcie);
        assert_int_equal(r.field[GF_FWID].p != NULL, row->fwid);
        assert_int_equal(r.n_unknown, 0);
        assert_int_equal(r.trailing, 0);
        assert_int_equal(r.body.n + 96, report.n);
        leaf = gpu_cert(&chain, 0);
        assert_int_equal(gpu_report_verify(&r, leaf, &e), 0);
        X509_free(leaf);
    }
}

static void reports_of_others(void **state) {
    static const char *const rows[][2] = {
        {"bad/report.invalid-signature.bin", "bad/report.invalid-signature.chain.pem"},
        {"nvswitch-ls10-96.10.55.00.01/report.invalid-signature.bin",
         "nvswitch-ls10-96.10.55.00.01/chain.pem"},
        {"h100-550.90.07/report.bin", "h100-535.86.09/chain.pem"},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf report = {0}, chain = {0};
        struct gpu_report r;
        struct err e = {0};
        X509 *leaf;

        assert_true(gpu_load(rows[i][0], &report) && gpu_load(rows[i][1], &chain));
        assert_int_equal(gpu_report_parse(buf_view(&report), &r, &e), 0);
        leaf = gpu_cert(&chain, 0);
        assert_int_equal(gpu_report_verify(&r, leaf, &e), -1);
        assert_string_equal(e.code, "bad-signature");
        X509_free(leaf);
    }
}

/* --- reports made here, so that what is wrong is exactly one thing --- */

struct made {
    struct buf record, opaque, all;
    uint8_t n_blocks;
};

static void u16(struct buf *b, unsigned n) {
    buf_u8(b, (uint8_t)n);
    buf_u8(b, (uint8_t)(n >> 8));
}

static void block(struct made *m, uint8_t index, uint8_t spec, unsigned size, unsigned value) {
    const uint8_t digest[GPU_DIGEST] = {index};

    buf_u8(&m->record, index);
    buf_u8(&m->record, spec);
    u16(&m->record, size);
    buf_u8(&m->record, 1);
    u16(&m->record, value);
    buf_add(&m->record, digest, sizeof digest);
    m->n_blocks++;
}

static void field(struct made *m, unsigned type, const void *p, size_t n) {
    u16(&m->opaque, type);
    u16(&m->opaque, (unsigned)n);
    buf_add(&m->opaque, p, n);
}

static const uint8_t head[] = {0x11, 0xe0, 0x01, 0xff};

/* Request, response and a signature of zeros; tail: bytes behind it. */
static struct view assemble(struct made *m, const char *tail, size_t n_tail) {
    static const uint8_t zero[96];

    buf_reset(&m->all);
    buf_add(&m->all, head, sizeof head);
    buf_add(&m->all, zero, 33);
    buf_add(&m->all, "\x11\x60\0\0", 4);
    buf_u8(&m->all, m->n_blocks);
    u16(&m->all, (unsigned)m->record.n);
    buf_u8(&m->all, 0);
    buf_add(&m->all, m->record.p, m->record.n);
    buf_add(&m->all, zero, 32);
    u16(&m->all, (unsigned)m->opaque.n);
    buf_add(&m->all, m->opaque.p, m->opaque.n);
    buf_add(&m->all, zero, 96);
    buf_add(&m->all, tail, n_tail);
    return buf_view(&m->all);
}

static void good(struct made *m) {
    *m = (struct made){0};
    block(m, 1, 1, 51, 48);
    block(m, 9, 1, 51, 48);
    field(m, GF_DRIVER_VERSION, "550.90.07", 10);
    field(m, GF_VBIOS_VERSION, "\x00\x9f\x00\x96\x01\0\0\0", 8);
    field(m, GF_NVDEC0, "\x55", 1);
}

static void made_free(struct made *m) {
    buf_free(&m->record);
    buf_free(&m->opaque);
    buf_free(&m->all);
}

/* why: what the sentence must name; NULL: it is read. */
static void expect(struct made *m, const char *tail, size_t n_tail, const char *why) {
    struct gpu_report r;
    struct err e = {0};
    const int rc = gpu_report_parse(assemble(m, tail, n_tail), &r, &e);

    if (!why && rc)
        fail_msg("%s", e.text);
    if (why && (!rc || !strstr(e.text, why)))
        fail_msg("'%s' instead of '%s'", rc ? e.text : "", why);
    if (rc) {
        const struct gpu_report zero = {0};

        assert_memory_equal(&r, &zero, sizeof r);
    }
    made_free(m);
}

static void made_reports_are_read(void **state) {
    struct gpu_report r;
    struct made m;
    struct err e;

    (void)state;
    good(&m);
    field(&m, 29, "x", 1);
    field(&m, 255, "", 0);
    field(&m, GF_FEATURE, "\1\0", 2);
    assert_int_equal(gpu_report_parse(assemble(&m, "\0\0\0", 3), &r, &e), 0);
    assert_string_equal(r.driver, "550.90.07");
    assert_string_equal(r.vbios, "96.00.9F.00.01");
    assert_int_equal(r.nvdec, GPU_SAYS_OFF);
    assert_int_equal(r.n_digests, 2);
    assert_int_equal(r.digest[9].p[0], 9);
    assert_null(r.digest[2].p);
    assert_int_equal(r.n_unknown, 2);
    assert_int_equal(r.unknown[0], 29);
    assert_int_equal(r.unknown[1], 255);
    assert_int_equal(r.trailing, 3);
    assert_true(r.has_feature && r.feature == 1);
    made_free(&m);
}

static void what_follows_the_signature(void **state) {
    struct made m;

    (void)state;
    good(&m);
    expect(&m, "\0", 1, NULL);
    good(&m);
    expect(&m, "\0\0\0\0", 4, "4 stray bytes follow the signature");
    good(&m);
    expect(&m, "\0\1", 2, "stray bytes follow the signature");
}

static void blocks_that_are_wrong(void **state) {
    struct made m;

    (void)state;
    good(&m);
    block(&m, 9, 1, 51, 48);
    expect(&m, "", 0, "measurement 9 is there twice");
    good(&m);
    block(&m, 0, 1, 51, 48);
    expect(&m, "", 0, "index 0");
    good(&m);
    block(&m, 3, 2, 51, 48);
    expect(&m, "", 0, "measurement 3 is of specification 2");
    good(&m);
    block(&m, 3, 1, 51, 47);
    expect(&m, "", 0, "sizes of measurement 3");
    good(&m);
    block(&m, 3, 1, 52, 48);
    expect(&m, "", 0, "ends within block 3");
    good(&m);
    m.n_blocks--;
    expect(&m, "", 0, "55 stray bytes follow the 1 measurements");
    good(&m);
    m.n_blocks++;
    expect(&m, "", 0, "ends within block 3");
}

static void opaque_data_that_are_wrong(void **state) {
    struct made m;

    (void)state;
    good(&m);
    field(&m, GF_NVDEC0, "\x55", 1);
    expect(&m, "", 0, "opaque data of type 11 are there twice");
    good(&m);
    field(&m, 300, "x", 1);
    field(&m, 300, "x", 1);
    expect(&m, "", 0, "opaque data of type 300 are there twice");
    good(&m);
    u16(&m.opaque, 200);
    u16(&m.opaque, 1);
    expect(&m, "", 0, "end within an entry");
    good(&m);
    field(&m, GF_FWID, "x", 1);
    expect(&m, "", 0, "FWID has 1 bytes");
    good(&m);
    field(&m, GF_PROTECTED_PCIE, "\x56", 1);
    expect(&m, "", 0, "PROTECTED_PCIE_STATUS is 0x56");
    good(&m);
    field(&m, GF_PROJECT, "10\n0", 4);
    expect(&m, "", 0, "PROJECT is not a short text");
    good(&m);
    field(&m, GF_CHIP_SKU, "8\0002", 3);
    expect(&m, "", 0, "CHIP_SKU is not a short text");
    good(&m);
    field(&m, GF_OPAQUE_VERSION, "\2\0", 2);
    expect(&m, "", 0, "newer firmware");
}

static void cut_anywhere(void **state) {
    struct gpu_report r;
    struct made m;
    struct view all;
    struct err e;

    (void)state;
    good(&m);
    all = assemble(&m, "", 0);
    for (size_t n = 0; n < all.n; n++) {
        assert_int_equal(gpu_report_parse(view_of(all.p, n), &r, &e), -1);
        assert_string_equal(e.code, "bad-gpu-report");
    }
    made_free(&m);
}

static void another_request(void **state) {
    static const struct {
        size_t at;
        uint8_t byte;
        const char *why;
    } rows[] = {{0, 0x12, "SPDM version 1.2"}, {1, 0xe1, "GET_MEASUREMENTS"},
                {2, 0, "with a signature"},    {3, 0, "all measurements"},
                {37, 0x10, "no MEASUREMENTS"}, {38, 0x61, "no MEASUREMENTS"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gpu_report r;
        struct made m;
        struct err e;

        good(&m);
        (void)assemble(&m, "", 0);
        m.all.p[rows[i].at] = rows[i].byte;
        assert_int_equal(gpu_report_parse(buf_view(&m.all), &r, &e), -1);
        assert_non_null(strstr(e.text, rows[i].why));
        made_free(&m);
    }
}

static void r_and_s_swapped(void **state) {
    cleanup_buf struct buf report = {0}, chain = {0};
    uint8_t half[48];
    struct gpu_report r;
    struct err e;
    X509 *leaf;

    (void)state;
    if (!gpu_vectors())
        skip();
    load("h100-550.90.07", "report.bin", &report);
    load("h100-550.90.07", "chain.pem", &chain);
    memcpy(half, report.p + report.n - 96, 48);
    memmove(report.p + report.n - 96, report.p + report.n - 48, 48);
    memcpy(report.p + report.n - 48, half, 48);
    leaf = gpu_cert(&chain, 0);
    assert_int_equal(gpu_report_parse(buf_view(&report), &r, &e), 0);
    assert_int_equal(gpu_report_verify(&r, leaf, &e), -1);
    memset(report.p + report.n - 96, 0, 96);
    assert_int_equal(gpu_report_verify(&r, leaf, &e), -1);
    X509_free(leaf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_reports),          cmocka_unit_test(reports_of_others),
        cmocka_unit_test(made_reports_are_read), cmocka_unit_test(what_follows_the_signature),
        cmocka_unit_test(blocks_that_are_wrong), cmocka_unit_test(opaque_data_that_are_wrong),
        cmocka_unit_test(cut_anywhere),          cmocka_unit_test(another_request),
        cmocka_unit_test(r_and_s_swapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
