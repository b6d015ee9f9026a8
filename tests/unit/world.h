/* A whole good job, simulated: what evidence_verify takes, for tests to spoil one thing at a time.
 */
#ifndef CDVM_UNIT_WORLD_H
#define CDVM_UNIT_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "attest/evidence.h"
#include "attest/snp_measure.h"
#include "core/hash.h"
#include "provider/psp_sim.h"

#ifndef WORLD_NOW
#define WORLD_NOW ((int64_t)time(NULL))
#endif
#ifndef WORLD_KEYS
#define WORLD_KEYS "build/test-psp" /* of the simulator */
#endif

/* Used by benches too, so without cmocka. */
#define world_must(cond)                                                                           \
    do                                                                                             \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "world: %s\n", #cond);                                                 \
            abort();                                                                               \
        }                                                                                          \
    while (0)

struct world {
    struct psp_sim *psp;
    struct buf crl, release, workload, model;
    struct job_request request;
    struct offer offer;
    uint8_t report[SIM_REPORT_SIZE], sim_root[32], pin[3][32];
    uint8_t measurement[48];
    struct evidence ev;
    struct snp_collateral c;
    const struct gpu_collateral *gpu; /* NULL: nothing of NVIDIA's */
    struct expect x;
    struct policy policy;
};

#define ROOT_A "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"

static inline struct release world_release(void) {
    static char *types[] = {"EPYC-Genoa-v1", "EPYC-v4"};
    static uint64_t features[] = {1};

    return (struct release){
        .name = "cdvm-guest",
        .version = "0.1.0",
        .seq = 1,
        .kernel_package = "linux-image 6.12",
        .ovmf = {.ap_eip = 0x80b004,
                 .hashes_gpa = 0x810c00,
                 .n_sections = 2,
                 .section = {{0x810000, 4096, 16}, {0x80d000, 4096, 2}}},
        .cmdline =
            "console=null acpi=off cdvm.work=${work} cdvm.model=${model} cdvm.broker=${broker}",
        .vcpu_types = types,
        .n_vcpu_types = 2,
        .guest_features = features,
        .n_guest_features = 1,
        .policy = 0x30000,
        .repo = "https://example.org/cdvm",
        .commit = "abc"};
}

static inline struct manifest world_manifest(bool model) {
    static char *argv[] = {"/bin/table"};
    struct manifest m = {.is_model = model,
                         .name = model ? "tiny" : "table",
                         .version = "1",
                         .seq = 1,
                         .argv = argv,
                         .n_argv = 1,
                         .mode = "stream",
                         .repo = "https://example.org/cdvm",
                         .commit = "abc",
                         .licence = "MIT"};

    memset(m.volume.root, 0x0a, 32);
    m.volume.blocks = 12;
    return m;
}

/* The digest that hardware would report for this world's release and offer. */
static inline void world_measure(struct world *w) {
    struct err e = {0};
    struct release *r = release_parse(buf_view(&w->release), &e);
    struct launch l = {
        .kernel_hashes = true, .vcpus = w->offer.vcpus, .features = w->offer.guest_features};
    cleanup_buf struct buf cmdline = {0};

    world_must(r);
    l.ovmf = &r->ovmf;
    memcpy(l.kernel, r->kernel_sha256, 32);
    memcpy(l.initrd, r->initrd_sha256, 32);
    world_must(vcpu_type_signature(w->offer.vcpu_type, &l.vcpu_signature));
    world_must(!cmdline_render(r->cmdline, w->offer.workload, w->offer.model, w->offer.broker,
                               &cmdline, &e));
    l.append = (const char *)cmdline.p;
    world_must(!launch_digest(&l, w->measurement, &e));
    release_free(r);
}

/* What the guest binds; its own idea of the request may differ from the customer's. */
static inline void world_report(struct world *w, const uint8_t *customer, const uint8_t *nonce,
                                const uint8_t *job, uint64_t policy) {
    cleanup_buf struct buf digest = {0};
    uint8_t data[64];
    struct err e;

    world_must(!binding_gpu_digest(w->ev.gpu, w->ev.n_gpu, &digest, &e));
    binding_report_data(w->ev.guest, customer, nonce, job, buf_view(&digest), data);
    world_must(!psp_sim_report(w->psp, data, w->measurement, policy, w->report, &e));
    w->ev.has_echo = true;
    memcpy(w->ev.echo_customer, customer, 32);
    memcpy(w->ev.echo_nonce, nonce, 32);
    memcpy(w->ev.echo_job, job, 32);
}

static inline void world_good_report(struct world *w) {
    world_measure(w);
    world_report(w, w->request.customer, w->request.nonce, w->request.id, 0x30000);
}

static inline void world_offer(struct world *w) {
    struct offer *o = &w->offer;

    memset(o->id, 0x51, 32);
    memset(o->pubkey, 0x52, 32);
    sha256(buf_view(&w->release), o->release);
    snprintf(o->workload_name, sizeof o->workload_name, "table");
    snprintf(o->workload, sizeof o->workload, "%s:12", ROOT_A);
    snprintf(o->model_name, sizeof o->model_name, "none");
    snprintf(o->model, sizeof o->model, "none");
    snprintf(o->broker, sizeof o->broker, "none");
    snprintf(o->vcpu_type, sizeof o->vcpu_type, "EPYC-v4");
    o->vcpus = 1;
    o->guest_features = 1;
    memset(w->request.id, 0x61, 32);
    memset(w->request.customer, 0x62, 32);
    memset(w->request.nonce, 0x63, 32);
    memcpy(w->request.offer, o->id, 32);
    memcpy(w->request.provider, o->pubkey, 32);
}

static inline void world_manifests(struct world *w) {
    struct release r = world_release();
    struct manifest work = world_manifest(false), model = world_manifest(true);
    struct err e = {0};

    world_must(!release_json(&r, &w->release, &e));
    world_must(!manifest_json(&work, &w->workload, &e));
    world_must(!manifest_json(&model, &w->model, &e));
    sha256(buf_view(&w->release), w->pin[0]);
    sha256(buf_view(&w->workload), w->pin[1]);
    sha256(buf_view(&w->model), w->pin[2]);
}

/* Points the inputs at the world's bytes; call again after changing a buffer. */
static inline void world_point(struct world *w) {
    w->ev.report = view_of(w->report, sizeof w->report);
    w->c = (struct snp_collateral){.vek = psp_sim_vek(w->psp),
                                   .ask = psp_sim_ask(w->psp),
                                   .ark = psp_sim_ark(w->psp),
                                   .n_crl = 1};
    w->c.crl[0] = buf_view(&w->crl);
    w->x = (struct expect){.request = &w->request,
                           .offer = &w->offer,
                           .release = buf_view(&w->release),
                           .workload = buf_view(&w->workload),
                           .pins = {.digest = (const uint8_t(*)[32])w->pin, .n_digests = 3},
                           .sim_roots = (const uint8_t(*)[32])w->sim_root,
                           .n_sim_roots = 1};
    if (strcmp(w->offer.model, "none") != 0)
        w->x.model = buf_view(&w->model);
}

/* The simulator's keys are made once and kept for all test programs: RSA-4096 takes seconds. */
static inline void world_init(struct world *w) {
    struct err e = {0};

    memset(w, 0, sizeof *w);
    mkdir("build", 0755);
    w->psp = psp_sim_open(WORLD_KEYS, NULL, NULL, &e);
    world_must(w->psp);
    psp_sim_fingerprint(w->psp, w->sim_root);
    world_must(!psp_sim_crl(w->psp, WORLD_NOW, &w->crl, &e));
    policy_preset(&w->policy, POLICY_DEMO);
    world_manifests(w);
    world_offer(w);
    memset(w->ev.guest, 0x71, 32);
    memset(w->ev.hello, 0x72, 32);
    world_good_report(w);
    world_point(w);
}

static inline void world_free(struct world *w) {
    psp_sim_free(w->psp);
    buf_free(&w->crl);
    buf_free(&w->release);
    buf_free(&w->workload);
    buf_free(&w->model);
}

static inline struct verdict *world_verify(const struct world *w) {
    return evidence_verify(&w->ev, &w->c, w->gpu, &w->x, &w->policy, WORLD_NOW);
}

#endif
