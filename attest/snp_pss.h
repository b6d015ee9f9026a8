/* What snp_cert.c and snp_crl.c share: AMD's one signature scheme, and dates as text. */
#ifndef CDVM_SNP_PSS_H
#define CDVM_SNP_PSS_H

#include <openssl/x509.h>
#include "core/bytes.h"

/* RSASSA-PSS with SHA-384, MGF1 with SHA-384, salt 48, trailer 1 (VCEK specification 57230). */
bool pss_is_amd(const X509_ALGOR *alg);
/* The signature has one encoding: it is the last bytes of the DER with no bit unused, and the
 * algorithm beside it, which nobody signed, is byte for byte the signed one (X.690, 11.2; RFC
 * 5280, 4.1.1.2). */
bool signature_plain(struct view der, const ASN1_BIT_STRING *sig, const X509_ALGOR *alg);
/* "2045-10-22", or "?" */
void cert_time_text(const ASN1_TIME *t, char out[static 32]);

#endif
