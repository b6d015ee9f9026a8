/* Revocation, and the signature scheme that AMD uses for certificates and lists alike. */
#include "snp_pss.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "snp_cert.h"

static bool alg_is(const X509_ALGOR *a, int nid) {
    const ASN1_OBJECT *obj = NULL;

    if (!a)
        return false;
    X509_ALGOR_get0(&obj, NULL, NULL, a);
    return OBJ_obj2nid(obj) == nid;
}

/* The parameters of an AlgorithmIdentifier that must be a SEQUENCE. */
static struct view alg_parameters(const X509_ALGOR *a) {
    const void *value = NULL;
    int type = V_ASN1_UNDEF;

    X509_ALGOR_get0(NULL, &type, &value, a);
    if (type != V_ASN1_SEQUENCE)
        return (struct view){0};
    return view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

static bool mgf1_with_sha384(const X509_ALGOR *mgf) {
    struct view v;
    const uint8_t *p;
    X509_ALGOR *hash;
    bool ok;

    if (!alg_is(mgf, NID_mgf1))
        return false;
    v = alg_parameters(mgf);
    p = v.p;
    hash = v.n ? d2i_X509_ALGOR(NULL, &p, (long)v.n) : NULL;
    ok = hash && p == v.p + v.n && alg_is(hash, NID_sha384);
    X509_ALGOR_free(hash);
    return ok;
}

bool pss_is_amd(const X509_ALGOR *alg) {
    struct view v;
    const uint8_t *p;
    RSA_PSS_PARAMS *pss;
    bool ok;

    if (!alg_is(alg, NID_rsassaPss))
        return false;
    v = alg_parameters(alg);
    p = v.p;
    pss = v.n ? d2i_RSA_PSS_PARAMS(NULL, &p, (long)v.n) : NULL;
    ok = pss && p == v.p + v.n && alg_is(pss->hashAlgorithm, NID_sha384) &&
         mgf1_with_sha384(pss->maskGenAlgorithm) && pss->saltLength &&
         ASN1_INTEGER_get(pss->saltLength) == 48 &&
         (!pss->trailerField || ASN1_INTEGER_get(pss->trailerField) == 1);
    RSA_PSS_PARAMS_free(pss);
    ERR_clear_error();
    return ok;
}

void cert_time_text(const ASN1_TIME *t, char out[static 32]) {
    struct tm tm;

    if (!t || ASN1_TIME_to_tm(t, &tm) != 1 || !strftime(out, 32, "%Y-%m-%d", &tm))
        snprintf(out, 32, "?");
}

static bool stands_twice(struct view in, struct view what) {
    const uint8_t *first = memmem(in.p, in.n, what.p, what.n);

    return first && memmem(first + what.n, (size_t)(in.p + in.n - first) - what.n, what.p, what.n);
}

bool signature_plain(struct view der, const ASN1_BIT_STRING *sig, const X509_ALGOR *alg) {
    size_t n = sig ? (size_t)ASN1_STRING_length(sig) : 0;
    uint8_t *again = NULL;
    int len = alg ? i2d_X509_ALGOR(alg, &again) : 0;
    bool ok = len > 0 && n && der.n > n && der.p[der.n - n - 1] == 0 &&
              !memcmp(der.p + der.n - n, ASN1_STRING_get0_data(sig), n) &&
              stands_twice(view_of(der.p, der.n - n), view_of(again, (size_t)len));

    OPENSSL_free(again);
    return ok;
}

static X509_CRL *crl_parse(struct view der) {
    const uint8_t *p = der.p;
    X509_CRL *crl = der.n && der.n <= CRL_MAX ? d2i_X509_CRL(NULL, &p, (long)der.n) : NULL;
    const ASN1_BIT_STRING *sig = NULL;
    const X509_ALGOR *alg = NULL;

    ERR_clear_error();
    if (crl)
        X509_CRL_get0_signature(crl, &sig, &alg);
    if (crl && p == der.p + der.n && signature_plain(der, sig, alg))
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

/* A critical extension could narrow what the list is about (delta, indirect, one scope): nobody
 * here would honour it. */
static bool crl_has_critical(const X509_CRL *crl) {
    for (int i = 0; i < X509_CRL_get_ext_count(crl); i++)
        if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)))
            return true;
    return false;
}

static const char *crl_untrusted(X509_CRL *crl, X509 *ark) {
    const X509_ALGOR *alg = NULL;
    int ok;

    X509_CRL_get0_signature(crl, NULL, &alg);
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ark)) != 0)
        return "the list is not issued by this root";
    if (!(X509_get_key_usage(ark) & KU_CRL_SIGN))
        return "the root may not sign such lists";
    if (!pss_is_amd(alg))
        return "the list is not signed the way AMD signs";
    if (crl_has_critical(crl))
        return "the list has a critical extension that this program does not know";
    ok = X509_CRL_verify(crl, X509_get0_pubkey(ark));
    ERR_clear_error();
    return ok == 1 ? NULL : "the list is not signed by this root";
}

/* Only the intermediate can be revoked by serial: every VCEK has serial 0, so matching theirs would
 * revoke every chip at once. */
static bool crl_lists(X509_CRL *crl, X509 *intermediate) {
    STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(intermediate);

    for (int i = 0; i < sk_X509_REVOKED_num(all); i++)
        if (!ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i)),
                              serial))
            return true;
    return false;
}

static bool crl_stale(const X509_CRL *crl, int64_t now, uint32_t max_age_days, char *text,
                      size_t n) {
    time_t t = (time_t)now, oldest = (time_t)(now - (int64_t)max_age_days * 86400);
    const ASN1_TIME *from = X509_CRL_get0_lastUpdate(crl), *until = X509_CRL_get0_nextUpdate(crl);
    char a[32], b[32];

    cert_time_text(from, a);
    cert_time_text(until, b);
    if (!until || X509_cmp_time(from, &t) >= 0)
        snprintf(text, n, "the list is dated %s to %s: not yet valid, or without an end", a, b);
    else if (X509_cmp_time(until, &t) <= 0)
        snprintf(text, n, "the list ended on %s: fetch a newer one", b);
    else if (max_age_days && X509_cmp_time(from, &oldest) < 0)
        snprintf(text, n, "the list is of %s, older than the %u days of your policy", a,
                 max_age_days);
    else {
        snprintf(text, n, "list of %s, good until %s", a, b);
        return false;
    }
    return true;
}

enum crl_state crl_check(struct view der, X509 *ark, X509 *intermediate, int64_t now,
                         uint32_t max_age_days, char *text, size_t n) {
    X509_CRL *crl = crl_parse(der);
    const char *untrusted = crl ? crl_untrusted(crl, ark) : "the list is not a DER CRL";
    enum crl_state s = CRL_UNUSABLE;

    if (untrusted)
        snprintf(text, n, "%s", untrusted);
    else if (crl_lists(crl, intermediate)) {
        snprintf(text, n, "AMD has revoked the intermediate key of this chain");
        s = CRL_REVOKED;
    } else if (!crl_stale(crl, now, max_age_days, text, n))
        s = CRL_GOOD;
    X509_CRL_free(crl);
    return s;
}

int64_t crl_begins(struct view der) {
    X509_CRL *crl = crl_parse(der);
    const ASN1_TIME *from = crl ? X509_CRL_get0_lastUpdate(crl) : NULL;
    struct tm tm;
    int64_t when = from && ASN1_TIME_to_tm(from, &tm) == 1 ? timegm(&tm) : 0;

    X509_CRL_free(crl);
    return when > 0 ? when : 0;
}
