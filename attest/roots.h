/* AMD's and NVIDIA's keys as data: SHA-256 of certificate and public key. The certificates
 * themselves come with the evidence or a cache, carried by anybody; the system trust store plays no
 * part. */
#ifndef CDVM_ROOTS_H
#define CDVM_ROOTS_H

#include "core/bytes.h"

enum snp_product { PRODUCT_UNKNOWN, PRODUCT_MILAN, PRODUCT_GENOA, PRODUCT_TURIN };
enum root_role { ROLE_ARK, ROLE_ASK, ROLE_ASVK };

const char *product_name(enum snp_product p); /* KDS names; "unknown" */

struct root {
    enum snp_product product;
    enum root_role role;
    const char *cn;         /* subject common name */
    const char *der, *spki; /* 64 hex digits each */
};
const struct root *root_pinned(enum snp_product p, enum root_role role);
/* The pinned certificate with this SHA-256 of DER, whatever its product; NULL when there is none.
 */
const struct root *root_by_der(const uint8_t der[static 32]);

/* NVIDIA's roots: of every GPU's and switch's own chain, and of the signers of reference values. */
enum nvidia_root { NVIDIA_DEVICES, NVIDIA_REFERENCES };
bool root_is_nvidia(enum nvidia_root r, const uint8_t der[static 32]);

#ifdef CDVM_TEST_ROOTS
/* Only in test programs: takes a certificate for that root of NVIDIA's; NULL: only the real one. */
void roots_test_nvidia(enum nvidia_root r, const uint8_t *der);
/* Only in test programs: takes an ARK as AMD's for a product; its intermediates need no pin. */
void roots_test_add(enum snp_product p, const uint8_t der[static 32]);
void roots_test_clear(void);
#endif
/* True when the ARK of this product was injected by a test: never in the released program. */
bool root_is_test(enum snp_product p, const uint8_t der[static 32]);

#endif
