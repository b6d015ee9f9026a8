/* What every certificate of NVIDIA's must be, in the chain of a device and of reference values
 * alike: on P-384, signed with ECDSA and SHA-384, an authority or a plain signer. */
#ifndef CDVM_GPU_CERT_H
#define CDVM_GPU_CERT_H

#include <openssl/x509.h>
#include "core/bytes.h"

/* x is an authority, or else signs and nothing more; issuer signed it (NULL for a root, which the
 * caller knows by its fingerprint); now, in Unix seconds, is within its dates. On error
 * "bad-chain", "bad-dates", "expired" or "not-yet-valid", said of "it". */
int gpu_cert_check(X509 *x, X509 *issuer, bool authority, int64_t now, struct err *e) WARN_UNUSED;

#endif
