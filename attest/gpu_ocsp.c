#include "gpu_ocsp.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* These bytes are what would be encoded anew: OpenSSL reads laxer forms, and verifies the strict.
 */
static bool encodes(int n, uint8_t *again, struct view at_end_of) {
    const bool same = n > 0 && (size_t)n <= at_end_of.n &&
                      !memcmp(again, at_end_of.p + at_end_of.n - (size_t)n, (size_t)n);

    OPENSSL_free(again);
    return same;
}

static bool strict(OCSP_RESPONSE *r, OCSP_BASICRESP *basic, struct view der) {
    uint8_t *outer = NULL, *inner = NULL;
    const int n = i2d_OCSP_RESPONSE(r, &outer), m = i2d_OCSP_BASICRESP(basic, &inner);
    const bool whole = encodes(n, outer, der) && (size_t)n == der.n;

    return encodes(m, inner, der) && whole;
}

static OCSP_BASICRESP *basic_of(struct view der) {
    const uint8_t *p = der.p;
    OCSP_RESPONSE *r = der.n && der.n <= OCSP_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)der.n) : NULL;
    OCSP_BASICRESP *basic = NULL;

    if (r && p == der.p + der.n && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(r);
    if (basic && !strict(r, basic, der)) {
        OCSP_BASICRESP_free(basic);
        basic = NULL;
    }
    OCSP_RESPONSE_free(r);
    return basic;
}

/* The hash by which an answer names its certificate is the responder's choice, of these. */
static const EVP_MD *name_hash(const ASN1_OBJECT *obj) {
    switch (OBJ_obj2nid(obj)) {
    case NID_sha1:
        return EVP_sha1();
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    }
    return NULL;
}

static bool names(const OCSP_SINGLERESP *one, X509 *x, X509 *issuer) {
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(one);
    ASN1_OBJECT *hash = NULL;
    OCSP_CERTID *want;
    const EVP_MD *md;
    bool same;

    OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)id);
    md = hash ? name_hash(hash) : NULL;
    want = md ? OCSP_cert_to_id(md, x, issuer) : NULL;
    same = want && !OCSP_id_cmp(want, id);
    OCSP_CERTID_free(want);
    return same;
}

/* The one answer about this certificate: two could contradict each other. */
static OCSP_SINGLERESP *answer_about(OCSP_BASICRESP *basic, X509 *x, X509 *issuer) {
    OCSP_SINGLERESP *found = NULL;

    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);

        if (!names(one, x, issuer))
            continue;
        if (found)
            return NULL;
        found = one;
    }
    return found;
}

/* The authority itself is the only trust: no responder of another one stands below it. The
 * library's own clock plays no part. */
static bool signed_by_authority(OCSP_BASICRESP *basic, X509 *issuer, int64_t at) {
    X509_STORE *store = X509_STORE_new();
    bool ok = false;

    if (store && X509_STORE_add_cert(store, issuer)) {
        X509_VERIFY_PARAM *p = X509_STORE_get0_param(store);

        X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_time(p, (time_t)at);
        ok = OCSP_basic_verify(basic, NULL, store, 0) == 1;
    }
    X509_STORE_free(store);
    return ok;
}

static bool strange(OCSP_BASICRESP *basic, OCSP_SINGLERESP *one) {
    return OCSP_BASICRESP_get_ext_by_critical(basic, 1, -1) >= 0 ||
           OCSP_SINGLERESP_get_ext_by_critical(one, 1, -1) >= 0;
}

/* A stale answer is no longer good; what it revoked for good remains so, and its signer's
 * certificate need only have been valid then. */
static void status_read(OCSP_BASICRESP *basic, OCSP_SINGLERESP *one, X509 *issuer, int64_t now,
                        struct gpu_said *out) {
    ASN1_GENERALIZEDTIME *since = NULL, *from = NULL, *next = NULL;
    int reason = -1;
    const int status = OCSP_single_get0_status(one, &reason, &since, &from, &next);
    const bool fresh = gpu_word_fresh(out, from, next, now);
    const bool early = out->as_of > now + WORD_SKEW;

    if (strange(basic, one)) {
        snprintf(out->text, sizeof out->text, "it has a critical extension that nobody knows");
        return;
    }
    if (early || !out->as_of)
        return;
    if (!signed_by_authority(basic, issuer, fresh ? now : out->as_of)) {
        snprintf(out->text, sizeof out->text,
                 "it is not signed by the authority that issued the certificate, or for it");
        return;
    }
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        gpu_word_revoked(out, fresh, reason, since);
    else if (fresh && status == V_OCSP_CERTSTATUS_GOOD)
        out->word = WORD_GOOD;
    else if (fresh && status == V_OCSP_CERTSTATUS_UNKNOWN) {
        out->word = WORD_UNKNOWN;
        snprintf(out->text, sizeof out->text, "not known to its own authority");
    }
}

void gpu_ocsp_check(struct view der, X509 *x, X509 *issuer, int64_t now, struct gpu_said *out) {
    OCSP_BASICRESP *basic = basic_of(der);
    OCSP_SINGLERESP *one = basic ? answer_about(basic, x, issuer) : NULL;

    *out = (struct gpu_said){.word = WORD_NONE};
    if (one) {
        out->word = WORD_UNUSABLE;
        status_read(basic, one, issuer, now, out);
    }
    OCSP_BASICRESP_free(basic);
    ERR_clear_error();
}
