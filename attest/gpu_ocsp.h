/* OCSP answers about NVIDIA's certificates (RFC 6960), carried by anybody: the authority that
 * issued the certificate, or a responder with its delegation, has signed them. Their dates are
 * judged by the customer's clock; there is no nonce, so an answer is as old as it says. */
#ifndef CDVM_GPU_OCSP_H
#define CDVM_GPU_OCSP_H

#include "gpu_word.h"

#define OCSP_MAX ((size_t)16384)

/* x: the certificate asked about; issuer: the authority above it. now: Unix seconds. */
void gpu_ocsp_check(struct view der, X509 *x, X509 *issuer, int64_t now, struct gpu_said *out);

#endif
