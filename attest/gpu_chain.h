/* The chain of a GPU or NVSwitch: five certificates from the key of its reports up to NVIDIA's
 * pinned root.
 *
 *   0 "GH100 A01 GSP FMC LF"            signs reports; names the firmware (gpu_fwid.h)
 *   1 "GH100 A01 GSP BROM"              one per device; its serial number is the device's id
 *   2 "NVIDIA GH100 Provisioner ICA 1"
 *   3 "NVIDIA GH100 Identity"
 *   4 "NVIDIA Device Identity CA"       known by its fingerprint (roots.h)
 *
 * All are on P-384, signed with ECDSA and SHA-384, and valid until 9999-12-31: only revocation
 * (gpu_ocsp.h) ends them. */
#ifndef CDVM_GPU_CHAIN_H
#define CDVM_GPU_CHAIN_H

#include <openssl/x509.h>
#include "core/binding.h"

#define GPU_ID ((size_t)8)

enum gpu_kind { GPU_KIND_GPU, GPU_KIND_SWITCH };

struct gpu_family {
    const char *name; /* how certificates begin: "GH100", "GB20X" */
    const char *arch; /* as evidence names it: "HOPPER", "BLACKWELL", "LS10" */
    enum gpu_kind kind;
    uint8_t serial;       /* first byte of a device's serial number */
    const char *identity; /* common name of certificate 3 */
};

struct gpu_chain {
    X509 *x[GPU_CERTS]; /* leaf first; NULL where the chain does not stand */
    const struct gpu_family *family;
    uint8_t id[GPU_ID]; /* NVIDIA's "PDI" */
    struct view serial; /* of certificate 1, borrowed from it: what orders evidence */
};

/* Decodes and verifies all of it: number, links, authorities, dates, names. On error "bad-chain",
 * "bad-cert", "bad-dates", "expired", "not-yet-valid" or "wrong-family" with one sentence.
 * gpu_chain_free in any case. now: Unix seconds. n: how many certificates were carried. */
int gpu_chain_build(struct gpu_chain *c, const struct view *cert, size_t n, int64_t now,
                    struct err *e) WARN_UNUSED;
void gpu_chain_free(struct gpu_chain *c);

/* What evidence claims to be against whose chain it carries. arch: "HOPPER"..., NULL: not said;
 * chip_info: of the report, "" where it has none. "wrong-family" */
int gpu_chain_fits(const struct gpu_chain *c, const char *arch, const char *chip_info,
                   struct err *e) WARN_UNUSED;
/* "GH100", "GB202", "GB100": whose reference values count. */
const char *gpu_chain_chip(const struct gpu_chain *c, const char *chip_info);

#endif
