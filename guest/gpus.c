#include "gpus.h"

#include <stdlib.h>
#include <string.h>

#include "core/gpu_list.h"
#include "gpunodes.h"

struct gpus {
    struct nvml *child;
    unsigned n;
    struct gpus_handler h;
    void *arg;
    uint8_t nonce[32];
    uint8_t state[4]; /* as bound */
    struct buf json, digest;
    bool open;
};

static int check_count(const struct gpus *g, const struct nvml_answer *a, struct err *e) {
    if (a->facts.count == g->n)
        return 0;
    return err_set(e, "gpu-count", "%u GPUs are on the PCI bus and NVML knows %u", g->n,
                   a->facts.count);
}

static int meet(struct gpus *g, struct err *e) {
    struct nvml_answer a;

    if (nvml_ask(g->child, NVML_FACTS, view_of(NULL, 0), GPUS_START_MS(g->n), &a, e))
        return -1;
    return check_count(g, &a, e);
}

struct gpus *gpus_with(struct nvml *child, unsigned pci, struct err *e) {
    struct gpus *g = mem_new(sizeof *g);

    *g = (struct gpus){.child = child, .n = pci};
    if (!meet(g, e))
        return g;
    gpus_free(g);
    return NULL;
}

struct gpus *gpus_start(const char *base, unsigned pci, struct err *e) {
    const struct nvml_place place = {.root = base, .library = NVML_LIBRARY, .gpus = pci};
    struct nvml *child = gpunodes_make(pci, e) ? NULL : nvml_start(&place, e);

    return child ? gpus_with(child, pci, e) : NULL;
}

void gpus_free(struct gpus *g) {
    if (!g)
        return;
    nvml_free(g->child);
    buf_free(&g->json);
    buf_free(&g->digest);
    free(g);
}

unsigned gpus_count(const struct gpus *g) {
    return g->n;
}

struct view gpus_json(const struct gpus *g) {
    return buf_view(&g->json);
}

struct view gpus_digest(const struct gpus *g) {
    return buf_view(&g->digest);
}

/* --- evidence --- */

static const char *arch_word(uint32_t arch) {
    switch (arch) {
    case NVML_ARCH_HOPPER:
        return "HOPPER";
    case NVML_ARCH_BLACKWELL:
        return "BLACKWELL";
    default:
        return NULL;
    }
}

/* The library may count the text's end. */
static struct view without_nuls(struct view pem) {
    while (pem.n && !pem.p[pem.n - 1])
        pem.n--;
    return pem;
}

static int read_one(const struct nvml_gpu *from, const uint8_t state[static 4],
                    struct gpu_item *out, struct err *e) {
    const char *arch = arch_word(from->arch);

    if (!arch)
        return err_set(e, "gpu-evidence", "architecture %u has no confidential mode", from->arch);
    if (gpu_item_read(out, arch, from->report, without_nuls(from->chain), e))
        return -1;
    if (out->n_certs != GPU_CERTS)
        return err_set(e, "gpu-evidence", "its chain has %zu certificates instead of %d",
                       out->n_certs, GPU_CERTS);
    memcpy(out->ev.state, state, 4);
    out->has_state = true;
    return 0;
}

/* What is bound, and the same as JSON: both from the same views, in the protocol's order. */
static int put_together(struct gpus *g, const struct gpu_list *l, struct err *e) {
    struct gpu_evidence gpu[GPUS_MAX];
    struct jw w = jw_new(&g->json);

    if (gpu_list_bound(l, gpu, e) || binding_gpu_digest(gpu, l->n, &g->digest, e))
        return -1;
    gpu_list_write(gpu, l->n, g->nonce, &w);
    return 0;
}

static int read_all(struct gpus *g, const struct nvml_answer *a, struct gpu_list *l,
                    struct err *e) {
    size_t i = 0;

    if (check_count(g, a, e))
        return -1;
    for (l->n = g->n; i < l->n; i++) /* one that fails is freed with the others */
        if (read_one(&a->gpu[i], a->facts.state, &l->item[i], e))
            return err_wrap(e, "GPU %zu", i + 1);
    memcpy(g->state, a->facts.state, sizeof g->state);
    return put_together(g, l, e);
}

static int take_evidence(struct gpus *g, const struct nvml_answer *a, struct err *e) {
    struct gpu_list l = {.item = mem_new(GPUS_MAX * sizeof *l.item)};
    const int rc = read_all(g, a, &l, e);

    gpu_list_free(&l);
    return rc;
}

/* --- the ready state --- */

/* They are still those that were proved. */
static int take_ready(struct gpus *g, const struct nvml_answer *a, struct err *e) {
    if (check_count(g, a, e))
        return -1;
    if (memcmp(a->facts.state, g->state, sizeof g->state) != 0)
        return err_set(e, "gpu-evidence", "the GPUs' state is another than was shown");
    if (!a->facts.ready)
        return err_set(e, "gpu-driver", "the GPUs do not become ready");
    g->open = true;
    return 0;
}

static void on_answer(void *arg, enum nvml_op op, const struct nvml_answer *a) {
    struct gpus *g = arg;
    const bool proof = op == NVML_EVIDENCE;
    struct err e;

    if (proof ? take_evidence(g, a, &e) : take_ready(g, a, &e))
        g->h.failed(g->arg, &e);
    else if (proof)
        g->h.proved(g->arg);
    else
        g->h.opened(g->arg);
}

static void on_failed(void *arg, const struct err *e) {
    struct gpus *g = arg;

    g->h.failed(g->arg, e);
}

void gpus_watch(struct gpus *g, struct loop *l, const struct gpus_handler *h, void *arg) {
    static const struct nvml_handler child = {on_answer, on_failed};

    g->h = *h;
    g->arg = arg;
    nvml_watch(g->child, l, &child, g);
}

void gpus_prove(struct gpus *g, const uint8_t nonce[static 32]) {
    memcpy(g->nonce, nonce, sizeof g->nonce);
    nvml_send(g->child, NVML_EVIDENCE, view_of(g->nonce, sizeof g->nonce), GPUS_EVIDENCE_MS(g->n));
}

static const uint8_t no = 0, yes = 1;

void gpus_open(struct gpus *g) {
    nvml_send(g->child, NVML_READY, view_of(&yes, 1), GPUS_READY_MS);
}

void gpus_close(struct gpus *g) {
    struct nvml_answer a;
    struct err ignored;

    nvml_unwatch(g->child);
    if (g->open)
        (void)!nvml_ask(g->child, NVML_READY, view_of(&no, 1), GPUS_CLOSE_MS, &a, &ignored);
    g->open = false;
}
