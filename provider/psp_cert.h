/* The simulator's certificates: the shape of AMD's (RSA-4096 with PSS parents, a P-384 leaf with
 * the TCB and chip extensions), names of their own that say SIM. For psp_sim.c alone. */
#ifndef CDVM_PSP_CERT_H
#define CDVM_PSP_CERT_H

#include <openssl/x509.h>
#include "core/bytes.h"

/* What the leaf says about the pretended chip: as in the reports. */
struct psp_chip {
    uint8_t chip_id[64];
    uint8_t bl, tee, snp, ucode;
};

/* now: Unix seconds; valid from a day before for ten years. NULL on failure. */
X509 *psp_cert_ark(EVP_PKEY *ark, int64_t now);
X509 *psp_cert_ask(EVP_PKEY *ask, EVP_PKEY *ark, const X509 *issuer, int64_t now);
X509 *psp_cert_vcek(EVP_PKEY *vcek, EVP_PKEY *ask, const X509 *issuer, const struct psp_chip *c,
                    int64_t now);
X509_CRL *psp_cert_crl(EVP_PKEY *ark, const X509 *issuer, int64_t now);

#endif
