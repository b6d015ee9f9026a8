#include "snp_cert.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "core/hash.h"
#include "core/text.h"
#include "snp_pss.h"

X509 *cert_parse(struct view der, struct err *e) {
    const uint8_t *p = der.p;
    X509 *x = der.n && der.n <= CERT_MAX ? d2i_X509(NULL, &p, (long)der.n) : NULL;
    const ASN1_BIT_STRING *sig = NULL;
    const X509_ALGOR *alg = NULL;

    ERR_clear_error();
    if (x)
        X509_get0_signature(&sig, &alg, x);
    if (x && p == der.p + der.n && signature_plain(der, sig, alg))
        return x;
    if (x && p == der.p + der.n)
        err_set(e, "bad-cert", "the signature or its algorithm is not encoded as signed");
    else if (x)
        err_set(e, "bad-cert", "%zu stray bytes follow the certificate",
                (size_t)(der.p + der.n - p));
    else
        err_set(e, "bad-cert", "%zu bytes are not a DER certificate", der.n);
    X509_free(x);
    return NULL;
}

void cert_fingerprints(X509 *x, struct view der, uint8_t der_sha[static 32],
                       uint8_t spki_sha[static 32]) {
    uint8_t *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);

    sha256(der, der_sha);
    sha256(view_of(spki, n > 0 ? (size_t)n : 0), spki_sha);
    OPENSSL_free(spki);
}

int cert_signed_by(X509 *x, X509 *issuer, struct err *e) {
    const X509_ALGOR *alg = NULL;
    const ASN1_BIT_STRING *sig = NULL;
    int ok;

    X509_get0_signature(&sig, &alg, x);
    if (X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(issuer)) != 0)
        return err_set(e, "bad-chain", "its issuer name is not that of the certificate above it");
    if (!pss_is_amd(alg))
        return err_set(e, "bad-chain",
                       "it is not signed by RSASSA-PSS with SHA-384, MGF1-SHA-384 and salt 48");
    ok = X509_verify(x, X509_get0_pubkey(issuer));
    ERR_clear_error();
    if (ok != 1)
        return err_set(e, "bad-chain", "its signature is not by the certificate above it");
    return 0;
}

int cert_is_authority(X509 *x, bool intermediate, struct err *e) {
    const uint32_t flags = X509_get_extension_flags(x), usage = X509_get_key_usage(x);
    const EVP_PKEY *key = X509_get0_pubkey(x);

    if (X509_get_version(x) != X509_VERSION_3 || (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) ||
        !(flags & EXFLAG_BCONS) || !(flags & EXFLAG_CA) || !(flags & EXFLAG_KUSAGE) ||
        !(usage & KU_KEY_CERT_SIGN))
        return err_set(e, "bad-chain", "it is not a certificate authority");
    if (intermediate && X509_get_pathlen(x) != 0)
        return err_set(e, "bad-chain", "it may certify further authorities");
    if (!key || !EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) != 4096)
        return err_set(e, "bad-chain", "its key is not RSA with 4096 bits");
    return 0;
}

/* The one common name of a name; empty when there is none or more than one. */
static struct view name_cn(const X509_NAME *n) {
    int at = X509_NAME_get_index_by_NID(n, NID_commonName, -1);
    const ASN1_STRING *s;

    if (at < 0 || X509_NAME_get_index_by_NID(n, NID_commonName, at) >= 0)
        return (struct view){0};
    s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(n, at));
    return view_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

bool cert_named(X509 *x, const char *cn) {
    return view_is(name_cn(X509_get_subject_name(x)), cn);
}

char *cert_cn(X509 *x, bool issuer) {
    return text_safe_new(name_cn(issuer ? X509_get_issuer_name(x) : X509_get_subject_name(x)),
                         TEXT_LINE, 64);
}

int cert_dates(X509 *x, const char *what, int64_t now, struct err *e) {
    time_t t = (time_t)now;
    int from = X509_cmp_time(X509_get0_notBefore(x), &t);
    int until = X509_cmp_time(X509_get0_notAfter(x), &t);
    char when[32];

    if (!from || !until)
        return err_set(e, "bad-dates", "the dates of %s cannot be read", what);
    if (from > 0) {
        cert_time_text(X509_get0_notBefore(x), when);
        return err_set(e, "not-yet-valid", "%s is valid only from %s", what, when);
    }
    if (until < 0) {
        cert_time_text(X509_get0_notAfter(x), when);
        return err_set(e, "expired", "%s was valid until %s", what, when);
    }
    return 0;
}
