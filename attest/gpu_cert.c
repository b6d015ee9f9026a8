#include "gpu_cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "p384.h"
#include "snp_cert.h"

#define BAD(...) err_set(e, "bad-chain", __VA_ARGS__)

/* Version 3, a key on P-384, and nothing critical that nobody here knows. */
static int common_check(X509 *x, struct err *e) {
    if (X509_get_version(x) != X509_VERSION_3 ||
        (X509_get_extension_flags(x) & (EXFLAG_INVALID | EXFLAG_CRITICAL)))
        return BAD("it is malformed, or has a critical extension that nobody knows");
    return p384_key(x) ? 0 : BAD("its key is not on the curve P-384");
}

static int authority_check(X509 *x, struct err *e) {
    const uint32_t flags = X509_get_extension_flags(x), usage = X509_get_key_usage(x);

    if (!(flags & EXFLAG_BCONS) || !(flags & EXFLAG_CA) || !(flags & EXFLAG_KUSAGE) ||
        !(usage & KU_KEY_CERT_SIGN))
        return BAD("it is not a certificate authority");
    return 0;
}

static int leaf_check(X509 *x, struct err *e) {
    const uint32_t flags = X509_get_extension_flags(x);

    if (flags & EXFLAG_CA)
        return BAD("it claims to be an authority");
    if (!(flags & EXFLAG_KUSAGE) || X509_get_key_usage(x) != KU_DIGITAL_SIGNATURE)
        return BAD("its key is not for signatures alone");
    return 0;
}

static int link_check(X509 *x, X509 *issuer, struct err *e) {
    int ok;

    if (X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(issuer)) != 0)
        return BAD("its issuer name is not that of the certificate above it");
    if (X509_get_signature_nid(x) != NID_ecdsa_with_SHA384)
        return BAD("it is not signed with ECDSA and SHA-384");
    ok = X509_verify(x, X509_get0_pubkey(issuer));
    ERR_clear_error();
    return ok == 1 ? 0 : BAD("its signature is not by the certificate above it");
}

/* Dates: OpenSSL compares as ASN.1 times, so that the year 9999 is one like any other. */
int gpu_cert_check(X509 *x, X509 *issuer, bool authority, int64_t now, struct err *e) {
    if (common_check(x, e) || (authority ? authority_check(x, e) : leaf_check(x, e)))
        return -1;
    if (issuer && link_check(x, issuer, e))
        return -1;
    return cert_dates(x, "it", now, e);
}
