/* The files that `cdvm verify --gpu-report` and `--gpu-evidence` take, and their verdict. */
#ifndef CDVM_VERIFY_GPU_H
#define CDVM_VERIFY_GPU_H

#include "attest/gpu_verify.h"
#include "attest/policy.h"
#include "attest/verdict.h"

struct gpu_paths {              /* NULL: not given */
    const char *report, *chain; /* as the driver gives it; PEM, leaf first */
    const char *list;           /* instead of both: JSON (core/gpu_list.h) */
    const char *nonce;          /* 64 hex digits that the reports must carry */
    /* Of NVIDIA's, each kind up to what struct gpu_collateral takes: XML, DER, DER or PEM. */
    const char *const *rim, *const *ocsp, *const *crl;
    size_t n_rims, n_ocsps, n_crls;
};
/* NULL on error: "usage", or a file that cannot be read. */
struct verdict *verify_gpu(const struct gpu_paths *paths, const struct policy *p, int64_t now,
                           struct err *e) WARN_UNUSED;

#endif
