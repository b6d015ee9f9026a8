#include "psp_cert.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define DAY ((int64_t)86400)

/* An extension under AMD's arc 1.3.6.1.4.1.3704.1 (57230): DER of a small number. */
struct spl {
    const char *oid;
    uint8_t value;
};

/* RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48: what AMD uses and the verifier insists on. */
static EVP_MD_CTX *pss_context(EVP_PKEY *key) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;

    if (ctx && EVP_DigestSignInit(ctx, &p, EVP_sha384(), NULL, key) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_rsa_mgf1_md(p, EVP_sha384()) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(p, 48) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

static bool name_add(X509_NAME *n, const char *field, const char *value) {
    return X509_NAME_add_entry_by_txt(n, field, MBSTRING_ASC, (const unsigned char *)value, -1, -1,
                                      0) == 1;
}

static bool set_subject(X509 *x, const char *cn) {
    X509_NAME *n = X509_get_subject_name(x);

    return name_add(n, "O", "cdvm simulator, proves nothing") && name_add(n, "CN", cn);
}

static bool add_v3(X509 *x, int nid, const char *value) {
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool ok = ext && X509_add_ext(x, ext, -1) == 1;

    X509_EXTENSION_free(ext);
    return ok;
}

static bool add_raw(X509 *x, const char *oid, struct view value) {
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    bool ok = obj && os && ASN1_OCTET_STRING_set(os, value.p, (int)value.n) == 1 &&
              (ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, os)) != NULL &&
              X509_add_ext(x, ext, -1) == 1;

    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(os);
    ASN1_OBJECT_free(obj);
    return ok;
}

static bool add_integer(X509 *x, const char *oid, uint8_t v) {
    const uint8_t small[] = {2, 1, v}, large[] = {2, 2, 0, v};

    return add_raw(x, oid, v < 0x80 ? view_of(small, 3) : view_of(large, 4));
}

static bool add_chip(X509 *x, const struct psp_chip *c) {
    static const uint8_t product[] = {0x16, 5, 'G', 'e', 'n', 'o', 'a'};
    const struct spl spl[] = {
        {"1.3.6.1.4.1.3704.1.1", 0},          {"1.3.6.1.4.1.3704.1.3.1", c->bl},
        {"1.3.6.1.4.1.3704.1.3.2", c->tee},   {"1.3.6.1.4.1.3704.1.3.3", c->snp},
        {"1.3.6.1.4.1.3704.1.3.4", 0},        {"1.3.6.1.4.1.3704.1.3.5", 0},
        {"1.3.6.1.4.1.3704.1.3.6", 0},        {"1.3.6.1.4.1.3704.1.3.7", 0},
        {"1.3.6.1.4.1.3704.1.3.8", c->ucode},
    };

    for (size_t i = 0; i < COUNT(spl); i++)
        if (!add_integer(x, spl[i].oid, spl[i].value))
            return false;
    return add_raw(x, "1.3.6.1.4.1.3704.1.2", view_of(product, sizeof product)) &&
           add_raw(x, "1.3.6.1.4.1.3704.1.4", view_of(c->chip_id, sizeof c->chip_id));
}

static X509 *cert_begin(EVP_PKEY *key, const char *cn, long serial, int64_t now) {
    X509 *x = X509_new();

    if (x && X509_set_version(x, X509_VERSION_3) == 1 &&
        ASN1_INTEGER_set(X509_get_serialNumber(x), serial) == 1 && set_subject(x, cn) &&
        ASN1_TIME_set(X509_getm_notBefore(x), now - DAY) &&
        ASN1_TIME_set(X509_getm_notAfter(x), now + 3650 * DAY) && X509_set_pubkey(x, key) == 1)
        return x;
    X509_free(x);
    return NULL;
}

/* Signs x by the issuer's key; consumes x, which may be NULL. */
static X509 *cert_end(X509 *x, const X509 *issuer, EVP_PKEY *key, bool ok) {
    EVP_MD_CTX *ctx = pss_context(key);

    ok = ok && x && ctx && X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
         X509_sign_ctx(x, ctx) > 0;
    EVP_MD_CTX_free(ctx);
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

X509 *psp_cert_ark(EVP_PKEY *ark, int64_t now) {
    X509 *x = cert_begin(ark, "SIM-ARK (cdvm simulator)", 1, now);
    bool ok = x && add_v3(x, NID_basic_constraints, "critical,CA:TRUE") &&
              add_v3(x, NID_key_usage, "critical,keyCertSign,cRLSign");

    return cert_end(x, x, ark, ok);
}

X509 *psp_cert_ask(EVP_PKEY *ask, EVP_PKEY *ark, const X509 *issuer, int64_t now) {
    X509 *x = cert_begin(ask, "SIM-ASK (cdvm simulator)", 2, now);
    bool ok = x && add_v3(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_v3(x, NID_key_usage, "critical,keyCertSign");

    return cert_end(x, issuer, ark, ok);
}

X509 *psp_cert_vcek(EVP_PKEY *vcek, EVP_PKEY *ask, const X509 *issuer, const struct psp_chip *c,
                    int64_t now) {
    X509 *x = cert_begin(vcek, "SIM-VCEK (cdvm simulator)", 0, now);

    return cert_end(x, issuer, ask, x && add_chip(x, c));
}

static bool crl_fill(X509_CRL *crl, const X509 *issuer, int64_t now) {
    ASN1_TIME *from = ASN1_TIME_set(NULL, now - 3600), *until = ASN1_TIME_set(NULL, now + 30 * DAY);
    bool ok = from && until && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
              X509_CRL_set1_lastUpdate(crl, from) == 1 && X509_CRL_set1_nextUpdate(crl, until) == 1;

    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return ok;
}

X509_CRL *psp_cert_crl(EVP_PKEY *ark, const X509 *issuer, int64_t now) {
    X509_CRL *crl = X509_CRL_new();
    EVP_MD_CTX *ctx = pss_context(ark);
    bool ok = crl && ctx && crl_fill(crl, issuer, now) && X509_CRL_sign_ctx(crl, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    if (ok)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}
