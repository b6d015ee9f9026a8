/* ECDSA on P-384 with SHA-384: what AMD's processors and NVIDIA's GPUs sign with. */
#ifndef CDVM_P384_H
#define CDVM_P384_H

#include <openssl/bn.h>
#include <openssl/x509.h>
#include "core/bytes.h"

bool p384_key(X509 *x); /* its key is on that curve */
/* (r, s) is a signature over body by x's key. Takes r and s; either may be NULL, which is no
 * signature. */
bool p384_verify(X509 *x, BIGNUM *r, BIGNUM *s, struct view body);

#endif
