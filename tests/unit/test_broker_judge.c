/* The owner's verdict over a guest that is good in everything, then spoilt in one thing at a time.
 * Only in this program may the simulator's root stand for AMD's. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "provider/broker_judge.c"

#include "tests/unit/gpu_made.h"
#include "tests/unit/nvidia_made.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#define POLICY_STRICT_WANTS 0x20000 /* no SMT */

struct court {
    struct world w;
    struct broker_house house;
    struct house_release release;
    struct broker_row row;
    struct keypair *endorser;
    struct event *event[2];
    uint8_t key[1][32], k[32], nonce[32], guest[32], model[32], job[32];
    struct key_evidence evidence;
    struct collateral certs;
    struct broker_claim claim;
    uint64_t policy; /* in the report */
    int64_t now;
};

static struct event *word(const struct court *c, uint32_t kind, const char *content,
                          const char *d) {
    struct fields f = fields_new(kind, c->now, view_str(content));
    cleanup_free char *until = mem_fmt("%lld", (long long)c->now + 86400);

    fields_add(&f, "d", d);
    fields_add(&f, "seq", "1");
    fields_add(&f, "expiration", until);
    return event_sign(&f, c->endorser);
}

/* The report as the guest would get it, for the launch of the row. */
static void report(struct court *c) {
    struct key_launch l = {.release = c->release.release, .broker = c->k};
    struct launch launch;
    cleanup_buf struct buf cmdline = {0};
    char work[VOLUME_TEXT], model[VOLUME_TEXT], broker[65];
    uint8_t data[64], digest[48], out[SIM_REPORT_SIZE];
    struct gpu_evidence gpu[GPUS_MAX];
    cleanup_buf struct buf gpus = {0};
    struct err e;

    volume_text(&c->row.work, work);
    volume_text(&c->row.model, model);
    hex_encode(view_of(c->k, 32), broker);
    launch =
        (struct launch){.ovmf = &l.release->ovmf, .kernel_hashes = true, .vcpus = 2, .features = 1};
    memcpy(launch.kernel, l.release->kernel_sha256, 32);
    memcpy(launch.initrd, l.release->initrd_sha256, 32);
    assert_true(vcpu_type_signature("EPYC-Genoa", &launch.vcpu_signature));
    assert_int_equal(cmdline_render(l.release->cmdline, work, model, broker, &cmdline, &e), 0);
    launch.append = (const char *)cmdline.p;
    assert_int_equal(launch_digest(&launch, digest, &e), 0);
    assert_int_equal(gpu_list_bound(&c->evidence.gpu, gpu, &e), 0);
    assert_int_equal(binding_gpu_digest(gpu, c->evidence.gpu.n, &gpus, &e), 0);
    binding_model_data(c->guest, c->k, c->nonce, c->row.model.root, buf_view(&gpus), data);
    assert_int_equal(psp_sim_report(c->w.psp, data, digest, c->policy, out, &e), 0);
    buf_reset(&c->evidence.report);
    buf_add(&c->evidence.report, out, sizeof out);
}

static void take_view(struct buf *b, struct view v) {
    buf_add(b, v.p, v.n);
}

static void make_release(struct court *c) {
    struct release r = world_release();
    struct err e;

    r.policy = POLICY_STRICT_WANTS;
    assert_int_equal(release_json(&r, &c->release.content, &e), 0);
    c->release.release = release_parse(buf_view(&c->release.content), &e);
    assert_non_null(c->release.release);
    manifest_digest(buf_view(&c->release.content), c->release.digest);
    c->house.release = &c->release;
    c->house.n_releases = 1;
}

static void make_house(struct court *c) {
    uint8_t zero[64] = {0}, any[SIM_REPORT_SIZE];
    cleanup_free char *chip = NULL;
    struct err e;

    assert_int_equal(psp_sim_report(c->w.psp, zero, zero, POLICY_STRICT_WANTS, any, &e), 0);
    chip = hex_new(view_of(any + 0x1a0, 64));
    c->event[0] = word(c, KIND_ADVISORY, "{\"floors\":[]}", "floors");
    c->event[1] = word(c, KIND_CHIP, "here", chip);
    c->house.list = (struct broker_list){&c->row, 1};
    c->house.pins = (struct pins){.endorser = (const uint8_t(*)[32])c->key,
                                  .n_endorsers = 1,
                                  .endorsement = (const struct event *const *)c->event,
                                  .n_endorsements = 2};
    memcpy(c->key[0], keypair_pub(c->endorser), 32);
    policy_preset(&c->house.policy, POLICY_STRICT);
}

static int start(void **state) {
    struct court *c = mem_new(sizeof *c);

    world_init(&c->w);
    c->now = WORLD_NOW;
    c->endorser = keypair_new();
    make_release(c);
    c->row = (struct broker_row){.work = {.root = {2}, .blocks = 5},
                                 .model = {.root = {3}, .blocks = 6},
                                 .max = 1,
                                 .vcpus = 4};
    memcpy(c->row.release, c->release.digest, 32);
    make_house(c);
    memset(c->k, 0x77, 32);
    memset(c->nonce, 0x88, 32);
    memset(c->guest, 0x99, 32);
    memcpy(c->model, c->row.model.root, 32);
    c->evidence.work = c->row.work;
    c->policy = POLICY_STRICT_WANTS;
    take_view(&c->certs.vek, psp_sim_vek(c->w.psp));
    take_view(&c->certs.ask, psp_sim_ask(c->w.psp));
    take_view(&c->certs.ark, psp_sim_ark(c->w.psp));
    take_view(&c->certs.crl, buf_view(&c->w.crl));
    c->claim = (struct broker_claim){.broker = c->k,
                                     .nonce = c->nonce,
                                     .guest = c->guest,
                                     .model = c->model,
                                     .job = c->job,
                                     .evidence = &c->evidence,
                                     .collateral = &c->certs};
    roots_test_add(PRODUCT_GENOA, c->w.sim_root);
    report(c);
    *state = c;
    return 0;
}

static int stop(void **state) {
    struct court *c = *state;

    roots_test_clear();
    for (size_t i = 0; i < COUNT(c->event); i++)
        event_free(c->event[i]);
    keypair_free(c->endorser);
    release_free(c->release.release);
    buf_free(&c->release.content);
    key_evidence_free(&c->evidence);
    collateral_free(&c->certs);
    world_free(&c->w);
    free(c);
    return 0;
}

static void judged(const struct court *c, const char *code, const char *words) {
    struct broker_decision d;

    broker_judge(&c->house, &c->claim, c->now, &d);
    if (d.pass || strcmp(d.code, code) || !strstr(d.text, words))
        fail_msg("%s: wanted %s '%s', got %s '%s'", d.pass ? "pass" : "refused", code, words,
                 d.code, d.text);
}

static void a_listed_guest_passes(void **state) {
    struct court *c = *state;
    struct broker_decision d;

    broker_judge(&c->house, &c->claim, c->now, &d);
    if (!d.pass)
        fail_msg("%s: %s", d.code, d.text);
    assert_ptr_equal(d.row, &c->row);
    assert_int_equal(d.chip_len, 64);
}

static void what_was_started_is_not_the_guests_to_say(void **state) {
    struct court *c = *state;

    c->evidence.work.root[0] ^= 1;
    judged(c, "release-unknown", "no listed release");
    c->row.work.root[0] ^= 1; /* the row now names the lie */
    judged(c, "release-unknown", "no listed release");
    c->evidence.work.root[0] ^= 1; /* the truth, which the row does not name */
    judged(c, "workload-not-listed", "cdvm-guest 0.1.0");
    c->row.work.root[0] ^= 1;
    c->row.vcpus = 1; /* it has two */
    judged(c, "release-unknown", "");
}

static void another_owner_or_model(void **state) {
    struct court *c = *state;

    c->k[0] ^= 1; /* a guest of another owner's */
    judged(c, "release-unknown", "");
    c->k[0] ^= 1;
    c->model[0] ^= 1;
    judged(c, "release-unknown", "");
}

static void another_nonce_or_guest(void **state) {
    struct court *c = *state;

    c->nonce[0] ^= 1;
    judged(c, "evidence", "snp.report_data FAIL");
    c->nonce[0] ^= 1;
    c->guest[0] ^= 1;
    judged(c, "evidence", "bind.guest_key FAIL");
}

static void policies(void **state) {
    static const struct {
        uint64_t bits;
        const char *check;
    } rows[] = {{0x80000, "snp.policy.debug FAIL"},
                {0x40000, "snp.policy.migrate FAIL"},
                {0x10000, "snp.policy.smt FAIL"}};
    struct court *c = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        c->policy = POLICY_STRICT_WANTS | rows[i].bits;
        report(c);
        judged(c, "evidence", rows[i].check);
    }
}

static void certificates(void **state) {
    struct court *c = *state;

    c->certs.crl.n = 0;
    judged(c, "evidence", "snp.crl NOT CHECKED");
    c->certs.vek.n = 0;
    judged(c, "evidence", "snp.chain");
    c->claim.collateral = NULL;
    judged(c, "no-collateral", "");
}

static void a_simulators_root_is_never_taken(void **state) {
    struct court *c = *state;

    roots_test_clear();
    judged(c, "evidence", "snp.chain.root FAIL");
}

static void news_and_places(void **state) {
    struct court *c = *state;

    c->house.pins.n_endorsements = 1;
    judged(c, "evidence", "chip.endorsed FAIL");
    c->house.pins.n_endorsements = 0;
    judged(c, "evidence", "advisory.fresh NOT CHECKED");
    c->house.pins.n_endorsements = 2;
    c->claim.asked = true;
    c->claim.n_answers = 1;
    judged(c, "evidence", "advisory.fresh NOT CHECKED");
}

static void a_revoked_release(void **state) {
    struct court *c = *state;
    cleanup_free char *hex = hex_new(view_of(c->release.digest, 32));
    cleanup_free char *text = mem_fmt("{\"revoked\":[\"%s\"]}", hex);

    event_free(c->event[0]);
    c->event[0] = word(c, KIND_ADVISORY, text, "floors");
    judged(c, "evidence", "release.endorsed FAIL");
}

static void gpus_are_not_proven(void **state) {
    struct court *c = *state;

    c->row.gpus = 1;
    judged(c, "gpu-missing", "");
}

/* --- a row that demands a GPU --- */

static struct made_gpu gpu;
static struct pki signers;

static void carry(struct court *c, enum collateral_kind kind, struct buf *b) {
    assert_true(collateral_add(&c->certs, kind, buf_view(b)));
    buf_free(b);
}

/* What NVIDIA would sign: two documents, and a good word on each certificate. */
static void carry_nvidia(struct court *c) {
    struct buf b = {0};

    made_rim(&signers, "GH100", "550.90.07", 0, NULL, &b);
    carry(c, COLL_RIM, &b);
    made_rim(&signers, "GH100", "96.00.9F.00.01", 1, NULL, &b);
    carry(c, COLL_RIM, &b);
    for (int i = 1; i <= 3; i++) {
        made_answer(&gpu.pki, i, V_OCSP_CERTSTATUS_GOOD, -1, c->now - 3600, &b);
        carry(c, COLL_OCSP, &b);
        made_answer(&signers, i, V_OCSP_CERTSTATUS_GOOD, -1, c->now - 3600, &b);
        carry(c, COLL_OCSP, &b);
    }
}

/* The guest shows its GPU, and asks for its report anew. */
static void show(struct court *c) {
    cleanup_buf struct buf json = {0};
    struct jw w = jw_new(&json);
    uint8_t nonce[32];
    struct err e;

    binding_gpu_nonce(c->guest, c->evidence.nonce, c->job, nonce);
    made_report(&gpu, nonce);
    gpu_list_write(&gpu.ev, 1, nonce, &w);
    gpu_list_free(&c->evidence.gpu);
    assert_int_equal(gpu_list_parse(buf_view(&json), &c->evidence.gpu, &e), 0);
    report(c);
}

static int start_gpu(void **state) {
    struct court *c;

    start(state);
    c = *state;
    made_init(&gpu, 1);
    pki_make(&gpu.pki);
    signers_init(&signers);
    roots_test_nvidia(NVIDIA_DEVICES, gpu.pki.root);
    roots_test_nvidia(NVIDIA_REFERENCES, signers.root);
    c->row.gpus = 1;
    carry_nvidia(c);
    show(c);
    return 0;
}

static int stop_gpu(void **state) {
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    roots_test_nvidia(NVIDIA_REFERENCES, NULL);
    made_free(&gpu);
    pki_free(&signers);
    return stop(state);
}

static void a_guest_with_its_gpu_passes(void **state) {
    a_listed_guest_passes(state);
}

static void gpus_are_judged(void **state) {
    struct court *c = *state;

    c->evidence.nonce[0] ^= 1; /* the GPU answered another job's */
    judged(c, "evidence", "gpu.nonce FAIL");
    c->evidence.nonce[0] ^= 1;
    c->job[0] ^= 1;
    judged(c, "evidence", "gpu.nonce FAIL");
    c->job[0] ^= 1;
    c->evidence.gpu.item[0].ev.state[1] = 1; /* not what the report is bound to */
    judged(c, "evidence", "bind.gpu FAIL");
    c->evidence.gpu.item[0].ev.state[1] = 0;
    c->row.gpus = 0; /* one more than the row has */
    judged(c, "evidence", "gpu.count FAIL");
    c->row.gpus = 2;
    judged(c, "gpu-missing", "more GPUs than the guest shows");
    c->row.gpus = 1;
    c->certs.n_files--;
    judged(c, "evidence", "gpu.revocation NOT CHECKED");
    buf_free(&c->certs.file[c->certs.n_files].bytes);
    roots_test_nvidia(NVIDIA_REFERENCES, NULL);
    judged(c, "evidence", "gpu.rim.driver FAIL");
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
    judged(c, "evidence", "gpu.chain FAIL");
}

/* In DevTools mode everything else of a GPU is as it ought to be. */
static void an_open_gpu_gets_no_key(void **state) {
    struct court *c = *state;
    struct gpu_evidence *ev = &c->evidence.gpu.item[0].ev;

    ev->state[1] = 1;
    report(c);
    judged(c, "evidence", "gpu.cc_state FAIL");
    ev->state[1] = 0;
    ev->state[0] = 0;
    report(c);
    judged(c, "evidence", "gpu.cc_state FAIL");
}

static void no_report(void **state) {
    struct court *c = *state;

    c->evidence.report.n = 100;
    judged(c, "evidence", "snp.structure");
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
#define G(f) cmocka_unit_test_setup_teardown(f, start_gpu, stop_gpu)
    const struct CMUnitTest tests[] = {
        T(a_listed_guest_passes),
        T(what_was_started_is_not_the_guests_to_say),
        T(another_owner_or_model),
        T(another_nonce_or_guest),
        T(policies),
        T(certificates),
        T(a_simulators_root_is_never_taken),
        T(news_and_places),
        T(a_revoked_release),
        T(gpus_are_not_proven),
        G(a_guest_with_its_gpu_passes),
        G(gpus_are_judged),
        G(an_open_gpu_gets_no_key),
        T(no_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
