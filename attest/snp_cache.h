/* Authorities that verified once, decoded, by SHA-256 of their DER. A signature that held over
 * these very bytes holds again, so neither decoding nor RSA is repeated. Only certificates that
 * chain to a pinned root get in: nothing hostile can fill it. Dates and revocation are never
 * remembered. One thread. */
#ifndef CDVM_SNP_CACHE_H
#define CDVM_SNP_CACHE_H

#include "snp_cert.h"

struct known_cert {
    uint8_t der[32], spki[32];
    uint8_t issuer[32]; /* SHA-256 of the DER of the certificate that signed it */
    X509 *x;
};
/* NULL when it is not known. Borrowed until the next cache_put. */
const struct known_cert *cache_get(const uint8_t der[static 32]);
/* x: an authority, whose signature by `issuer` held just now. */
void cache_put(X509 *x, const uint8_t der[static 32], const uint8_t spki[static 32],
               const uint8_t issuer[static 32]);

#endif
