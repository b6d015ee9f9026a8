/* guest/nvml_abi.h against NVIDIA's nvml.h: compiles where both mean the same. tests/e2e/nvml.sh */
#include <nvml.h>

/* Names that both have, with one meaning: the header's are kept aside. */
#define REAL(name) enum { REAL_##name = name }
REAL(NVML_SUCCESS);
REAL(NVML_ERROR_NOT_SUPPORTED);
REAL(NVML_ERROR_NO_PERMISSION);
REAL(NVML_ERROR_INSUFFICIENT_SIZE);
REAL(NVML_DEVICE_ARCH_HOPPER);
REAL(NVML_FEATURE_ENABLED);
REAL(NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE);
REAL(NVML_CC_GPU_CEC_NONCE_SIZE);
REAL(NVML_CC_GPU_ATTESTATION_REPORT_SIZE);
REAL(NVML_CC_GPU_CEC_ATTESTATION_REPORT_SIZE);
REAL(NVML_GPU_CERT_CHAIN_SIZE);
REAL(NVML_GPU_ATTESTATION_CERT_CHAIN_SIZE);

#include "guest/nvml_abi.h"

#define SAME(ours, theirs) static_assert((ours) == (theirs), #theirs)
#define SIZE(ours, theirs) SAME(sizeof(struct ours), sizeof(theirs))
#define PLACE(ours, a, theirs, b)                                                                  \
    SAME(offsetof(struct ours, a), offsetof(theirs, b));                                           \
    SAME(sizeof((struct ours){0}.a), sizeof((theirs){0}.b))

SAME(NVML_OK, REAL_NVML_SUCCESS);
SAME(NVML_NOT_SUPPORTED, REAL_NVML_ERROR_NOT_SUPPORTED);
SAME(NVML_NO_PERMISSION, REAL_NVML_ERROR_NO_PERMISSION);
SAME(NVML_INSUFFICIENT_SIZE, REAL_NVML_ERROR_INSUFFICIENT_SIZE);
SAME(NVML_ARCH_HOPPER, REAL_NVML_DEVICE_ARCH_HOPPER);
SAME(NVML_ENABLED, REAL_NVML_FEATURE_ENABLED);
SAME(NVML_DRIVER_MAX, REAL_NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE);
SAME(NVML_NONCE, REAL_NVML_CC_GPU_CEC_NONCE_SIZE);
SAME(NVML_REPORT_MAX, REAL_NVML_CC_GPU_ATTESTATION_REPORT_SIZE);
SAME(NVML_CEC_REPORT_MAX, REAL_NVML_CC_GPU_CEC_ATTESTATION_REPORT_SIZE);
SAME(NVML_CHAIN_MAX, REAL_NVML_GPU_CERT_CHAIN_SIZE);
SAME(NVML_ATTESTATION_CHAIN_MAX, REAL_NVML_GPU_ATTESTATION_CERT_CHAIN_SIZE);
#ifdef NVML_DEVICE_ARCH_BLACKWELL /* CUDA 12.8 */
SAME(NVML_ARCH_BLACKWELL, NVML_DEVICE_ARCH_BLACKWELL);
#endif

SIZE(nvml_settings, nvmlSystemConfComputeSettings_v1_t);
PLACE(nvml_settings, version, nvmlSystemConfComputeSettings_v1_t, version);
PLACE(nvml_settings, environment, nvmlSystemConfComputeSettings_v1_t, environment);
PLACE(nvml_settings, cc_feature, nvmlSystemConfComputeSettings_v1_t, ccFeature);
PLACE(nvml_settings, dev_tools, nvmlSystemConfComputeSettings_v1_t, devToolsMode);
PLACE(nvml_settings, multi_gpu, nvmlSystemConfComputeSettings_v1_t, multiGpuMode);
SAME(NVML_SETTINGS_V1, nvmlSystemConfComputeSettings_v1);

SIZE(nvml_certificate, nvmlConfComputeGpuCertificate_t);
PLACE(nvml_certificate, chain_size, nvmlConfComputeGpuCertificate_t, certChainSize);
PLACE(nvml_certificate, attestation_chain_size, nvmlConfComputeGpuCertificate_t,
      attestationCertChainSize);
PLACE(nvml_certificate, chain, nvmlConfComputeGpuCertificate_t, certChain);
PLACE(nvml_certificate, attestation_chain, nvmlConfComputeGpuCertificate_t, attestationCertChain);

SIZE(nvml_report, nvmlConfComputeGpuAttestationReport_t);
PLACE(nvml_report, has_cec, nvmlConfComputeGpuAttestationReport_t, isCecAttestationReportPresent);
PLACE(nvml_report, report_size, nvmlConfComputeGpuAttestationReport_t, attestationReportSize);
PLACE(nvml_report, cec_size, nvmlConfComputeGpuAttestationReport_t, cecAttestationReportSize);
PLACE(nvml_report, nonce, nvmlConfComputeGpuAttestationReport_t, nonce);
PLACE(nvml_report, report, nvmlConfComputeGpuAttestationReport_t, attestationReport);
PLACE(nvml_report, cec, nvmlConfComputeGpuAttestationReport_t, cecAttestationReport);

/* The calls' own types: a pointer of ours takes each, but for names of structs. */
SAME(sizeof(nvml_device), sizeof(nvmlDevice_t));
SAME(sizeof(unsigned), sizeof(nvmlDeviceArchitecture_t));
SAME(sizeof(unsigned), sizeof(nvmlEnableState_t));
SAME(sizeof(int), sizeof(nvmlReturn_t));
