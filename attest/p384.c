#include "p384.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

bool p384_key(X509 *x) {
    const EVP_PKEY *key = X509_get0_pubkey(x);
    char group[32] = "";
    size_t n;

    return key && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
           !strcmp(group, "secp384r1");
}

static int signature_der(BIGNUM *r, BIGNUM *s, uint8_t **der) {
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int n = -1;

    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(sig, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return n;
}

bool p384_verify(X509 *x, BIGNUM *r, BIGNUM *s, struct view body) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *der = NULL;
    int n = signature_der(r, s, &der), ok = 0;

    if (n > 0 && ctx &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, X509_get0_pubkey(x)) == 1)
        ok = EVP_DigestVerify(ctx, der, (size_t)n, body.p, body.n);
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok == 1;
}
