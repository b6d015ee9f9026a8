/* Revocation lists: each step by itself, since a changed list never gets past the signature. */
#include "attest/snp_crl.c"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static X509 *some;
    X509_CRL *crl = crl_parse(view_of(data, size));
    const X509_ALGOR *alg = NULL;
    char text[200];

    if (!some) {
        some = X509_new();
        MUST(some && ASN1_INTEGER_set(X509_get_serialNumber(some), 1));
    }
    MUST(crl_check(view_of(data, size), some, some, 1795305600, 0, text, sizeof text) ==
         CRL_UNUSABLE);
    if (!crl)
        return 0;
    X509_CRL_get0_signature(crl, NULL, &alg);
    (void)pss_is_amd(alg);
    (void)crl_has_critical(crl);
    (void)crl_lists(crl, some);
    (void)crl_stale(crl, 1795305600, 30, text, sizeof text);
    MUST(strlen(text) > 0);
    X509_CRL_free(crl);
    return 0;
}
