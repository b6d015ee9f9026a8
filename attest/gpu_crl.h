/* Revocation lists of NVIDIA's authorities: an alternative to OCSP that lasts weeks. There is none
 * of the provisioners, so the device's own certificate is never covered. */
#ifndef CDVM_GPU_CRL_H
#define CDVM_GPU_CRL_H

#include "gpu_word.h"

#define GPU_CRL_MAX ((size_t)1 << 20)

/* A whole list of issuer's own, DER, signed with ECDSA and SHA-384. now: Unix seconds. */
void gpu_crl_check(struct view der, X509 *x, X509 *issuer, int64_t now, struct gpu_said *out);

#endif
