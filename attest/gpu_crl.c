#include "gpu_crl.h"

#include <stdio.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* What would be encoded anew: OpenSSL reads laxer forms too. */
static bool as_encoded(X509_CRL *crl, struct view der) {
    uint8_t *again = NULL;
    const int n = i2d_X509_CRL(crl, &again);
    const bool same = n > 0 && view_eq(der, view_of(again, (size_t)n));

    OPENSSL_free(again);
    return same;
}

static X509_CRL *list_of(struct view der) {
    const uint8_t *p = der.p;
    X509_CRL *crl = der.n && der.n <= GPU_CRL_MAX ? d2i_X509_CRL(NULL, &p, (long)der.n) : NULL;

    if (crl && p == der.p + der.n && as_encoded(crl, der))
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

static bool is_by(X509_CRL *crl, X509 *issuer) {
    return X509_CRL_get_signature_nid(crl) == NID_ecdsa_with_SHA384 &&
           X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1;
}

/* A part of a list, or changes to one, does not say who is missing from it. Of an entry's own
 * extensions only the reason is known here. */
static bool partial(X509_CRL *crl) {
    return X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0 ||
           X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0 ||
           X509_CRL_get_ext_by_NID(crl, NID_issuing_distribution_point, -1) >= 0;
}

static int reason_of(const X509_REVOKED *entry) {
    ASN1_ENUMERATED *e = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
    const int reason = e ? (int)ASN1_ENUMERATED_get(e) : -1;

    ASN1_ENUMERATED_free(e);
    return reason;
}

static void list_read(X509_CRL *crl, X509 *x, X509 *issuer, int64_t now, struct gpu_said *out) {
    const bool fresh =
        gpu_word_fresh(out, X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl), now);
    X509_REVOKED *entry = NULL;

    if (!is_by(crl, issuer))
        snprintf(out->text, sizeof out->text, "the list is not signed by that authority");
    else if (partial(crl))
        snprintf(out->text, sizeof out->text, "it is not a whole list");
    else if (X509_CRL_get0_by_serial(crl, &entry, X509_get0_serialNumber(x)) && entry)
        gpu_word_revoked(out, fresh, reason_of(entry), X509_REVOKED_get0_revocationDate(entry));
    else if (fresh)
        out->word = WORD_GOOD;
}

void gpu_crl_check(struct view der, X509 *x, X509 *issuer, int64_t now, struct gpu_said *out) {
    X509_CRL *crl = list_of(der);

    *out = (struct gpu_said){.word = WORD_NONE};
    if (crl && !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer))) {
        out->word = WORD_UNUSABLE;
        list_read(crl, x, issuer, now, out);
    }
    X509_CRL_free(crl);
    ERR_clear_error();
}
