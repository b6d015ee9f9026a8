/* Device chains and the firmware id in them: real ones, other people's, ones made here with one
 * thing wrong, and every byte changed. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "attest/gpu_chain.c"
#include "attest/gpu_fwid.c"
#include "tests/unit/gpu_pki.h"
#include "tests/unit/gpu_vectors.h"

#define NOW ((int64_t)1795305600) /* 2026-11-22 */

struct loaded {
    struct buf der[8];
    struct view cert[8];
    size_t n;
};

static void chain_load(const char *rel, struct loaded *out) {
    cleanup_buf struct buf pem = {0};
    const char *p;

    *out = (struct loaded){0};
    if (!gpu_load(rel, &pem))
        fail_msg("cannot read %s", rel);
    for (p = strstr((char *)pem.p, "-----BEGIN"); p; p = strstr(p + 1, "-----BEGIN")) {
        gpu_pem(&pem, (int)out->n, &out->der[out->n]);
        out->cert[out->n] = buf_view(&out->der[out->n]);
        out->n++;
    }
}

static void loaded_free(struct loaded *l) {
    for (size_t i = 0; i < l->n; i++)
        buf_free(&l->der[i]);
}

struct real_row {
    const char *folder, *arch, *chip, *id, *family;
};
static const struct real_row real[] = {
    {"h100-550.90.07", "HOPPER", "GH100", "431d480fe5e87274", "GH100"},
    {"h100-535.86.09", "HOPPER", "GH100", "6a5fafcbd9fa5ca3", "GH100"},
    {"gb100-575.32", "BLACKWELL", "GB100", "e6de55c3bdc14277", "GB100"},
    {"gb202-595.58.03", "BLACKWELL", "GB202", "11bf087a2e3ddb5f", "GB20X"},
    {"nvswitch-ls10-96.10.55.00.01", "LS10", "LS10", "203eb31ad9ed0008", "LS_10"},
};

/* Each real chain stands, and names the firmware that its report was signed by, if that says so. */
static void real_chains(void **state) {
    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(real); i++) {
        cleanup_buf struct buf bytes = {0};
        uint8_t id[GPU_ID], fwid[GPU_FWID];
        struct gpu_report report;
        struct gpu_chain c;
        struct loaded l;
        struct err e = {0};
        char rel[80];

        snprintf(rel, sizeof rel, "%s/chain.pem", real[i].folder);
        chain_load(rel, &l);
        if (gpu_chain_build(&c, l.cert, l.n, NOW, &e))
            fail_msg("%s: %s", rel, e.text);
        assert_true(hex_decode_str(real[i].id, id, sizeof id));
        assert_memory_equal(c.id, id, sizeof id);
        assert_string_equal(c.family->name, real[i].family);
        snprintf(rel, sizeof rel, "%s/report.bin", real[i].folder);
        assert_true(gpu_load(rel, &bytes));
        assert_int_equal(gpu_report_parse(buf_view(&bytes), &report, &e), 0);
        assert_int_equal(gpu_chain_fits(&c, real[i].arch, report.chip_info, &e), 0);
        assert_string_equal(gpu_chain_chip(&c, report.chip_info), real[i].chip);
        assert_int_equal(gpu_fwid_read(c.x[0], fwid, &e), 0);
        if (report.field[GF_FWID].p)
            assert_memory_equal(report.field[GF_FWID].p, fwid, GPU_FWID);
        gpu_chain_free(&c);
        loaded_free(&l);
    }
}

static void expect_refused(const struct view *cert, size_t n, int64_t now, const char *code,
                           const char *why) {
    struct gpu_chain c;
    struct err e = {0};

    if (!gpu_chain_build(&c, cert, n, now, &e))
        fail_msg("accepted instead of '%s'", why);
    assert_string_equal(e.code, code);
    if (!strstr(e.text, why))
        fail_msg("'%s' instead of '%s'", e.text, why);
    assert_null(c.x[0]);
    gpu_chain_free(&c);
}

static void chains_that_are_wrong(void **state) {
    static const char *const rows[][2] = {
        {"bad/chain.4certs-wrong.pem", "4 certificates instead of 5"},
        {"bad/chain.only-root.pem", "1 certificates instead of 5"},
        {"bad/chain.missing-intermediate.pem", "4 certificates instead of 5"},
        {"bad/chain.missing-leaf.pem", "4 certificates instead of 5"},
    };
    struct loaded l, other;

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        chain_load(rows[i][0], &l);
        expect_refused(l.cert, l.n, NOW, "bad-chain", rows[i][1]);
        loaded_free(&l);
    }
    chain_load("h100-550.90.07/chain.pem", &l);
    chain_load("gb100-575.32/chain.pem", &other);
    l.cert[0] = other.cert[0];
    expect_refused(l.cert, 5, NOW, "bad-chain", "issuer name");
    l.cert[0] = buf_view(&l.der[0]);
    l.cert[4] = other.cert[3];
    expect_refused(l.cert, 5, NOW, "bad-chain", "not NVIDIA's");
    expect_refused(l.cert, 6, NOW, "bad-chain", "6 certificates");
    loaded_free(&l);
    loaded_free(&other);
}

static void arch_and_chip_against_the_chain(void **state) {
    struct gpu_chain c;
    struct loaded l;
    struct err e;

    (void)state;
    if (!gpu_vectors())
        skip();
    chain_load("gb202-595.58.03/chain.pem", &l);
    assert_int_equal(gpu_chain_build(&c, l.cert, l.n, NOW, &e), 0);
    assert_int_equal(gpu_chain_fits(&c, "BLACKWELL", "GB203", &e), 0);
    assert_int_equal(gpu_chain_fits(&c, "BLACKWELL", "GB100", &e), -1);
    assert_int_equal(gpu_chain_fits(&c, "HOPPER", "GB202", &e), -1);
    assert_string_equal(e.code, "wrong-family");
    assert_string_equal(gpu_chain_chip(&c, ""), "");
    gpu_chain_free(&c);
    loaded_free(&l);
}

/* --- chains made here --- */

static void made_chain(struct pki *p, const char *code, const char *why) {
    struct gpu_chain c;
    struct err e = {0};

    pki_make(p);
    roots_test_nvidia(NVIDIA_DEVICES, p->root);
    if (code)
        expect_refused(p->cert, GPU_CERTS, NOW, code, why);
    else {
        if (gpu_chain_build(&c, p->cert, GPU_CERTS, NOW, &e))
            fail_msg("%s", e.text);
        gpu_chain_free(&c);
    }
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    pki_free(p);
    pki_init(p);
}

static void the_root_is_known_by_its_fingerprint(void **state) {
    struct pki p;

    (void)state;
    pki_init(&p);
    made_chain(&p, NULL, NULL);
    pki_make(&p);
    expect_refused(p.cert, GPU_CERTS, NOW, "bad-chain", "this root is not NVIDIA's");
    pki_free(&p);
}

static void authorities_and_keys(void **state) {
    struct pki p;

    (void)state;
    pki_init(&p);
    p.row[1].ca = false;
    made_chain(&p, "bad-chain", "certificate 1, the device's key: it is not a certificate auth");
    p.row[2].usage = "critical,digitalSignature";
    made_chain(&p, "bad-chain", "certificate 2, the provisioner: it is not a certificate auth");
    p.row[0].ca = true;
    made_chain(&p, "bad-chain", "certificate 0, the report's key: it claims to be an authority");
    p.row[0].usage = "critical,digitalSignature,keyCertSign";
    made_chain(&p, "bad-chain", "not for signatures alone");
    p.row[0].curve = "P-256";
    made_chain(&p, "bad-chain", "certificate 0, the report's key: its key is not on the curve");
    p.row[3].hash = EVP_sha256;
    made_chain(&p, "bad-chain", "certificate 3, the chip family: it is not signed with ECDSA");
}

static void dates(void **state) {
    struct pki p;

    (void)state;
    pki_init(&p);
    p.row[1].until = "20250101000000Z";
    made_chain(&p, "expired", "certificate 1, the device's key: it was valid until 2025-01-01");
    p.row[0].from = "20300101000000Z";
    made_chain(&p, "not-yet-valid", "certificate 0");
    pki_make(&p); /* until the very end */
    roots_test_nvidia(NVIDIA_DEVICES, p.root);
    {
        struct gpu_chain c;
        struct err e;

        assert_int_equal(gpu_chain_build(&c, p.cert, GPU_CERTS, (int64_t)253402300799 - 60, &e), 0);
        gpu_chain_free(&c);
    }
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    pki_free(&p);
}

static void families_that_do_not_agree(void **state) {
    struct pki p;

    (void)state;
    pki_init(&p);
    p.row[0].cn = "GB100 A01 GSP FMC LF";
    made_chain(&p, "wrong-family", "not of one chip family");
    p.row[2].cn = "NVIDIA GB100 Provisioner ICA 1";
    made_chain(&p, "wrong-family", "not of one chip family");
    p.row[3].cn = "NVIDIA GB100 Identity";
    made_chain(&p, "wrong-family", "not of one chip family");
    p.row[1].cn = "GH200 A01 GSP BROM";
    made_chain(&p, "wrong-family", "no chip family is known for 'GH200");
    p.row[1].serial[0] = 0x50;
    made_chain(&p, "bad-chain", "no device id");
    p.row[1].serial[0] = 0;
    made_chain(&p, "bad-chain", "no device id");
}

/* Every byte of a real chain changed, 10,000 times in all: no byte is exempt. */
static void changed_chains_never_stand(void **state) {
    struct loaded l;
    size_t k = 0, at = 0;

    (void)state;
    if (!gpu_vectors())
        skip();
    chain_load("h100-550.90.07/chain.pem", &l);
    for (unsigned i = 0, bit = 0; i < 10000; i++) {
        struct gpu_chain c;
        struct err e;

        l.der[k].p[at] ^= (uint8_t)(1u << (bit + at) % 8);
        if (!gpu_chain_build(&c, l.cert, l.n, NOW, &e))
            fail_msg("certificate %zu, byte %zu", k, at);
        l.der[k].p[at] ^= (uint8_t)(1u << (bit + at) % 8);
        if (++at == l.der[k].n) {
            at = 0;
            k = (k + 1) % l.n;
            bit += k == 0;
        }
    }
    loaded_free(&l);
}

/* --- firmware ids --- */

static const uint8_t sha384_head[] = {0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x02, 0x04, 0x30};

static void put_fwid(struct buf *b, uint8_t fill) {
    uint8_t digest[GPU_FWID];

    memset(digest, fill, sizeof digest);
    buf_add(b, sha384_head, sizeof sha384_head);
    buf_add(b, digest, sizeof digest);
}

static void composite(struct buf *b, const char *key, size_t n) {
    struct buf in = {0};

    buf_add(&in, "\x02\x01\x01", 3);
    buf_add(&in, key, n);
    put_fwid(&in, 0xab);
    buf_reset(b);
    buf_u8(b, 0x30);
    buf_u8(b, (uint8_t)in.n);
    buf_add(b, in.p, in.n);
    buf_free(&in);
}

static void both_forms_of_the_firmware_id(void **state) {
    cleanup_buf struct buf b = {0}, in = {0};
    uint8_t out[GPU_FWID];

    (void)state;
    composite(&b, "\x30\x03\x02\x01\x05", 5);
    assert_true(gpu_fwid_composite(buf_view(&b), out));
    assert_int_equal(out[47], 0xab);
    assert_false(gpu_fwid_tcb_info(buf_view(&b), out));
    for (size_t n = 0; n < b.n; n++)
        assert_false(gpu_fwid_composite(view_of(b.p, n), out));
    buf_u8(&b, 0);
    assert_false(gpu_fwid_composite(buf_view(&b), out));
    composite(&b, "\x04\x03\x02\x01\x05", 5); /* no SEQUENCE for the key */
    assert_false(gpu_fwid_composite(buf_view(&b), out));

    put_fwid(&in, 0xcd);
    put_fwid(&in, 0);
    buf_reset(&b);
    buf_add(&b, "\x30\x81\x8b\x80\x06NVIDIA\xa6\x7e", 13);
    buf_add(&b, in.p, in.n);
    buf_add(&b, "\x89\x01\0", 3);
    b.p[2] = (uint8_t)(b.n - 3);
    assert_true(gpu_fwid_tcb_info(buf_view(&b), out));
    assert_int_equal(out[0], 0xcd);
    b.p[3] = 0x88; /* [8] before [6] */
    assert_false(gpu_fwid_tcb_info(buf_view(&b), out));
    b.p[3] = 0x80;
    b.p[1] = 0x82; /* a length that is longer than it need be */
    assert_false(gpu_fwid_tcb_info(buf_view(&b), out));
}

static void firmware_ids_in_certificates(void **state) {
    cleanup_buf struct buf b = {0};
    uint8_t out[GPU_FWID], zero[GPU_FWID] = {0};
    struct err e;
    struct pki p;
    X509 *x;

    (void)state;
    pki_init(&p);
    for (int i = 0; i < 3; i++) {
        composite(&b, i == 1 ? "\x05\x00\x30\x00" : "\x30\x02\x05\x00", 4);
        p.fwid = i == 2 ? (struct view){0} : buf_view(&b);
        pki_make(&p);
        x = cert_parse(p.cert[0], &e);
        if (!i)
            pki_fwid(x, "1.2.3.4", buf_view(&b)); /* somebody else's says nothing */
        assert_int_equal(gpu_fwid_read(x, out, &e), i ? -1 : 0);
        if (i) {
            assert_string_equal(e.code, i == 1 ? "bad-fwid" : "no-fwid");
            assert_memory_equal(out, zero, sizeof out);
        } else {
            pki_fwid(x, "2.23.133.5.4.1.1", buf_view(&b));
            assert_int_equal(gpu_fwid_read(x, out, &e), -1);
            assert_non_null(strstr(e.text, "twice"));
        }
        X509_free(x);
    }
    pki_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_chains),
        cmocka_unit_test(chains_that_are_wrong),
        cmocka_unit_test(arch_and_chip_against_the_chain),
        cmocka_unit_test(the_root_is_known_by_its_fingerprint),
        cmocka_unit_test(authorities_and_keys),
        cmocka_unit_test(dates),
        cmocka_unit_test(families_that_do_not_agree),
        cmocka_unit_test(changed_chains_never_stand),
        cmocka_unit_test(both_forms_of_the_firmware_id),
        cmocka_unit_test(firmware_ids_in_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
