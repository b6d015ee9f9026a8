/* Reference values of NVIDIA's (RIM): a signed XML document, ISO/IEC 19770-2:2015, with what a
 * driver or a VBIOS ought to measure. A document says its product and version, never its own id:
 * which one counts follows from the signed report.
 *
 * One form only is accepted, the one in which NVIDIA signs: an enveloped signature over the whole
 * document, the only one in it and directly below the root; canonical XML 1.1, SHA-384, ECDSA
 * P-384; four certificates, up to NVIDIA's pinned root. The key of certificate 0 verifies, and what
 * is read is the tree that was verified. */
#ifndef CDVM_GPU_RIM_H
#define CDVM_GPU_RIM_H

#include <openssl/x509.h>
#include "gpu_report.h"

#define RIM_MAX ((size_t)256 << 10)
#define RIM_CERTS 4
#define RIM_INDEXES 255 /* SPDM's, less one: index 0 of a document is 1 of a report */
#define RIM_ALTERNATIVES 16
#define RIM_TEXT 64
#define RIM_ID 200

struct rim_value {
    bool active;
    unsigned n; /* any of these is good */
    uint8_t hash[RIM_ALTERNATIVES][GPU_DIGEST];
};

struct gpu_rim {
    bool authentic; /* else error says why not, and nothing below is proven */
    struct err error;
    char product[RIM_TEXT], version[RIM_TEXT]; /* "GH100"; "550.90.07", "96.00.9F.00.01" */
    X509 *cert[RIM_CERTS];                     /* leaf first; NULL where they do not stand */
    struct rim_value value[RIM_INDEXES];       /* by the document's index; zero unless authentic */
    unsigned n_active;
};

/* Never NULL. now: Unix seconds. Codes of the error: "bad-rim" (form), "rim-signature" (its place,
 * form or value), "rim-root", and those of gpu_cert_check. */
struct gpu_rim *gpu_rim_read(struct view xml, int64_t now);
void gpu_rim_free(struct gpu_rim *r); /* NULL is legal */

/* NVIDIA's id of the document that a report calls for, of its signed fields alone; false where it
 * does not say enough. chip: "GH100" (gpu_chain_chip). A switch has no driver. */
bool gpu_rim_driver_id(const struct gpu_report *r, const char *chip, char out[static RIM_ID]);
bool gpu_rim_vbios_id(const struct gpu_report *r, const char *chip, char out[static RIM_ID]);

/* The document for this chip and version: a newer one counts more than an older. NULL where none
 * is authentic; then *reason is what is wrong with the one that calls itself so;
 * "unreadable-rim" where none does, but there is one that does not even say what it is; else zero.
 */
const struct gpu_rim *gpu_rim_pick(struct gpu_rim *const *rim, size_t n, const char *chip,
                                   const char *version, struct err *reason);

#endif
