/* The part of NVML's binary interface that this guest calls, as libnvidia-ml.so.1 exports it: NVML
 * API Reference, "Confidential Computing" and "Device Queries"; nvml.h of CUDA 12.4. Numbers,
 * sizes and places are NVIDIA's, names are ours: tests/e2e/nvml_abi.sh holds both against the real
 * header and library. */
#ifndef CDVM_NVML_ABI_H
#define CDVM_NVML_ABI_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define NVML_LIBRARY "libnvidia-ml.so.1"

typedef struct nvml_device *nvml_device; /* nvmlDevice_t: opaque, never dereferenced */

/* nvmlReturn_t, those that are told apart. */
#define NVML_OK 0
#define NVML_NOT_SUPPORTED 3
#define NVML_NO_PERMISSION 4
#define NVML_INSUFFICIENT_SIZE 7

/* nvmlDeviceArchitecture_t */
#define NVML_ARCH_HOPPER 9
#define NVML_ARCH_BLACKWELL 10

#define NVML_ENABLED 1 /* nvmlEnableState_t */

#define NVML_DRIVER_MAX 80 /* NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE, with the NUL */

/* nvmlSystemConfComputeSettings_v1_t: version is set by the caller. */
struct nvml_settings {
    uint32_t version;
    uint32_t environment; /* 0 unavailable, 1 simulated, 2 production */
    uint32_t cc_feature;  /* 1 enabled */
    uint32_t dev_tools;   /* 1 on */
    uint32_t multi_gpu;   /* 0 none, 1 protected PCIe, 2 NVLink encryption */
};
#define NVML_SETTINGS_V1 ((uint32_t)(sizeof(struct nvml_settings) | 1u << 24))

/* nvmlConfComputeGpuCertificate_t */
#define NVML_CHAIN_MAX 0x1000
#define NVML_ATTESTATION_CHAIN_MAX 0x1400
struct nvml_certificate {
    uint32_t chain_size, attestation_chain_size;
    uint8_t chain[NVML_CHAIN_MAX];
    uint8_t attestation_chain[NVML_ATTESTATION_CHAIN_MAX]; /* PEM, leaf first */
};

/* nvmlConfComputeGpuAttestationReport_t: the nonce is set by the caller. */
#define NVML_NONCE 0x20
#define NVML_REPORT_MAX 0x2000
#define NVML_CEC_REPORT_MAX 0x1000
struct nvml_report {
    uint32_t has_cec, report_size, cec_size;
    uint8_t nonce[NVML_NONCE];
    uint8_t report[NVML_REPORT_MAX];
    uint8_t cec[NVML_CEC_REPORT_MAX];
};

static_assert(sizeof(struct nvml_settings) == 20, "nvmlSystemConfComputeSettings_v1_t");
static_assert(NVML_SETTINGS_V1 == 0x1000014, "nvmlSystemConfComputeSettings_v1");
static_assert(sizeof(struct nvml_certificate) == 8 + 0x1000 + 0x1400,
              "nvmlConfComputeGpuCertificate_t");
static_assert(offsetof(struct nvml_certificate, attestation_chain) == 8 + 0x1000,
              "attestationCertChain");
static_assert(sizeof(struct nvml_report) == 12 + 0x20 + 0x2000 + 0x1000,
              "nvmlConfComputeGpuAttestationReport_t");
static_assert(offsetof(struct nvml_report, nonce) == 12, "nonce");
static_assert(offsetof(struct nvml_report, report) == 44, "attestationReport");

/* What is called, in the order of enum nvml_call. */
struct nvml_api {
    int (*init)(void);
    int (*driver)(char *version, unsigned length);
    int (*count)(unsigned *n);
    int (*handle)(unsigned index, nvml_device *device);
    int (*persist)(nvml_device device, unsigned mode);
    int (*arch)(nvml_device device, unsigned *arch);
    int (*settings)(struct nvml_settings *s);
    int (*certificate)(nvml_device device, struct nvml_certificate *c);
    int (*report)(nvml_device device, struct nvml_report *r);
    int (*set_ready)(unsigned accepting);
    int (*get_ready)(unsigned *accepting);
};

#endif
