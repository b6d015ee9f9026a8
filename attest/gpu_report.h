/* The signed report of a GPU or an NVSwitch: an SPDM 1.1 GET_MEASUREMENTS request and the
 * MEASUREMENTS response to it (DMTF DSP0274 1.1.0, 10.11), with NVIDIA's opaque data inside. All
 * numbers little-endian. Parsing reads; it never re-encodes: what is verified are the bytes as
 * received. */
#ifndef CDVM_GPU_REPORT_H
#define CDVM_GPU_REPORT_H

#include <openssl/x509.h>
#include "core/binding.h"

#define GPU_NONCE ((size_t)32)
#define GPU_DIGEST ((size_t)48) /* SHA-384 */
#define GPU_TEXT 32

/* Opaque data by its type number; numbers that are not here are unknown. */
enum gpu_field {
    GF_CERT_ISSUER = 1,
    GF_CERT_AUTHORITY = 2,
    GF_DRIVER_VERSION = 3,
    GF_GPU_INFO = 4,
    GF_SKU = 5,
    GF_VBIOS_VERSION = 6,
    GF_MANUFACTURER = 7,
    GF_TAMPER = 8,
    GF_SMC = 9,
    GF_VPR = 10,
    GF_NVDEC0 = 11,
    GF_MSRSCNT = 12,
    GF_CPRINFO = 13,
    GF_BOARD_ID = 14,
    GF_CHIP_SKU = 15,
    GF_CHIP_SKU_MOD = 16,
    GF_PROJECT = 17,
    GF_PROJECT_SKU = 18,
    GF_PROJECT_SKU_MOD = 19,
    GF_FWID = 20,
    GF_PROTECTED_PCIE = 21,
    GF_PDI = 22, /* a GPU: the switch behind each link; a switch: its own id */
    GF_DISABLED_PORTS = 23,
    GF_POSITION = 24,
    GF_LOCK = 25,
    GF_SWITCH_GPUS = 26,
    GF_SWITCH_PORTS = 27,
    GF_LINK_CONN = 32,
    GF_SYS_ENABLE = 33,
    GF_OPAQUE_VERSION = 34,
    GF_CHIP_INFO = 35,
    GF_FEATURE = 36,
    GF_COUNT = 37,
};
const char *gpu_field_name(enum gpu_field f); /* "DRIVER_VERSION"; NULL where there is none */

enum gpu_switchable { GPU_SAYS_NOTHING, GPU_SAYS_ON, GPU_SAYS_OFF };

/* Views are borrowed from the report's bytes. */
struct gpu_report {
    uint8_t nonce[GPU_NONCE];
    struct view digest[256]; /* by SPDM index, from 1; empty where there is none */
    unsigned n_digests;
    struct view field[GF_COUNT]; /* as carried; p is NULL where there is none */
    uint16_t unknown[8];         /* the first types of opaque data that have no name here ... */
    size_t n_unknown;            /* ... of so many */
    struct view body;            /* what is signed: request and response */
    struct view signature;       /* r, then s: 48 bytes each, big-endian */
    size_t trailing;             /* zero bytes behind the signature, at most 3: signed by nobody */
    /* The texts that choose reference values, of letters, digits and ".-_"; "" where absent. */
    char driver[GPU_TEXT];  /* "550.90.07" */
    char vbios[GPU_TEXT];   /* "96.00.9F.00.01", of both forms */
    char project[GPU_TEXT]; /* "1010" */
    char project_sku[GPU_TEXT], chip_sku[GPU_TEXT];
    char chip_info[GPU_TEXT]; /* "GB202" */
    enum gpu_switchable nvdec, protected_pcie;
    uint16_t opaque_version; /* 0 where absent */
    bool has_feature;
    uint16_t feature; /* 0 SPT, 1 MPT, 2 PPCIE */
};

/* "bad-gpu-report" names the first thing wrong, "gpu-newer" is a report of firmware that this
 * program is too old for. *out is zero on error. */
int gpu_report_parse(struct view v, struct gpu_report *out, struct err *e) WARN_UNUSED;

/* ECDSA P-384 with SHA-384 by the key of chain certificate 0. "bad-signature" */
int gpu_report_verify(const struct gpu_report *r, X509 *leaf, struct err *e) WARN_UNUSED;

#endif
