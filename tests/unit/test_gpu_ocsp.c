/* What OCSP answers and revocation lists say of NVIDIA's certificates: the captured answers, and
 * answers and lists made here with one thing wrong. */
#include "attest/gpu_word.c"
#include "attest/gpu_ocsp.c"
#include "attest/gpu_crl.c"
#include "attest/gpu_rim.h"
#include "tests/unit/gpu_pki.h"
#include "tests/unit/gpu_vectors.h"

#define AUGUST ((int64_t)1755777600)  /* 2025-08-21 12:00 */
#define OCTOBER ((int64_t)1761307200) /* 2025-10-24 12:00 */

static struct gpu_said ask(const char *answer, X509 *x, X509 *issuer, int64_t now) {
    cleanup_buf struct buf der = {0};
    struct gpu_said s;
    char rel[100];

    snprintf(rel, sizeof rel, "h100-550.90.07/ocsp/%s.der", answer);
    assert_true(gpu_load(rel, &der));
    gpu_ocsp_check(buf_view(&der), x, issuer, now, &s);
    return s;
}

static void captured_answers_on_a_device(void **state) {
    static const char *const answers[] = {"", "gpu-chain-1-brom", "gpu-chain-2-provisioner-ica",
                                          "gpu-chain-3-identity"};
    cleanup_buf struct buf pem = {0};
    X509 *x[GPU_CERTS];

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(gpu_load("h100-550.90.07/chain.pem", &pem));
    for (int i = 0; i < GPU_CERTS; i++)
        x[i] = gpu_cert(&pem, i);
    for (int i = 1; i < 4; i++) {
        struct gpu_said s = ask(answers[i], x[i], x[i + 1], AUGUST);

        assert_int_equal(s.word, WORD_GOOD);
        assert_int_equal(s.until - s.as_of, 86400);
        s = ask(answers[i], x[i], x[i + 1], OCTOBER);
        assert_int_equal(s.word, WORD_UNUSABLE);
        assert_non_null(strstr(s.text, "stale: it counted until 2025-08-22 06:47 UTC"));
        s = ask(answers[i], x[i], x[i + 1], AUGUST - 86400);
        assert_int_equal(s.word, WORD_UNUSABLE);
        assert_non_null(strstr(s.text, "not yet valid"));
        s = ask(answers[i], x[i - 1], x[i], AUGUST);
        assert_int_equal(s.word, WORD_NONE);
    }
    for (int i = 0; i < GPU_CERTS; i++)
        X509_free(x[i]);
}

static void captured_answers_on_reference_values(void **state) {
    static const struct {
        const char *answer, *rim;
        int cert;
    } rows[] = {{"driver-rim-0-leaf", "NV_GPU_DRIVER_GH100_550.90.07.xml", 0},
                {"rim-chain-1-l3", "NV_GPU_DRIVER_GH100_550.90.07.xml", 1},
                {"rim-chain-2-l2", "NV_GPU_DRIVER_GH100_550.90.07.xml", 2},
                {"vbios-rim-0-leaf", "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml", 0},
                {"rim-chain-1-l3", "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml", 1},
                {"rim-chain-2-l2", "NV_GPU_VBIOS_1010_0200_882_96009F0001.xml", 2}};

    (void)state;
    if (!gpu_vectors())
        skip();
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf xml = {0};
        struct gpu_said s;
        struct gpu_rim *r;
        char rel[100];

        snprintf(rel, sizeof rel, "h100-550.90.07/%s", rows[i].rim);
        assert_true(gpu_load(rel, &xml));
        r = gpu_rim_read(buf_view(&xml), OCTOBER);
        assert_true(r->authentic);
        s = ask(rows[i].answer, r->cert[rows[i].cert], r->cert[rows[i].cert + 1], OCTOBER);
        if (s.word != WORD_GOOD)
            fail_msg("%s: %d %s", rows[i].answer, s.word, s.text);
        s = ask(rows[i].answer, r->cert[rows[i].cert], r->cert[rows[i].cert + 1], AUGUST);
        assert_non_null(strstr(s.text, "not yet valid"));
        gpu_rim_free(r);
    }
}

/* A bit of each byte or so; with CHANGES set, every one. */
static void changed_answers_never_stand(void **state) {
    cleanup_buf struct buf pem = {0}, der = {0};
    X509 *x, *issuer;

    (void)state;
    if (!gpu_vectors())
        skip();
    assert_true(gpu_load("h100-550.90.07/chain.pem", &pem));
    assert_true(gpu_load("h100-550.90.07/ocsp/gpu-chain-2-provisioner-ica.der", &der));
    x = gpu_cert(&pem, 2);
    issuer = gpu_cert(&pem, 3);
    for (size_t i = 0; i < der.n * 8; i += getenv("CHANGES") ? 1 : 9) {
        const uint8_t bit = (uint8_t)(1u << i % 8);
        struct gpu_said s;

        der.p[i / 8] ^= bit;
        gpu_ocsp_check(buf_view(&der), x, issuer, AUGUST, &s);
        der.p[i / 8] ^= bit;
        if (s.word == WORD_GOOD)
            fail_msg("bit %zu of %zu bytes", i, der.n);
    }
    X509_free(x);
    X509_free(issuer);
}

/* --- made here --- */

#define THEN ((int64_t)1795305600) /* 2026-11-22 */
enum { RESPONDER, DEVICE, ISSUER, ABOVE };

static struct pki pki;
static X509 *cert[GPU_CERTS];

static void certs_free(void) {
    for (int i = 0; i < GPU_CERTS; i++) {
        X509_free(cert[i]);
        cert[i] = NULL;
    }
}

/* A responder below `by`, in the place of certificate 0. */
static void responder(int by, const char *eku, const char *until) {
    X509 *x;

    X509_free(cert[RESPONDER]);
    x = pki_cert(&pki, 0);
    if (eku)
        pki_extension(x, NID_ext_key_usage, eku);
    pki_extension(x, NID_id_pkix_OCSP_noCheck, "ignored");
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(x), until), 1);
    X509_set_issuer_name(x, X509_get_subject_name(cert[by]));
    assert_true(X509_sign(x, pki.key[by], EVP_sha384()) > 0);
    cert[RESPONDER] = x;
}

static int setup(void **state) {
    (void)state;
    pki_init(&pki);
    pki_make(&pki);
    for (int i = 0; i < GPU_CERTS; i++) {
        const uint8_t *p = pki.cert[i].p;

        cert[i] = d2i_X509(NULL, &p, (long)pki.cert[i].n);
    }
    responder(ISSUER, "critical,OCSPSigning", "20271231000000Z");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    certs_free();
    pki_free(&pki);
    return 0;
}

struct answer {
    int status, reason;
    int64_t from, until; /* until 0: not said */
    int signer;          /* RESPONDER, or an authority itself */
};

static void answer_make(const struct answer *a, struct buf *out) {
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha384(), cert[DEVICE], cert[ISSUER]);
    ASN1_TIME *from = ASN1_TIME_set(NULL, a->from), *since = ASN1_TIME_set(NULL, a->from),
              *until = a->until ? ASN1_TIME_set(NULL, a->until) : NULL;
    OCSP_RESPONSE *r;
    uint8_t *der = NULL;
    int n;

    assert_non_null(OCSP_basic_add1_status(basic, id, a->status, a->reason, since, from, until));
    assert_int_equal(OCSP_basic_sign(basic, cert[a->signer], pki.key[a->signer], EVP_sha384(), NULL,
                                     OCSP_RESPID_KEY),
                     1);
    r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    n = i2d_OCSP_RESPONSE(r, &der);
    buf_reset(out);
    buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(r);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(since);
    ASN1_TIME_free(until);
    OCSP_BASICRESP_free(basic);
}

static void expect(const struct answer *a, enum gpu_word word, const char *text) {
    cleanup_buf struct buf der = {0};
    struct gpu_said s;

    answer_make(a, &der);
    gpu_ocsp_check(buf_view(&der), cert[DEVICE], cert[ISSUER], THEN, &s);
    if (s.word != word || !strstr(s.text, text))
        fail_msg("word %d '%s' instead of %d '%s'", s.word, s.text, word, text);
}

#define GOOD V_OCSP_CERTSTATUS_GOOD
#define REVOKED V_OCSP_CERTSTATUS_REVOKED
#define UNKNOWN V_OCSP_CERTSTATUS_UNKNOWN
#define HOUR 3600

static void answers(void **state) {
    static const struct {
        struct answer a;
        enum gpu_word word;
        const char *text;
    } rows[] = {
        {{GOOD, -1, THEN - HOUR, THEN + HOUR, RESPONDER}, WORD_GOOD, ""},
        {{GOOD, -1, THEN - HOUR, THEN + HOUR, ISSUER}, WORD_GOOD, ""},
        {{GOOD, -1, THEN + 299, THEN + HOUR, RESPONDER}, WORD_GOOD, ""},
        {{GOOD, -1, THEN + 301, THEN + HOUR, RESPONDER}, WORD_UNUSABLE, "not yet valid"},
        {{GOOD, -1, THEN - HOUR, THEN, RESPONDER}, WORD_UNUSABLE, "stale"},
        {{GOOD, -1, THEN - HOUR, 0, RESPONDER}, WORD_UNUSABLE, "until when it counts"},
        {{GOOD, -1, THEN - HOUR, THEN + HOUR, ABOVE}, WORD_UNUSABLE, "not signed by the authority"},
        {{UNKNOWN, -1, THEN - HOUR, THEN + HOUR, RESPONDER}, WORD_UNKNOWN, "not known"},
        {{REVOKED, 1, THEN - HOUR, THEN + HOUR, RESPONDER}, WORD_REVOKED, "revoked since 2026-11"},
        {{REVOKED, 1, THEN - 9 * HOUR, THEN - HOUR, RESPONDER}, WORD_REVOKED, "revoked since"},
        {{REVOKED, 1, THEN - HOUR, THEN + HOUR, ABOVE}, WORD_UNUSABLE, "not signed"},
        {{REVOKED, 6, THEN - HOUR, THEN + HOUR, RESPONDER}, WORD_HOLD, "on hold since"},
        {{REVOKED, 6, THEN - 9 * HOUR, THEN - HOUR, RESPONDER}, WORD_HELD, "stale"},
        {{REVOKED, -1, THEN - HOUR, THEN + HOUR, RESPONDER}, WORD_REVOKED, "revoked since"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(&rows[i].a, rows[i].word, rows[i].text);
}

static void responders(void **state) {
    const struct answer good = {GOOD, -1, THEN - HOUR, THEN + HOUR, RESPONDER};

    (void)state;
    responder(ISSUER, NULL, "20271231000000Z"); /* no delegation */
    expect(&good, WORD_UNUSABLE, "not signed by the authority");
    responder(ISSUER, "critical,codeSigning", "20271231000000Z");
    expect(&good, WORD_UNUSABLE, "not signed by the authority");
    responder(ABOVE, "critical,OCSPSigning", "20271231000000Z"); /* another authority's */
    expect(&good, WORD_UNUSABLE, "not signed by the authority");
    responder(ISSUER, "critical,OCSPSigning", "20251231000000Z"); /* expired */
    expect(&good, WORD_UNUSABLE, "not signed by the authority");
    responder(ISSUER, "critical,OCSPSigning", "20271231000000Z");
    expect(&good, WORD_GOOD, "");
}

/* --- lists --- */

static void list_make(int by, int reason, int64_t from, int64_t until, bool part, struct buf *out) {
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *a = ASN1_TIME_set(NULL, from), *b = ASN1_TIME_set(NULL, until);
    uint8_t *der = NULL;
    int n;

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(cert[ISSUER]));
    X509_CRL_set1_lastUpdate(crl, a);
    X509_CRL_set1_nextUpdate(crl, b);
    if (reason >= 0) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();

        ASN1_ENUMERATED_set(e, reason);
        X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(cert[DEVICE]));
        X509_REVOKED_set_revocationDate(r, a);
        X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
        X509_CRL_add0_revoked(crl, r);
        ASN1_ENUMERATED_free(e);
    }
    if (part) {
        ASN1_INTEGER *base = ASN1_INTEGER_new();

        ASN1_INTEGER_set(base, 1);
        X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, 0);
        ASN1_INTEGER_free(base);
    }
    assert_true(X509_CRL_sign(crl, pki.key[by], EVP_sha384()) > 0);
    n = i2d_X509_CRL(crl, &der);
    buf_reset(out);
    buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    ASN1_TIME_free(a);
    ASN1_TIME_free(b);
    X509_CRL_free(crl);
}

static void lists(void **state) {
    static const struct {
        int by, reason;
        int64_t from, until;
        bool part;
        enum gpu_word word;
        const char *text;
    } rows[] = {
        {ISSUER, -1, THEN - HOUR, THEN + HOUR, false, WORD_GOOD, ""},
        {ISSUER, -1, THEN - HOUR, THEN, false, WORD_UNUSABLE, "stale"},
        {ISSUER, -1, THEN + HOUR, THEN + 2 * HOUR, false, WORD_UNUSABLE, "not yet valid"},
        {ABOVE, -1, THEN - HOUR, THEN + HOUR, false, WORD_UNUSABLE, "not signed"},
        {ISSUER, -1, THEN - HOUR, THEN + HOUR, true, WORD_UNUSABLE, "not a whole list"},
        {ISSUER, 1, THEN - HOUR, THEN + HOUR, false, WORD_REVOKED, "revoked since"},
        {ISSUER, 1, THEN - 2 * HOUR, THEN - HOUR, false, WORD_REVOKED, "revoked since"},
        {ISSUER, 6, THEN - HOUR, THEN + HOUR, false, WORD_HOLD, "on hold"},
        {ISSUER, 6, THEN - 2 * HOUR, THEN - HOUR, false, WORD_HELD, "stale"},
        {ABOVE, 1, THEN - HOUR, THEN + HOUR, false, WORD_UNUSABLE, "not signed"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_buf struct buf der = {0};
        struct gpu_said s;

        list_make(rows[i].by, rows[i].reason, rows[i].from, rows[i].until, rows[i].part, &der);
        gpu_crl_check(buf_view(&der), cert[DEVICE], cert[ISSUER], THEN, &s);
        if (s.word != rows[i].word || !strstr(s.text, rows[i].text))
            fail_msg("row %zu: word %d '%s'", i, s.word, s.text);
        gpu_crl_check(buf_view(&der), cert[ISSUER], cert[ABOVE], THEN, &s);
        assert_int_equal(s.word, WORD_NONE);
        for (size_t k = 0; k < 8 * der.n && rows[i].word == WORD_GOOD; k++) {
            der.p[k / 8] ^= (uint8_t)(1u << k % 8);
            gpu_crl_check(buf_view(&der), cert[DEVICE], cert[ISSUER], THEN, &s);
            assert_int_not_equal(s.word, WORD_GOOD);
            der.p[k / 8] ^= (uint8_t)(1u << k % 8);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captured_answers_on_a_device),
        cmocka_unit_test(captured_answers_on_reference_values),
        cmocka_unit_test(changed_answers_never_stand),
        cmocka_unit_test_setup_teardown(answers, setup, teardown),
        cmocka_unit_test_setup_teardown(responders, setup, teardown),
        cmocka_unit_test_setup_teardown(lists, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
