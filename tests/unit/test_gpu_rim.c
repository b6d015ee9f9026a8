/* NVIDIA's reference values: every captured document at its own clock, and documents with one thing
 * wrong, each with its own reason. */
#define CDVM_TEST_ROOTS
#include <glob.h>

#include "attest/roots.c"
#include "attest/gpu_rim.c"
#include "attest/gpu_measure.c"
#include "core/enc.h"
#include "tests/unit/gpu_vectors.h"

#define DRIVER "gpu/h100-550.90.07/NV_GPU_DRIVER_GH100_550.90.07.xml"
#define VBIOS "gpu/h100-550.90.07/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml"
#define JULY_2025 ((int64_t)1751328000)

static struct gpu_rim *load(const char *rel, int64_t now) {
    cleanup_buf struct buf xml = {0};

    assert_true(vector_load(rel, &xml));
    return gpu_rim_read(buf_view(&xml), now);
}

static void captured_documents(void **state) {
    static const struct {
        const char *file;
        int64_t now;
        const char *code, *version; /* code NULL: authentic */
        unsigned active;
    } rows[] = {
        {DRIVER, 1717207709, NULL, "550.90.07", 21},
        {DRIVER, 1717207708, "not-yet-valid", "550.90.07", 0},
        {DRIVER, 1780279708, NULL, "550.90.07", 21},
        {DRIVER, 1780279709, "expired", "550.90.07", 0},
        {VBIOS, JULY_2025, NULL, "96.00.9F.00.01", 12},
        {VBIOS, 1771802279, "expired", "96.00.9F.00.01", 0},
        {"gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml", 1700000000, NULL,
         "96.00.5E.00.01", 12},
        {"gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml", JULY_2025, "expired",
         "96.00.5E.00.01", 0},
        {"gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.reissued-2023-12.xml", JULY_2025,
         NULL, "96.00.5E.00.01", 12},
        {"gpu/h100-535.86.09/NV_GPU_DRIVER_GH100_535.86.09.tampered.xml", JULY_2025,
         "rim-signature", "535.86.09", 0},
        {"gpu/nvswitch-ls10-96.10.55.00.01/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", 1795305600,
         NULL, "96.10.55.00.01", 31},
        {"gpu/nvswitch-ls10-96.10.55.00.01/"
         "NV_SWITCH_BIOS_5612_0002_890_9610550001.invalid-signature.xml",
         JULY_2025, "rim-signature", "96.10.55.00.01", 0},
        {"gpu/nvswitch-ls10-96.10.55.00.01/"
         "NV_SWITCH_BIOS_5612_0002_890_9610550001.wrong-product.xml",
         JULY_2025, "rim-signature", "96.10.55.00.01", 0},
        {"gpu/bad/driver_rim.good-twin.xml", JULY_2025, NULL, "550.144.03", 0},
        {"gpu/bad/driver_rim.incorrect-signature.xml", JULY_2025, "rim-signature", "550.144.03", 0},
        {"gpu/bad/rim.debug-root.xml", JULY_2025, "rim-root", "97.00.83.00.09", 0},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gpu_rim *r = load(rows[i].file, rows[i].now);

        print_message("# %zu %s %s: %s\n", i, r->version, r->error.code, r->error.text);
        if (r->authentic != !rows[i].code ||
            (rows[i].code && strcmp(rows[i].code, r->error.code) != 0))
            fail_msg("%s: '%s', %s", rows[i].file, r->error.code, r->error.text);
        assert_string_equal(r->version, rows[i].version);
        if (rows[i].active || rows[i].code)
            assert_int_equal(r->n_active, rows[i].active);
        gpu_rim_free(r);
    }
}

/* "96.00.74.00.01" ends the name of "..._9600740001.xml". */
static void name_has_version(const char *path, const char *version) {
    char plain[RIM_TEXT + 5];
    size_t n = 0;

    for (; *version; version++)
        if (*version != '.')
            plain[n++] = *version;
    snprintf(plain + n, sizeof plain - n, ".xml");
    assert_string_equal(strrchr(path, '_') + 1, plain);
}

/* Every board of 2023: genuine, of the version that its name says, and two years later no more. */
static void boards_of_2023(void **state) {
    static const uint8_t ninth[] = {0x7f, 0x3e, 0x93, 0x82};
    const char *dir = vector_path("gpu/vbios-rims-2023");
    cleanup_free char *pattern = dir ? mem_fmt("%s/*.xml", dir) : NULL;
    glob_t found;

    (void)state;
    if (!pattern)
        skip();
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 14);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        cleanup_buf struct buf xml = {0};
        struct gpu_rim *r;
        struct err e;

        assert_int_equal(file_read(found.gl_pathv[i], RIM_MAX, &xml, &e), 0);
        r = gpu_rim_read(buf_view(&xml), 1704067200); /* 2024-01-01 */
        if (!r->authentic)
            fail_msg("%s: %s", found.gl_pathv[i], r->error.text);
        assert_string_equal(r->product, "GH100");
        name_has_version(found.gl_pathv[i], r->version);
        assert_int_equal(r->n_active, 12);
        assert_true(r->value[9].active && r->value[9].n == 1);
        assert_memory_equal(r->value[9].hash[0], ninth, sizeof ninth);
        gpu_rim_free(r);
        r = gpu_rim_read(buf_view(&xml), 1760000000); /* 2025-10-09 */
        assert_string_equal(r->error.code, "expired");
        gpu_rim_free(r);
    }
    globfree(&found);
}

/* --- documents with one thing wrong --- */

/* `what`, which must be there, becomes `by`; *out begins empty. */
static void replace(const struct buf *xml, const char *what, const char *by, struct buf *out) {
    const uint8_t *at = memmem(xml->p, xml->n, what, strlen(what));

    assert_non_null(at);
    buf_reset(out);
    buf_add(out, xml->p, (size_t)(at - xml->p));
    buf_str(out, by);
    buf_add(out, at + strlen(what), xml->n - (size_t)(at - xml->p) - strlen(what));
}

static void refused(const struct buf *xml, const char *code, const char *text) {
    struct gpu_rim *r = gpu_rim_read(buf_view(xml), JULY_2025);

    if (r->authentic || strcmp(r->error.code, code) != 0 || !strstr(r->error.text, text))
        fail_msg("'%s' %s instead of '%s' %s", r->error.code, r->error.text, code, text);
    assert_int_equal(r->n_active, 0);
    assert_null(r->cert[0]);
    gpu_rim_free(r);
}

#define EMPTY "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>"

static void each_its_own_reason(void **state) {
    static const struct {
        const char *what, *by, *code, *text;
    } rows[] = {
        {"</ns0:Payload>", EMPTY "</ns0:Payload>", "rim-signature", "has 2 signatures"},
        {"</SoftwareIdentity>", EMPTY "</SoftwareIdentity>", "rim-signature", "has 2 signatures"},
        {"URI=\"\"", "URI=\"#id\"", "rim-signature", "it covers '#id'"},
        {"Reference URI=\"\"", "Reference", "rim-signature", "not the whole document"},
        {"#enveloped-signature\"/>",
         "#enveloped-signature\"/><ds:Transform "
         "Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"/>",
         "rim-signature", "its transforms"},
        {"#enveloped-signature", "#base64", "rim-signature", "its transforms"},
        {"CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\"",
         "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"",
         "rim-signature", "its canonical form"},
        {"ecdsa-sha384", "ecdsa-sha256", "rim-signature", "its method"},
        {"xmldsig-more#sha384", "xmldsig-more#sha224", "rim-signature", "its digest"},
        {"<ds:X509Data>", "<ds:KeyName>x</ds:KeyName><ds:X509Data>", "rim-signature",
         "does not bring its certificates"},
        {"<ds:SignatureValue>", "<ds:SignatureValue>AAAA", "rim-signature", "does not stand"},
        {"product=\"GH100\"", "product=\"GB100\"", "rim-signature", "does not stand"},
        {"</ns0:Payload>", "<!-- --></ns0:Payload>x", "rim-signature", "does not stand"},
        {"colloquialVersion=", "version=", "bad-rim", "names no colloquialVersion"},
        {"<SoftwareIdentity", "<!DOCTYPE a [<!ENTITY b 'c'>]><SoftwareIdentity", "bad-rim",
         "declares a document type"},
        {"<SoftwareIdentity", "<Softwareldentity", "bad-rim", "are not an XML document"},
    };
    cleanup_buf struct buf xml = {0}, bad = {0};

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(vector_load(DRIVER, &xml));
    for (size_t i = 0; i < COUNT(rows); i++) {
        replace(&xml, rows[i].what, rows[i].by, &bad);
        refused(&bad, rows[i].code, rows[i].text);
    }
}

/* The genuine document as a whole inside one of ours, with other values around it. */
static void a_wrapped_document_is_refused(void **state) {
    cleanup_buf struct buf xml = {0}, bad = {0};
    const char *meta;

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(vector_load(DRIVER, &xml));
    buf_str(&bad, "<SoftwareIdentity xmlns=\"" SWID "\"><Meta product=\"GH100\" "
                  "colloquialVersion=\"550.90.07\"/><Payload/>");
    meta = memmem(xml.p, xml.n, "<SoftwareIdentity", 17);
    buf_str(&bad, meta);
    buf_str(&bad, "</SoftwareIdentity>");
    refused(&bad, "rim-signature", "not directly below the root");
}

/* The Payload alone, read as if its signature stood: what a signed document could still say
 * wrongly. NULL: it reads. */
static void payload(const struct buf *xml, const char *name, const char *text) {
    struct gpu_rim *r = mem_new(sizeof *r);
    struct err e = {0};
    xmlDoc *doc = rim_parse(buf_view(xml), &e);

    assert_non_null(doc);
    if (!!values_read(xmlDocGetRootElement(doc), r, &e) != !!text ||
        (text && !strstr(e.text, text)))
        fail_msg("%s: '%s' instead of '%s'", name, e.text, text ? text : "");
    xmlFreeDoc(doc);
    gpu_rim_free(r);
}

static void fragments(void **state) {
    static const struct {
        const char *file, *text;
    } rows[] = {
        {"failure_duplicate_index", ""},      {"failure_empty_payload", "no active measurement"},
        {"failure_no_payload", "no Payload"}, {"failure_hash_empty_namespace", "is no SHA-384"},
        {"failure_invalid_alternatives", ""}, {"failure_missing_alternatives", ""},
        {"failure_invalid_index", "index"},   {"failure_missing_index", "index"},
        {"failure_invalid_size", "of 48"},    {"failure_missing_size", "of 48"},
        {"failure_missing_hash", ""},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf xml = {0};
        char rel[100];

        snprintf(rel, sizeof rel, "gpu/bad/rim-fragments/%s.xml", rows[i].file);
        assert_true(vector_load(rel, &xml));
        payload(&xml, rows[i].file, rows[i].text);
    }
}

static void values_that_are_wrong(void **state) {
    static const struct {
        const char *what, *by, *text;
    } rows[] = {
        {"index=\"8\"", "index=\"08\"", "has no index"},
        {"index=\"8\"", "index=\"255\"", "has no index"},
        {"index=\"8\"", "index=\"-8\"", "has no index"},
        {"index=\"8\"", "index=\"7\"", "index 7 stands twice"},
        {"active=\"True\"", "active=\"true\"", "neither active nor not"},
        {"alternatives=\"1\"", "alternatives=\"0\"", "number of alternatives"},
        {"alternatives=\"1\"", "alternatives=\"17\"", "number of alternatives"},
        {"alternatives=\"1\"", "alternatives=\"2\"", "alternative 1 is no SHA-384"},
        {"Hash0=\"0", "Hash0=\"", "alternative 0 is no SHA-384"},
        {"Hash0=\"0", "Hash0=\"g", "alternative 0 is no SHA-384"},
        {"size=\"48\"", "size=\"32\"", "is not of 48 bytes"},
        {"type=\"Measurement\"", "type=\"x\"", "is no Measurement"},
        {"</ns0:Payload>", "</ns0:Payload><ns0:Payload/>", "more than one Payload"},
        {"</ns0:Payload>", "</ns0:Payload><Payload xmlns=\"other\"/>", NULL},
    };
    cleanup_buf struct buf xml = {0}, bad = {0};

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(vector_load(DRIVER, &xml));
    for (size_t i = 0; i < COUNT(rows); i++) {
        replace(&xml, rows[i].what, rows[i].by, &bad);
        payload(&bad, rows[i].by, rows[i].text);
        refused(&bad, "rim-signature", "does not stand"); /* before its values are looked at */
    }
}

/* --- comparison --- */

static void report_load(const char *rel, struct buf *bytes, struct gpu_report *out) {
    struct err e;

    assert_true(vector_load(rel, bytes));
    assert_int_equal(gpu_report_parse(buf_view(bytes), out, &e), 0);
}

static void captured_reports_match(void **state) {
    static const struct {
        const char *report, *rim[2];
        int64_t now;
        unsigned golden, matched, skipped, first;
    } rows[] = {
        {"gpu/h100-550.90.07/report.bin", {DRIVER, VBIOS}, JULY_2025, 33, 32, 1, 0},
        {"gpu/h100-535.86.09/report.bin",
         {"gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml"},
         1700000000,
         12,
         12,
         0,
         0},
        {"gpu/h100-535.86.09/report.bin",
         {"gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.reissued-2023-12.xml"},
         JULY_2025,
         12,
         11,
         0,
         9},
        {"gpu/nvswitch-ls10-96.10.55.00.01/report.bin",
         {"gpu/nvswitch-ls10-96.10.55.00.01/NV_SWITCH_BIOS_5612_0002_890_9610550001.xml"},
         1795305600,
         31,
         31,
         0,
         0},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf bytes = {0};
        struct gpu_rim *rim[2];
        struct gpu_report r;
        struct gpu_measure m;
        size_t n = 0;

        report_load(rows[i].report, &bytes, &r);
        for (; n < 2 && rows[i].rim[n]; n++)
            rim[n] = load(rows[i].rim[n], rows[i].now);
        gpu_measure_compare(&r, (const struct gpu_rim *const *)rim, n, &m);
        assert_int_equal(m.golden, rows[i].golden);
        assert_int_equal(m.matched, rows[i].matched);
        assert_int_equal(m.skipped, rows[i].skipped);
        assert_int_equal(gpu_measure_good(&m), !rows[i].first);
        assert_int_equal(m.wrong[0], rows[i].first);
        while (n)
            gpu_rim_free(rim[--n]);
    }
}

static const uint8_t good[48] = {1}, other[48] = {2};

static struct gpu_rim *made(unsigned index, const uint8_t hash[48]) {
    struct gpu_rim *r = mem_new(sizeof *r);

    r->value[index].active = true;
    r->value[index].n = 1;
    memcpy(r->value[index].hash[0], hash, 48);
    return r;
}

static struct gpu_measure compare(const struct gpu_report *r, const struct gpu_rim *a,
                                  const struct gpu_rim *b) {
    const struct gpu_rim *const both[] = {a, b};
    struct gpu_measure m;

    gpu_measure_compare(r, both, b ? 2 : 1, &m);
    return m;
}

static void comparison_rules(void **state) {
    struct gpu_rim *a = made(7, good), *b = made(7, good), *c = made(35, other);
    struct gpu_report r = {0};
    struct gpu_measure m;
    char text[100];

    (void)state;
    r.digest[8] = view_of(good, 48);
    m = compare(&r, a, NULL);
    assert_true(gpu_measure_good(&m));
    m = compare(&r, a, b); /* equal values, and still nobody knows whose it is */
    assert_true(m.conflict && m.conflict_index == 7 && !gpu_measure_good(&m));
    r.digest[7] = view_of(good, 48);
    r.digest[8] = view_of(other, 48); /* values swapped */
    m = compare(&r, a, NULL);
    assert_true(m.n_wrong == 1 && m.wrong[0] == 7 && !gpu_measure_good(&m));
    a->value[7].n = 2; /* an alternative */
    memcpy(a->value[7].hash[1], other, 48);
    m = compare(&r, a, NULL);
    assert_true(gpu_measure_good(&m));
    r.digest[8] = view_of(good, 47);
    m = compare(&r, a, NULL);
    assert_int_equal(m.n_wrong, 1);
    r.digest[8] = (struct view){0};
    m = compare(&r, a, c);
    assert_true(m.n_missing == 2 && !gpu_measure_good(&m));
    gpu_measure_text(&m, text, sizeof text);
    assert_string_equal(text, "7, 35");
    r.digest[8] = view_of(good, 48);
    r.nvdec = GPU_SAYS_ON;
    m = compare(&r, a, c);
    assert_false(gpu_measure_good(&m));
    r.nvdec = GPU_SAYS_OFF;
    m = compare(&r, a, c);
    assert_true(gpu_measure_good(&m) && m.skipped == 1);
    m = compare(&r, c, NULL); /* nothing was compared at all */
    assert_false(gpu_measure_good(&m));
    gpu_rim_free(a);
    gpu_rim_free(b);
    gpu_rim_free(c);
}

/* --- which document --- */

static void ids_of_captured_reports(void **state) {
    static const struct {
        const char *folder, *chip, *driver, *vbios;
    } rows[] = {
        {"h100-550.90.07", "GH100", "NV_GPU_DRIVER_GH100_550.90.07",
         "NV_GPU_VBIOS_1010_0200_882_96009F0001"},
        {"gb202-595.58.03", "GB202", "NV_GPU_CC_DRIVER_GB202_595.58.03",
         "NV_GPU_VBIOS_G153_0210_895_9802810001"},
        {"nvswitch-ls10-96.10.55.00.01", "LS10", "", "NV_SWITCH_BIOS_5612_0002_890_9610550001"},
    };

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf bytes = {0};
        char id[RIM_ID], rel[80];
        struct gpu_report r;

        snprintf(rel, sizeof rel, "gpu/%s/report.bin", rows[i].folder);
        report_load(rel, &bytes, &r);
        assert_int_equal(gpu_rim_driver_id(&r, rows[i].chip, id), rows[i].driver[0] != 0);
        assert_string_equal(id, rows[i].driver);
        assert_true(gpu_rim_vbios_id(&r, rows[i].chip, id));
        assert_string_equal(id, rows[i].vbios);
    }
}

static void which_document(void **state) {
    struct gpu_rim *rim[3];
    struct err why;

    (void)state;
    if (!gpu_vectors())
        skip();
    rim[0] = load("gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.reissued-2023-12.xml",
                  1703000000);
    rim[1] = load("gpu/h100-535.86.09/NV_GPU_VBIOS_1010_0200_882_96005E0001.xml", 1703000000);
    rim[2] = load(VBIOS, 1703000000); /* not yet valid */
    assert_true(rim[0]->authentic && rim[1]->authentic && !rim[2]->authentic);
    assert_ptr_equal(gpu_rim_pick(rim, 3, "GH100", "96.00.5e.00.01", &why), rim[0]);
    assert_ptr_equal(gpu_rim_pick(rim + 1, 2, "GH100", "96.00.5E.00.01", &why), rim[1]);
    assert_null(gpu_rim_pick(rim, 3, "GB100", "96.00.5E.00.01", &why));
    assert_string_equal(why.code, "wrong-product");
    assert_null(gpu_rim_pick(rim, 3, "GH100", "96.00.9F.00.01", &why));
    assert_string_equal(why.code, "not-yet-valid");
    assert_null(gpu_rim_pick(rim, 3, "GH100", "550.90.07", &why));
    assert_string_equal(why.code, "");
    for (size_t i = 0; i < 3; i++)
        gpu_rim_free(rim[i]);
}

/* Bytes all over a good document changed, each bit in turn: 600, or as many as CHANGES says. */
static void changed_documents_never_stand(void **state) {
    const char *set = getenv("CHANGES");
    cleanup_buf struct buf xml = {0};
    size_t changes = set ? strtoul(set, NULL, 10) : 600, stride;

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(vector_load(VBIOS, &xml));
    stride = xml.n > changes ? xml.n / changes : 1;
    for (size_t i = 0; i < xml.n; i += stride) {
        const uint8_t bit = (uint8_t)(1u << i % 8);
        struct gpu_rim *r;

        xml.p[i] ^= bit;
        r = gpu_rim_read(buf_view(&xml), JULY_2025);
        xml.p[i] ^= bit;
        if (r->authentic)
            fail_msg("byte %zu", i);
        gpu_rim_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_documents),
        cmocka_unit_test(boards_of_2023),
        cmocka_unit_test(each_its_own_reason),
        cmocka_unit_test(a_wrapped_document_is_refused),
        cmocka_unit_test(fragments),
        cmocka_unit_test(values_that_are_wrong),
        cmocka_unit_test(captured_reports_match),
        cmocka_unit_test(comparison_rules),
        cmocka_unit_test(ids_of_captured_reports),
        cmocka_unit_test(which_document),
        cmocka_unit_test(changed_documents_never_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
