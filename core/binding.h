/* What REPORT_DATA and the GPU nonce are made of: the single definition (cdvm-protocol(7),
 * "Binding"). Guest and verifier both call these; nobody else computes them. */
#ifndef CDVM_BINDING_H
#define CDVM_BINDING_H

#include "bytes.h"

#define GPU_CERTS 5
#define GPUS_MAX 16
#define GPU_REPORT_MAX ((size_t)8192) /* bytes: the driver's own buffer */

/* Evidence of one GPU. Views are borrowed. */
struct gpu_evidence {
    const char *arch;            /* "HOPPER", "BLACKWELL", "LS10", as in gpu_list.h */
    struct view report;          /* exactly its reported size */
    struct view cert[GPU_CERTS]; /* DER, leaf first */
    uint8_t state[4];            /* ccFeature, devTools, environment, multiGpuMode (NVML) */
};

/* E: empty (out->n = 0) when n is 0, else SHA256(list("cdvm/1/gpu-ev", g1..gn)). gpus come in the
 * protocol's order (ascending BROM serial); this function does not sort. Error "too-large". */
int binding_gpu_digest(const struct gpu_evidence *gpus, size_t n, struct buf *out,
                       struct err *e) WARN_UNUSED;

/* Ng = SHA256(list("cdvm/1/gpu", G, N, job id)). */
void binding_gpu_nonce(const uint8_t guest[static 32], const uint8_t nonce[static 32],
                       const uint8_t job[static 32], uint8_t out[static 32]);

/* REPORT_DATA = G || SHA256(list("cdvm/1/bind", G, U, N, job id, E)). E: 0 or 32 bytes. */
void binding_report_data(const uint8_t guest[static 32], const uint8_t customer[static 32],
                         const uint8_t nonce[static 32], const uint8_t job[static 32],
                         struct view gpu_digest, uint8_t out[static 64]);

/* REPORT_DATA' = G || SHA256(list("cdvm/1/model", G, K, Nk, model root, E)): sealed models. */
void binding_model_data(const uint8_t guest[static 32], const uint8_t broker[static 32],
                        const uint8_t nonce[static 32], const uint8_t model_root[static 32],
                        struct view gpu_digest, uint8_t out[static 64]);

#endif
