#include "evidence.h"

#include <string.h>

#include "bind.h"
#include "gpu_verify.h"
#include "record.h"
#include "reference.h"
#include "snp_verify.h"

struct verdict *evidence_verify_report(struct view report, const struct snp_collateral *c,
                                       const struct expect_report *x, const struct policy *p,
                                       int64_t now) {
    struct verdict *v = verdict_new(p, now);
    const struct snp_input in = {.report = report,
                                 .collateral = c,
                                 .policy = p,
                                 .now = now,
                                 .sim_roots = x->sim_roots,
                                 .n_sim_roots = x->n_sim_roots,
                                 .report_data = x->report_data,
                                 .measurement = x->measurement};
    struct snp_result r;

    snp_verify(v, &in, &r);
    verdict_seal(v);
    return v;
}

static void verify_snp(struct verdict *v, const struct evidence *ev, const struct snp_collateral *c,
                       const struct expect *x, const struct policy *p, int64_t now,
                       const struct reference *ref, const struct advice *advice,
                       const uint8_t data[static 64], struct snp_result *out) {
    const struct release *rel = ref->release;
    const struct snp_input in = {
        .report = ev->report,
        .collateral = c,
        .policy = p,
        .now = now,
        .sim_roots = x->sim_roots,
        .n_sim_roots = x->n_sim_roots,
        .report_data = data,
        .measurement = ref->has_digest ? ref->digest : NULL,
        .no_measurement = "Without a usable release manifest nobody knows what ought to run.",
        .launch = ref->has_digest ? &ref->launch : NULL,
        .has_guest_policy = rel != NULL,
        .guest_policy = rel ? rel->policy : 0,
        .min_tcb = rel ? rel->min_tcb : NULL,
        .n_min_tcb = rel ? rel->n_min_tcb : 0,
        .floor = advice->floor,
        .n_floors = advice->n_floors,
    };

    snp_verify(v, &in, out);
}

static void verify_gpu(struct verdict *v, const struct evidence *ev, const struct gpu_collateral *c,
                       const struct expect *x, const struct policy *p, int64_t now,
                       const struct advice *advice, bool authentic) {
    const struct gpu_input rest = {.collateral = c,
                                   .policy = p,
                                   .now = now,
                                   .floor = advice->gpu_floor,
                                   .n_floors = advice->n_gpu_floors,
                                   .guest_authentic = authentic,
                                   .offered = x->offer->gpu_count,
                                   .arch = x->offer->gpu_arch};

    gpu_verify_guest(v, ev, x->request->nonce, x->request->id, &rest);
}

struct verdict *evidence_verify_gpu(const struct gpu_subject *gpu, size_t n,
                                    const struct gpu_collateral *c, const uint8_t *nonce,
                                    const struct policy *p, int64_t now) {
    struct verdict *v = verdict_new(p, now);
    const struct gpu_input in = {
        .gpu = gpu, .n = n, .collateral = c, .policy = p, .now = now, .nonce = nonce, .arch = ""};
    struct finding f = {.outcome = OUT_ABSENT};

    gpu_verify(v, &in);
    finding_absent(&f, "No guest's report covers this evidence here: in a job's, it does.");
    verdict_leaf(v, verdict_group(v, verdict_root(v), CK_BIND), CK_BIND_GPU, &f);
    verdict_seal(v);
    return v;
}

struct verdict *evidence_verify(const struct evidence *ev, const struct snp_collateral *c,
                                const struct gpu_collateral *gpu, const struct expect *x,
                                const struct policy *p, int64_t now) {
    struct verdict *v = verdict_new(p, now);
    cleanup_buf struct buf digest = {0};
    struct reference ref;
    struct advice advice;
    struct snp_result snp;
    struct bind_input bind;
    struct err e;
    uint8_t data[64];
    int rc = binding_gpu_digest(ev->gpu, ev->n_gpu, &digest, &e);

    binding_report_data(ev->guest, x->request->customer, x->request->nonce, x->request->id,
                        buf_view(&digest), data);
    reference_build(&ref, x);
    advice_gather(&advice, &x->pins, now);
    verify_snp(v, ev, c, x, p, now, &ref, &advice, data, &snp);
    bind = (struct bind_input){.ev = ev,
                               .request = x->request,
                               .gpu_digest = buf_view(&digest),
                               .gpu_offered = x->offer->gpu_count > 0 || ev->n_gpu > 0,
                               .gpu_error = rc ? &e : NULL,
                               .snp = &snp};
    bind_verify(v, &bind);
    verify_gpu(v, ev, gpu, x, p, now, &advice, snp.authentic);
    reference_verify(v, &ref, x, &advice, verdict_chip(v), now);
    if (ev->record)
        record_verify(v, ev, x);
    reference_free(&ref);
    verdict_set_guest(v, x->request->id, ev->guest, ev->hello);
    verdict_seal(v);
    return v;
}
