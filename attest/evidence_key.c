#include "evidence_key.h"

#include <string.h>

#include "bind.h"
#include "core/enc.h"
#include "gpu_verify.h"
#include "reference.h"

static int launch_build(const struct key_launch *l, struct buf *cmdline, struct launch *out) {
    char broker[65];

    *out = reference_launch(l->release, l->vcpus, l->features);
    hex_encode(view_of(l->broker, 32), broker);
    if (!vcpu_type_signature(l->vcpu_type, &out->vcpu_signature) ||
        cmdline_render(l->release->cmdline, l->work, l->model, broker, cmdline, NULL))
        return -1;
    out->append = (const char *)cmdline->p;
    return 0;
}

/* The number of vCPUs over these sections; 0 when none fits. */
static uint32_t find_vcpus(const struct launch *l, uint32_t max, const uint8_t sections[static 48],
                           const uint8_t got[static 48]) {
    uint8_t digest[48], vmsa[48];

    memcpy(digest, sections, sizeof digest);
    launch_vmsa(l, true, vmsa);
    launch_vcpu(digest, vmsa);
    launch_vmsa(l, false, vmsa);
    for (uint32_t n = 1; n <= max; n++) {
        if (!memcmp(digest, got, sizeof digest))
            return n;
        launch_vcpu(digest, vmsa);
    }
    return 0;
}

bool key_launch_find(struct key_launch *l, uint32_t vcpus_max, const uint8_t got[static 48]) {
    const struct release *r = l->release;
    cleanup_buf struct buf cmdline = {0};
    struct launch launch;
    uint8_t sections[48];

    for (size_t i = 0; i < r->n_vcpu_types * r->n_guest_features; i++) {
        l->vcpu_type = r->vcpu_types[i / r->n_guest_features];
        l->features = r->guest_features[i % r->n_guest_features];
        l->vcpus = 1;
        buf_reset(&cmdline);
        if (launch_build(l, &cmdline, &launch) || !launch.ovmf->hashes_gpa)
            continue;
        launch_sections(&launch, sections);
        l->vcpus = find_vcpus(&launch, vcpus_max, sections, got);
        if (l->vcpus)
            return true;
    }
    return false;
}

static void model_data(const struct evidence *ev, const struct expect_key *x,
                       uint8_t out[static 64]) {
    cleanup_buf struct buf digest = {0};
    struct volume model = {0};

    (void)!volume_parse(x->launch.model, &model);
    (void)!binding_gpu_digest(ev->gpu, ev->n_gpu, &digest, NULL);
    binding_model_data(ev->guest, x->launch.broker, x->nonce, model.root, buf_view(&digest), out);
}

static void verify_snp(struct verdict *v, const struct evidence *ev, const struct snp_collateral *c,
                       const struct expect_key *x, const struct policy *p, int64_t now,
                       const struct advice *advice, struct snp_result *out) {
    const struct release *rel = x->launch.release;
    cleanup_buf struct buf cmdline = {0};
    struct launch launch;
    uint8_t data[64], digest[48];
    const bool known =
        !launch_build(&x->launch, &cmdline, &launch) && !launch_digest(&launch, digest, NULL);
    const struct snp_input in = {
        .report = ev->report,
        .collateral = c,
        .policy = p,
        .now = now,
        .report_data = data,
        .measurement = known ? digest : NULL,
        .no_measurement = "The row and its release give no launch digest.",
        .launch = known ? &launch : NULL,
        .has_guest_policy = true,
        .guest_policy = rel->policy,
        .min_tcb = rel->min_tcb,
        .n_min_tcb = rel->n_min_tcb,
        .floor = advice->floor,
        .n_floors = advice->n_floors,
    };

    model_data(ev, x, data);
    snp_verify(v, &in, out);
}

/* The report's data is one hash over all: where it is not what it ought to be, nothing says which
 * part. */
static void bind_gpu(struct verdict *v, struct node *g, const struct evidence *ev) {
    const bool same = verdict_find(v, check_table[CK_SNP_REPORT_DATA].id)->state == CHECK_PASS;
    struct finding f = {.outcome = same ? OUT_GOOD : OUT_BAD};

    finding_got(&f, "%zu shown", ev->n_gpu);
    if (!same)
        finding_why(&f, "The report is not bound to this evidence, this nonce and this model.");
    verdict_leaf(v, g, CK_BIND_GPU, &f);
}

static void verify_bind(struct verdict *v, const struct evidence *ev, const struct expect_key *x,
                        const struct snp_result *snp) {
    struct node *g = verdict_group(v, verdict_root(v), CK_BIND);

    bind_guest_key(v, g, ev->guest, snp);
    if (x->gpu_count || ev->n_gpu)
        bind_gpu(v, g, ev);
    if (!snp->authentic)
        verdict_distrust(g, DISTRUST);
}

/* The owner's row pins the release by its digest; an advisory may still have revoked it. */
static void verify_reference(struct verdict *v, const struct expect_key *x,
                             const struct advice *advice, int64_t now) {
    struct node *g = verdict_group(v, verdict_root(v), CK_REFERENCE);
    const struct release *rel = x->launch.release;
    struct finding f = {.outcome = OUT_BAD};
    uint8_t digest[1][32];
    struct pins row = *x->pins;

    manifest_digest(x->release, digest[0]);
    row.digest = (const uint8_t(*)[32])digest;
    row.n_digests = 1;
    endorsement_check(&row, advice, MANIFEST_RELEASE, x->release, rel->name, rel->version, now, &f);
    verdict_leaf(v, g, CK_RELEASE_ENDORSED, &f);
    reference_common(v, g, rel, x->pins, advice, verdict_chip(v), now);
}

static void verify_gpu(struct verdict *v, const struct evidence *ev, const struct gpu_collateral *c,
                       const struct expect_key *x, const struct policy *p, int64_t now,
                       const struct advice *advice, bool authentic) {
    const struct gpu_input rest = {.collateral = c,
                                   .policy = p,
                                   .now = now,
                                   .floor = advice->gpu_floor,
                                   .n_floors = advice->n_gpu_floors,
                                   .guest_authentic = authentic,
                                   .offered = x->gpu_count,
                                   .arch = ""};

    gpu_verify_guest(v, ev, x->customer_nonce, x->job, &rest);
}

struct verdict *evidence_verify_key(const struct evidence *ev, const struct snp_collateral *c,
                                    const struct gpu_collateral *gpu, const struct expect_key *x,
                                    const struct policy *p, int64_t now) {
    struct verdict *v = verdict_new(p, now);
    struct advice advice;
    struct snp_result snp;

    advice_gather(&advice, x->pins, now);
    verify_snp(v, ev, c, x, p, now, &advice, &snp);
    verify_bind(v, ev, x, &snp);
    verify_gpu(v, ev, gpu, x, p, now, &advice, snp.authentic);
    verify_reference(v, x, &advice, now);
    verdict_seal(v);
    return v;
}
