#include "carried.h"

static void first(struct view *v, const struct buf *b) {
    if (!v->n)
        *v = buf_view(b);
}

static void add(struct view *list, size_t *n, size_t max, struct view bytes) {
    if (*n < max)
        list[(*n)++] = bytes;
}

static void add_file(struct gpu_collateral *g, const struct collateral_file *f) {
    const struct view bytes = buf_view(&f->bytes);

    switch (f->kind) {
    case COLL_RIM:
        add(g->rim, &g->n_rims, GPU_RIMS, bytes);
        return;
    case COLL_OCSP:
        add(g->ocsp, &g->n_ocsps, GPU_OCSPS, bytes);
        return;
    case COLL_GPU_CRL:
        add(g->crl, &g->n_crls, GPU_CRLS, bytes);
        return;
    case COLL_KINDS:
        return;
    }
}

void carried_add(struct carried *to, const struct collateral *c) {
    first(&to->snp.vek, &c->vek);
    first(&to->snp.ask, &c->ask);
    first(&to->snp.ark, &c->ark);
    if (c->crl.n)
        add(to->snp.crl, &to->snp.n_crl, COLLATERAL_CRLS, buf_view(&c->crl));
    for (size_t i = 0; i < c->n_files; i++)
        add_file(&to->gpu, &c->file[i]);
}
