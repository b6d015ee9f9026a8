#include "verify_gpu.h"

#include <stdlib.h>

#include "attest/evidence.h"
#include "attest/gpu_crl.h"
#include "attest/gpu_device.h"
#include "core/enc.h"
#include "core/gpu_list.h"
#include "verify_files.h"

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

/* What NVIDIA signs, and the bytes that it borrows. */
struct signed_files {
    struct buf file[GPU_RIMS + GPU_OCSPS + GPU_CRLS];
    size_t n;
    struct gpu_collateral c;
};

static int take(struct signed_files *s, const char *const *path, size_t n, size_t max,
                struct view *out, struct err *e) {
    for (size_t i = 0; i < n; i++) {
        struct buf *b = &s->file[s->n++];

        if (file_read(path[i], max, b, e))
            return -1;
        verify_pem(b);
        out[i] = buf_view(b);
    }
    return 0;
}

static int signed_read(struct signed_files *s, const struct gpu_paths *p, struct err *e) {
    s->c.n_rims = p->n_rims;
    s->c.n_ocsps = p->n_ocsps;
    s->c.n_crls = p->n_crls;
    return take(s, p->rim, p->n_rims, RIM_MAX, s->c.rim, e) ||
                   take(s, p->ocsp, p->n_ocsps, GPU_CRL_MAX, s->c.ocsp, e) ||
                   take(s, p->crl, p->n_crls, GPU_CRL_MAX, s->c.crl, e)
               ? -1
               : 0;
}

static void signed_free(struct signed_files *s) {
    while (s->n)
        buf_free(&s->file[--s->n]);
    free(s);
}

/* A state in such a file is nobody's word: only a guest's own report makes it one. */
static struct verdict *judge(const struct gpu_list *l, const struct gpu_collateral *c,
                             const uint8_t *nonce, const struct policy *p, int64_t now) {
    struct gpu_subject *gpu = mem_new((l->n + 1) * sizeof *gpu);
    struct verdict *v;

    for (size_t i = 0; i < l->n; i++)
        gpu[i] = (struct gpu_subject){l->item[i].ev, l->item[i].n_certs, false};
    v = evidence_verify_gpu(gpu, l->n, c, nonce, p, now);
    free(gpu);
    return v;
}

struct verdict *verify_gpu(const struct gpu_paths *paths, const struct policy *p, int64_t now,
                           struct err *e) {
    struct gpu_list l = {0};
    struct signed_files *s;
    struct verdict *v = NULL;
    uint8_t nonce[32];

    if (paths->nonce && !hex_decode_str(paths->nonce, nonce, sizeof nonce)) {
        err_set(e, "usage", "--gpu-nonce wants 64 lower-case hex digits");
        return NULL;
    }
    s = mem_new(sizeof *s);
    if (!(paths->list ? read_list(paths, &l, e) : read_pair(paths, &l, e)) &&
        !signed_read(s, paths, e))
        v = judge(&l, &s->c, paths->nonce ? nonce : NULL, p, now);
    signed_free(s);
    gpu_list_free(&l);
    return v;
}
