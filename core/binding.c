#include "binding.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"

/* The fields below are all of fixed size or checked before, so encoding cannot fail. */
static void list_hash(const char *tag, const struct view *f, size_t n, uint8_t out[static 32]) {
    cleanup_buf struct buf b = {0};

    if (list_encode(&b, tag, f, n, NULL))
        abort();
    sha256(buf_view(&b), out);
}

static int gpu_encode(const struct gpu_evidence *g, struct buf *out, struct err *e) {
    struct view f[2 + GPU_CERTS + 1] = {view_str(g->arch), g->report};

    memcpy(f + 2, g->cert, sizeof g->cert);
    f[2 + GPU_CERTS] = view_of(g->state, sizeof g->state);
    return list_encode(out, "gpu", f, COUNT(f), e);
}

int binding_gpu_digest(const struct gpu_evidence *gpus, size_t n, struct buf *out, struct err *e) {
    struct buf enc[GPUS_MAX] = {0};
    struct view f[GPUS_MAX] = {0};
    cleanup_buf struct buf all = {0};
    uint8_t h[32];
    int rc = 0;

    if (n > GPUS_MAX)
        return err_set(e, "too-large", "evidence of %zu GPUs, at most %d are understood", n,
                       GPUS_MAX);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = gpu_encode(&gpus[i], &enc[i], e);
        f[i] = buf_view(&enc[i]);
    }
    if (!rc && n)
        rc = list_encode(&all, "cdvm/1/gpu-ev", f, n, e);
    for (size_t i = 0; i < n; i++)
        buf_free(&enc[i]);
    if (rc)
        return err_wrap(e, "GPU evidence");
    if (!n)
        return 0;
    sha256(buf_view(&all), h);
    buf_add(out, h, sizeof h);
    return 0;
}

void binding_gpu_nonce(const uint8_t guest[static 32], const uint8_t nonce[static 32],
                       const uint8_t job[static 32], uint8_t out[static 32]) {
    const struct view f[] = {view_of(guest, 32), view_of(nonce, 32), view_of(job, 32)};

    list_hash("cdvm/1/gpu", f, COUNT(f), out);
}

void binding_report_data(const uint8_t guest[static 32], const uint8_t customer[static 32],
                         const uint8_t nonce[static 32], const uint8_t job[static 32],
                         struct view gpu_digest, uint8_t out[static 64]) {
    const struct view f[] = {view_of(guest, 32), view_of(customer, 32), view_of(nonce, 32),
                             view_of(job, 32), gpu_digest};

    memcpy(out, guest, 32);
    list_hash("cdvm/1/bind", f, COUNT(f), out + 32);
}

void binding_model_data(const uint8_t guest[static 32], const uint8_t broker[static 32],
                        const uint8_t nonce[static 32], const uint8_t model_root[static 32],
                        struct view gpu_digest, uint8_t out[static 64]) {
    const struct view f[] = {view_of(guest, 32), view_of(broker, 32), view_of(nonce, 32),
                             view_of(model_root, 32), gpu_digest};

    memcpy(out, guest, 32);
    list_hash("cdvm/1/model", f, COUNT(f), out + 32);
}
