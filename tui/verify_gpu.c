#include "verify_gpu.h"

#include <stdlib.h>

#include "attest/evidence.h"
#include "attest/gpu_device.h"
#include "core/enc.h"
#include "core/gpu_list.h"

static int read_pair(const struct gpu_paths *paths, struct gpu_list *out, struct err *e) {
    cleanup_buf struct buf report = {0}, chain = {0};

    if (file_read(paths->report, GPU_LIST_MAX, &report, e) ||
        file_read(paths->chain, GPU_LIST_MAX, &chain, e))
        return -1;
    out->item = mem_new(sizeof *out->item);
    out->n = 1;
    if (gpu_item_read(&out->item[0], NULL, buf_view(&report), buf_view(&chain), e))
        return err_wrap(e, "%s", paths->chain);
    return 0;
}

static int read_list(const struct gpu_paths *paths, struct gpu_list *out, struct err *e) {
    cleanup_buf struct buf json = {0};

    if (file_read(paths->list, GPU_LIST_MAX, &json, e))
        return -1;
    return gpu_list_parse(buf_view(&json), out, e) ? err_wrap(e, "%s", paths->list) : 0;
}

/* A state in such a file is nobody's word: only a guest's own report makes it one. */
static struct verdict *judge(const struct gpu_list *l, const uint8_t *nonce, const struct policy *p,
                             int64_t now) {
    struct gpu_subject *gpu = mem_new((l->n + 1) * sizeof *gpu);
    struct verdict *v;

    for (size_t i = 0; i < l->n; i++)
        gpu[i] = (struct gpu_subject){l->item[i].ev, l->item[i].n_certs, false};
    v = evidence_verify_gpu(gpu, l->n, nonce, p, now);
    free(gpu);
    return v;
}

struct verdict *verify_gpu(const struct gpu_paths *paths, const struct policy *p, int64_t now,
                           struct err *e) {
    struct gpu_list l = {0};
    struct verdict *v = NULL;
    uint8_t nonce[32];

    if (paths->nonce && !hex_decode_str(paths->nonce, nonce, sizeof nonce)) {
        err_set(e, "usage", "--gpu-nonce wants 64 lower-case hex digits");
        return NULL;
    }
    if (!(paths->list ? read_list(paths, &l, e) : read_pair(paths, &l, e)))
        v = judge(&l, paths->nonce ? nonce : NULL, p, now);
    gpu_list_free(&l);
    return v;
}
