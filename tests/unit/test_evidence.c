/* Whole bundles: a good one, and every way in which one thing about it is wrong. */
#define CDVM_TEST_ROOTS
#include "attest/roots.c"
#include "attest/evidence.c"
#include "attest/bind.c"
#include "attest/reference.c"
#include "attest/endorse.c"
#include "attest/advice.c"
#include "attest/record.c"
#include "attest/verdict.c"
#include "tests/unit/gpu_made.h"
#include "tests/unit/world.h"
#include "tests/unit/snp_vectors.h"

static struct world w;

static int setup(void **state) {
    (void)state;
    world_init(&w);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    world_free(&w);
    return 0;
}

static void show_open(const struct verdict *v) {
    const struct check *open[40];
    size_t n = verdict_open(v, open, COUNT(open));

    for (size_t i = 0; i < n && i < COUNT(open); i++)
        print_message("# %s %s: %s\n", check_state_name(open[i]->state), open[i]->id, open[i]->why);
}

/* The verdict's state, and the exact leaves that are in that state (for PASS: none). */
static void expect_verdict(enum check_state s, const char *ids) {
    struct verdict *v = world_verify(&w);
    cleanup_buf struct buf got = {0};

    buf_str(&got, "");
    if (s != CHECK_PASS)
        ids_in(verdict_tree(v), s, &got);
    if (verdict_state(v) != s || strcmp((const char *)got.p, ids) != 0) {
        show_open(v);
        fail_msg("%s '%s' instead of %s '%s'", check_state_name(verdict_state(v)), got.p,
                 check_state_name(s), ids);
    }
    assert_int_equal(verdict_allows(v), s == CHECK_PASS);
    verdict_free(v);
}

static void a_good_bundle_passes_and_is_simulated(void **state) {
    struct verdict *v;

    (void)state;
    expect_verdict(CHECK_PASS, "");
    v = world_verify(&w);
    assert_true(verdict_simulated(v));
    assert_string_equal(verdict_product(v), "Genoa");
    assert_string_equal(verdict_policy(v), "demo");
    assert_memory_equal(verdict_guest(v), w.ev.guest, 32);
    assert_memory_equal(verdict_job(v), w.request.id, 32);
    assert_memory_equal(verdict_hello(v), w.ev.hello, 32);
    assert_int_equal(verdict_chip(v).n, 64);
    assert_int_equal(verdict_find(v, "snp.crl")->state, CHECK_PASS);
    assert_null(verdict_find(v, "model.endorsed"));
    assert_int_equal(verdict_open(v, NULL, 0), 0);
    verdict_free(v);
}

static void a_simulator_is_refused_but_for_demo(void **state) {
    (void)state;
    policy_preset(&w.policy, POLICY_STANDARD);
    expect_verdict(CHECK_FAIL, "snp.chain.root");
    policy_preset(&w.policy, POLICY_STRICT);
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_state(v), CHECK_FAIL);
        assert_true(verdict_simulated(v));
        verdict_free(v);
    }
    policy_preset(&w.policy, POLICY_DEMO);
    w.x.n_sim_roots = 0;
    expect_verdict(CHECK_FAIL, "snp.chain.root snp.chain.intermediate snp.chain.leaf");
}

static void a_simulator_of_another_machine(void **state) {
    (void)state;
    w.sim_root[0] ^= 1;
    expect_verdict(CHECK_FAIL, "snp.chain.root snp.chain.intermediate snp.chain.leaf");
}

/* Each part of the binding, swapped where the guest got it: named one by one. */
static void swapped_parts_are_named(void **state) {
    uint8_t other[32];

    (void)state;
    memset(other, 0x99, 32);
    world_report(&w, other, w.request.nonce, w.request.id, 0x30000);
    expect_verdict(CHECK_FAIL, "snp.report_data bind.customer");
    world_report(&w, w.request.customer, other, w.request.id, 0x30000);
    expect_verdict(CHECK_FAIL, "snp.report_data bind.nonce");
    world_report(&w, w.request.customer, w.request.nonce, other, 0x30000);
    expect_verdict(CHECK_FAIL, "snp.report_data bind.job");
    world_report(&w, other, other, w.request.id, 0x30000);
    expect_verdict(CHECK_FAIL, "snp.report_data bind.customer bind.nonce");
    world_good_report(&w);
    w.ev.guest[0] ^= 1;
    expect_verdict(CHECK_FAIL, "snp.report_data bind.guest_key");
}

static void an_echo_that_lies_or_is_absent(void **state) {
    uint8_t other[32];

    (void)state;
    memset(other, 0x99, 32);
    w.ev.echo_nonce[0] ^= 1; /* the report is right all the same */
    expect_verdict(CHECK_PASS, "");
    world_report(&w, w.request.customer, other, w.request.id, 0x30000);
    memcpy(w.ev.echo_nonce, w.request.nonce, 32);
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_state(v), CHECK_FAIL);
        assert_int_equal(verdict_find(v, "snp.report_data")->state, CHECK_FAIL);
        assert_int_equal(verdict_find(v, "bind.guest_key")->state, CHECK_PASS);
        assert_int_not_equal(verdict_find(v, "bind.nonce")->state, CHECK_PASS);
        verdict_free(v);
    }
    w.ev.has_echo = false;
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_state(v), CHECK_FAIL);
        assert_int_not_equal(verdict_find(v, "bind.nonce")->state, CHECK_PASS);
        verdict_free(v);
    }
}

static void a_replayed_hello(void **state) {
    (void)state;
    memset(w.request.nonce, 0x11, 32); /* the customer's new request */
    memset(w.request.id, 0x12, 32);
    expect_verdict(CHECK_FAIL, "snp.report_data bind.nonce bind.job");
}

/* GPUs of our own: what is not there of them are NVIDIA's reference values. */
#define GPU_OPEN                                                                                   \
    "snp.mitigation gpu.revocation gpu.rim.driver gpu.rim.vbios gpu.measurements chip.endorsed "   \
    "advisory.fresh"

static struct made_gpu gpu[2];

static void gpus_make(void) {
    uint8_t nonce[32];

    binding_gpu_nonce(w.ev.guest, w.request.nonce, w.request.id, nonce);
    for (uint8_t i = 0; i < 2; i++) {
        made_init(&gpu[i], i);
        if (i)
            pki_join(&gpu[i].pki, &gpu[0].pki);
        pki_make(&gpu[i].pki);
        made_report(&gpu[i], nonce);
    }
    roots_test_nvidia(NVIDIA_DEVICES, gpu[0].pki.root);
}

static void gpus_free(void) {
    made_free(&gpu[0]);
    made_free(&gpu[1]);
    roots_test_nvidia(NVIDIA_DEVICES, NULL);
}

static void gpu_evidence_is_bound(void **state) {
    (void)state;
    gpus_make();
    w.ev.gpu = &gpu[0].ev;
    w.ev.n_gpu = 1;
    expect_verdict(CHECK_FAIL,
                   "snp.report_data bind.gpu gpu.count"); /* shown, not bound, not offered */
    w.offer.gpu_count = 1;
    world_good_report(&w);
    expect_verdict(CHECK_NOT_CHECKED, GPU_OPEN);
    w.ev.gpu = &gpu[1].ev; /* another machine's */
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_state(v), CHECK_FAIL);
        assert_int_equal(verdict_find(v, "bind.gpu")->state, CHECK_FAIL);
        assert_int_equal(verdict_find(v, "gpu.in-this-guest")->state, CHECK_NOT_CHECKED);
        assert_int_equal(verdict_find(v, "gpu.signature")->state, CHECK_PASS);
        assert_int_equal(verdict_find(v, "bind.guest_key")->state, CHECK_PASS);
        verdict_free(v);
    }
    w.ev.gpu = &gpu[0].ev;
    w.offer.gpu_count = 2;
    expect_verdict(CHECK_FAIL, "gpu.count");
    w.ev.n_gpu = 0;
    w.offer.gpu_count = 1;
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "gpu.count");
    gpus_free();
}

/* Good evidence over another nonce: a relayed or a replayed GPU, bound by a guest all the same. */
static void a_gpu_of_another_job(void **state) {
    uint8_t nonce[32];

    (void)state;
    gpus_make();
    binding_gpu_nonce(w.ev.guest, w.request.id, w.request.nonce, nonce);
    made_report(&gpu[0], nonce);
    w.ev.gpu = &gpu[0].ev;
    w.ev.n_gpu = w.offer.gpu_count = 1;
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "gpu.nonce");
    gpus_free();
}

static void a_gpu_with_devtools(void **state) {
    (void)state;
    gpus_make();
    gpu[0].ev.state[1] = 1;
    w.ev.gpu = &gpu[0].ev;
    w.ev.n_gpu = w.offer.gpu_count = 1;
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "gpu.cc_state");
    gpus_free();
}

static void gpu_evidence_that_cannot_be_read(void **state) {
    (void)state;
    w.ev.gpu_unreadable = "GPU 1: its 'evidence' is not base64";
    expect_verdict(CHECK_FAIL, "gpu.count");
    {
        struct verdict *v = world_verify(&w);

        assert_non_null(strstr(verdict_find(v, "gpu.count")->why, "not base64"));
        verdict_free(v);
    }
}

static void too_much_gpu_evidence(void **state) {
    static struct gpu_evidence many[GPUS_MAX + 1];

    (void)state;
    w.ev.gpu = many;
    w.ev.n_gpu = COUNT(many);
    expect_verdict(CHECK_FAIL, "bind.gpu gpu.count");
}

static void another_guest_policy(void **state) {
    (void)state;
    world_report(&w, w.request.customer, w.request.nonce, w.request.id, 0xb0000);
    expect_verdict(CHECK_FAIL, "snp.policy.debug snp.policy.expected");
    world_report(&w, w.request.customer, w.request.nonce, w.request.id, 0x20000);
    expect_verdict(CHECK_FAIL, "snp.policy.expected");
    world_report(&w, w.request.customer, w.request.nonce, w.request.id, 0x70000);
    expect_verdict(CHECK_FAIL, "snp.policy.migrate snp.policy.expected");
}

static void another_guest(void **state) {
    (void)state;
    w.measurement[7] ^= 1;
    world_report(&w, w.request.customer, w.request.nonce, w.request.id, 0x30000);
    expect_verdict(CHECK_FAIL, "snp.measurement");
    w.offer.vcpus = 2;
    world_good_report(&w);
    w.offer.vcpus = 1;
    {
        struct verdict *v = world_verify(&w);

        assert_non_null(strstr(verdict_find(v, "snp.measurement")->why, "2 vCPUs, not 1"));
        verdict_free(v);
    }
}

static void manifest_without_which_nothing_is_known(void **state) {
    (void)state;
    w.x.release = (struct view){0};
    expect_verdict(
        CHECK_NOT_CHECKED,
        "snp.mitigation snp.measurement offer.match workload.volume guest.acpi guest.volumes "
        "chip.endorsed advisory.fresh");
}

static void offers_that_do_not_match(void **state) {
    (void)state;
    w.request.offer[0] ^= 1; /* replaced after the request */
    expect_verdict(CHECK_FAIL, "offer.match");
    w.request.offer[0] ^= 1;
    w.request.provider[0] ^= 1;
    expect_verdict(CHECK_FAIL, "offer.match");
    w.request.provider[0] ^= 1;
    w.offer.release[0] ^= 1;
    expect_verdict(CHECK_FAIL, "offer.match");
    w.offer.release[0] ^= 1;
    snprintf(w.offer.vcpu_type, sizeof w.offer.vcpu_type, "EPYC-Rome");
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "offer.match");
    snprintf(w.offer.vcpu_type, sizeof w.offer.vcpu_type, "EPYC-v4");
    w.offer.guest_features = 0x21;
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "offer.match");
    w.offer.guest_features = 1;
    snprintf(w.offer.workload_name, sizeof w.offer.workload_name, "other");
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "offer.match");
    snprintf(w.offer.workload_name, sizeof w.offer.workload_name, "table");
    snprintf(w.offer.workload, sizeof w.offer.workload, "%s:13", ROOT_A);
    world_good_report(&w);
    expect_verdict(CHECK_FAIL, "offer.match");
    snprintf(w.offer.workload, sizeof w.offer.workload, "%s:12 rdinit=/x", ROOT_A);
    expect_verdict(CHECK_FAIL, "offer.match workload.volume");
}

/* The tree shows the sha256 root of a volume, whole. */
static void expect_root(const char *id, const char *root) {
    struct verdict *v = world_verify(&w);
    const struct check *c = verdict_find(v, id);

    assert_non_null(c);
    assert_int_equal(c->state, CHECK_PASS);
    assert_string_equal(c->got, root);
    verdict_free(v);
}

static void a_model_is_part_of_it(void **state) {
    (void)state;
    snprintf(w.offer.model, sizeof w.offer.model, "%s:12", ROOT_A);
    snprintf(w.offer.model_name, sizeof w.offer.model_name, "tiny");
    world_good_report(&w);
    world_point(&w);
    expect_verdict(CHECK_PASS, "");
    expect_root("model.volume", ROOT_A);
    expect_root("workload.volume", ROOT_A);
    snprintf(w.offer.model_name, sizeof w.offer.model_name, "huge");
    expect_verdict(CHECK_FAIL, "offer.match");
    snprintf(w.offer.model_name, sizeof w.offer.model_name, "tiny");
    w.x.pins.n_digests = 2;
    expect_verdict(CHECK_WARN, "model.endorsed");
    w.x.model = (struct view){0};
    expect_verdict(CHECK_WARN, "model.endorsed");
}

static void nothing_pinned_is_a_warning_to_confirm(void **state) {
    struct verdict *v;
    struct err e;

    (void)state;
    w.x.pins.n_digests = 0;
    expect_verdict(CHECK_WARN, "release.endorsed workload.endorsed");
    v = world_verify(&w);
    assert_int_equal(verdict_confirm(v, "snp.crl", false, &e), -1);
    assert_string_equal(e.code, "not-a-warning");
    assert_int_equal(verdict_confirm(v, "reference", false, &e), -1);
    assert_int_equal(verdict_confirm(v, "nothing", false, &e), -1);
    assert_int_equal(verdict_confirm(v, "release.endorsed", false, &e), 0);
    assert_false(verdict_allows(v));
    assert_int_equal(verdict_confirm(v, "workload.endorsed", true, &e), 0);
    assert_true(verdict_allows(v));
    assert_true(verdict_find(v, "workload.endorsed")->remembered);
    assert_int_equal(verdict_state(v), CHECK_WARN); /* confirming changes no state */
    assert_int_equal(verdict_exit_code(v), 2);
    verdict_free(v);
}

static struct event *endorse(const struct keypair *k, const char *type, const char *d,
                             struct view content, const char *seq, int64_t expires) {
    struct fields f = fields_new(KIND_ENDORSEMENT, WORLD_NOW, content);
    uint8_t sha[32];
    char hex[65], until[24];

    sha256(content, sha);
    hex_encode(view_of(sha, 32), hex);
    snprintf(until, sizeof until, "%lld", (long long)expires);
    fields_add(&f, "d", d);
    if (type)
        fields_add(&f, "type", type);
    fields_add(&f, "x", hex);
    fields_add(&f, "seq", seq);
    fields_add(&f, "expiration", until);
    return event_sign(&f, k);
}

/* k of n, each key once; expiry; revocation by any one; other type, name or content. */
static void endorsements(void **state) {
    struct keypair *k[3] = {keypair_new(), keypair_new(), keypair_new()};
    const int64_t later = WORLD_NOW + 1000;
    const struct event *list[10] = {0};
    uint8_t keys[3][32];
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        memcpy(keys[i], keypair_pub(k[i]), 32);
    memcpy(w.pin[0], w.pin[1], 32); /* the workload stays pinned, the release does not */
    w.x.pins.endorser = (const uint8_t(*)[32])keys;
    w.x.pins.n_endorsers = 2;
    w.x.pins.k = 2;
    w.x.pins.endorsement = list;
#define ADD(key, type, d, content, seq, until)                                                     \
    list[n++] = endorse(key, type, d, content, seq, until), w.x.pins.n_endorsements = n
    ADD(k[0], "guest", "cdvm-guest/0.1.0", w.x.release, "1", later);
    ADD(k[0], "guest", "cdvm-guest/0.1.0", w.x.release, "2", later);
    expect_verdict(CHECK_WARN, "release.endorsed");
    ADD(k[2], "guest", "cdvm-guest/0.1.0", w.x.release, "1", later); /* not a key that is pinned */
    expect_verdict(CHECK_WARN, "release.endorsed");
    ADD(k[1], "guest", "cdvm-guest/0.1.0", w.x.release, "1", WORLD_NOW - 10);
    expect_verdict(CHECK_WARN, "release.endorsed");
    ADD(k[1], "guest", "cdvm-guest/0.1.0", w.x.workload, "2", later);
    expect_verdict(CHECK_WARN, "release.endorsed");
    ADD(k[1], "guest", "cdvm-guest/0.1.0", w.x.release, "3", later);
    expect_verdict(CHECK_PASS, "");
    ADD(k[1], "workload", "cdvm-guest/0.1.0", view_str(""), "9", later);
    expect_verdict(CHECK_PASS, ""); /* of another type */
    ADD(k[0], NULL, "cdvm-guest/0.1.0", view_str(""), "9", later);
    expect_verdict(CHECK_FAIL, "release.endorsed"); /* without one it means them all */
    ADD(k[0], "guest", "cdvm-guest/0.1.0", w.x.release, "10", later);
    expect_verdict(CHECK_PASS, "");
    ADD(k[0], "guest", "cdvm-guest/0.1.0", view_str(""), "11", later);
    expect_verdict(CHECK_FAIL, "release.endorsed");
#undef ADD
    for (size_t i = 0; i < n; i++)
        event_free((struct event *)(uintptr_t)list[i]);
    for (int i = 0; i < 3; i++)
        keypair_free(k[i]);
}

static struct event *vouch(const struct keypair *k, const char *chip, const char *words,
                           const char *seq, int64_t expires) {
    struct fields f = fields_new(KIND_CHIP, WORLD_NOW, view_str(words));
    char until[24];

    snprintf(until, sizeof until, "%lld", (long long)expires);
    fields_add(&f, "d", chip);
    fields_add(&f, "seq", seq);
    if (expires)
        fields_add(&f, "expiration", until);
    return event_sign(&f, k);
}

static void chips_are_vouched_for(void **state) {
    struct keypair *k = keypair_new(), *stranger = keypair_new();
    const int64_t later = WORLD_NOW + 1000;
    const struct event *list[8] = {0};
    char chip[129], other[129];
    uint8_t keys[1][32];
    size_t n = 0;

    (void)state;
    memcpy(keys[0], keypair_pub(k), 32);
    hex_encode(view_of(w.report + 0x1a0, 64), chip);
    hex_encode(view_of(w.report + 0x1a0, 64), other);
    other[0] = other[0] == '0' ? '1' : '0';
    w.policy.override[CK_CHIP_ENDORSED] = REQ_MUST + 1;
    w.x.pins.endorser = (const uint8_t(*)[32])keys;
    w.x.pins.n_endorsers = 1;
    w.x.pins.endorsement = list;
#define ADD(key, id, words, seq, until)                                                            \
    list[n++] = vouch(key, id, words, seq, until), w.x.pins.n_endorsements = n
    expect_verdict(CHECK_FAIL, "chip.endorsed");
    ADD(stranger, chip, "rack 4", "1", later);
    ADD(k, other, "rack 4", "1", later);
    ADD(k, chip, "rack 4", "1", WORLD_NOW - 10);
    ADD(k, chip, "rack 4", "2", 0); /* without an end */
    expect_verdict(CHECK_FAIL, "chip.endorsed");
    ADD(k, chip, "rack 4", "3", later);
    expect_verdict(CHECK_PASS, "");
    ADD(k, chip, "", "4", later);
    w.policy.override[CK_CHIP_ENDORSED] = REQ_NOTE + 1;
    expect_verdict(CHECK_FAIL, "chip.endorsed"); /* withdrawn: under any policy */
#undef ADD
    for (size_t i = 0; i < n; i++)
        event_free((struct event *)(uintptr_t)list[i]);
    keypair_free(k);
    keypair_free(stranger);
}

static struct event *advise(const struct keypair *k, const char *d, const char *seq, int64_t at,
                            const char *content) {
    struct fields f = fields_new(KIND_ADVISORY, at, view_str(content));

    fields_add(&f, "d", d);
    fields_add(&f, "seq", seq);
    return event_sign(&f, k);
}

/* The leaf that says how much is known about new holes. */
static void expect_fresh(enum check_state s, const char *words) {
    struct verdict *v = world_verify(&w);
    const struct check *c = verdict_find(v, "advisory.fresh");

    if (c->state != s || !strstr(s == CHECK_PASS ? c->got : c->why, words))
        fail_msg("%s '%s' '%s', not %s '%s'", check_state_name(c->state), c->got, c->why,
                 check_state_name(s), words);
    verdict_free(v);
}

#define NO_FLOORS "{\"floors\":[],\"revoked\":[]}"
#define HIGH_FLOOR "{\"floors\":[\"19:10-1f snp=28\"]}"
#define LOW_FLOOR "{\"floors\":[\"19:10-1f snp=20\"]}"

struct advisors {
    struct keypair *k[2];
    uint8_t keys[2][32];
    const struct event *list[8];
    struct memory memory;
    size_t n;
};

static void advisors_up(struct advisors *a) {
    *a = (struct advisors){.k = {keypair_new(), keypair_new()}};
    memcpy(a->keys[0], keypair_pub(a->k[0]), 32);
    w.x.pins.endorser = (const uint8_t(*)[32])a->keys;
    w.x.pins.n_endorsers = 1;
    w.x.pins.endorsement = a->list;
    w.x.pins.memory = &a->memory;
}

static void advisors_say(struct advisors *a, const struct event *ev) {
    a->list[a->n++] = ev;
    w.x.pins.n_endorsements = a->n;
}

/* Everything said so far is forgotten but for what memory keeps. */
static void advisors_silent(struct advisors *a) {
    while (a->n)
        event_free((struct event *)(uintptr_t)a->list[--a->n]);
    w.x.pins.n_endorsements = 0;
}

static void advisors_down(struct advisors *a) {
    advisors_silent(a);
    memory_free(&a->memory);
    keypair_free(a->k[0]);
    keypair_free(a->k[1]);
}

static void advisories_age(void **state) {
    struct advisors a;

    (void)state;
    expect_fresh(CHECK_NOT_CHECKED, "pinned no key");
    advisors_up(&a);
    expect_fresh(CHECK_NOT_CHECKED, "No advisory by a key");
    advisors_say(&a, advise(a.k[1], "cdvm", "9", WORLD_NOW, NO_FLOORS)); /* a stranger's */
    expect_fresh(CHECK_NOT_CHECKED, "No advisory by a key");
    advisors_say(&a, advise(a.k[0], "cdvm", "1", WORLD_NOW - 31 * 86400, NO_FLOORS));
    expect_fresh(CHECK_NOT_CHECKED, "older than 30 days");
    advisors_say(&a, advise(a.k[0], "cdvm", "2", WORLD_NOW - 29 * 86400, NO_FLOORS));
    expect_fresh(CHECK_PASS, "1 in force");
    expect_verdict(CHECK_PASS, "");
    w.x.pins.asked = true;
    w.x.pins.n_answers = 1;
    expect_fresh(CHECK_NOT_CHECKED, "Fewer than two relays");
    w.x.pins.n_answers = 2;
    expect_fresh(CHECK_PASS, "1 in force");
    advisors_say(&a, advise(a.k[0], "cdvm", "3", WORLD_NOW + 3 * 86400, NO_FLOORS));
    expect_fresh(CHECK_NOT_CHECKED, "future");
    advisors_say(&a, advise(a.k[0], "cdvm", "4", WORLD_NOW, "{\"new\":[]}"));
    expect_fresh(CHECK_NOT_CHECKED, "does not understand");
    policy_preset(&w.policy, POLICY_DEMO);
    w.policy.override[CK_ADVISORY_FRESH] = REQ_REQUIRED + 1;
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_state(v), CHECK_NOT_CHECKED);
        verdict_free(v);
    }
    advisors_down(&a);
}

static void advisories_raise_floors(void **state) {
    struct advisors a;
    cleanup_buf struct buf lines = {0};

    (void)state;
    advisors_up(&a);
    advisors_say(&a, advise(a.k[1], "cdvm", "1", WORLD_NOW, HIGH_FLOOR)); /* a stranger's */
    expect_verdict(CHECK_PASS, "");
    advisors_say(&a, advise(a.k[0], "cdvm", "1", WORLD_NOW, LOW_FLOOR)); /* below the table's */
    expect_verdict(CHECK_PASS, "");
    advisors_say(&a, advise(a.k[0], "cdvm", "2", WORLD_NOW, HIGH_FLOOR));
    expect_verdict(CHECK_FAIL, "snp.tcb.floor");
    advice_learn(&w.x.pins, &a.memory, &lines);
    assert_int_equal(a.memory.n_floors, 2);

    /* Newer words that say less change nothing, and are shown. */
    advisors_say(&a, advise(a.k[0], "cdvm", "3", WORLD_NOW, NO_FLOORS));
    expect_verdict(CHECK_FAIL, "snp.tcb.floor");
    expect_fresh(CHECK_WARN, "takes back the floor 19:10-1f/0-f fmc=0 bl=0 tee=0 snp=28 ucode=0");
    advisors_say(&a, advise(a.k[0], "other-name", "1", WORLD_NOW, HIGH_FLOOR));
    expect_fresh(CHECK_PASS, "2 in force"); /* given again under another name: nothing is lowered */

    /* Held back altogether: memory keeps it. */
    advisors_silent(&a);
    expect_verdict(CHECK_FAIL, "snp.tcb.floor");
    w.x.pins.n_endorsers = 0; /* until the key is no longer pinned */
    expect_verdict(CHECK_PASS, "");
    advisors_down(&a);
}

/* The same of a GPU's driver and VBIOS: each part and chip by itself. */
static void advisories_lower_no_gpu_floor(void **state) {
    struct advisors a;
    cleanup_buf struct buf lines = {0};

    (void)state;
    advisors_up(&a);
    advisors_say(&a, advise(a.k[0], "cdvm", "1", WORLD_NOW,
                            "{\"driver\":[\"GH100 570.00\"],\"vbios\":[\"GH100 96.00.9F\"]}"));
    expect_fresh(CHECK_PASS, "1 in force");
    advice_learn(&w.x.pins, &a.memory, &lines);
    assert_int_equal(a.memory.n_gpu_floors, 2);
    advisors_say(&a, advise(a.k[0], "cdvm", "2", WORLD_NOW,
                            "{\"driver\":[\"GH100 580.65.06\"],\"vbios\":[\"GH100 96.00.9F\"]}"));
    expect_fresh(CHECK_PASS, "1 in force");
    advisors_say(&a, advise(a.k[0], "cdvm", "3", WORLD_NOW,
                            "{\"driver\":[\"GH100 560\"],\"vbios\":[\"GH100 96.00.A0\"]}"));
    expect_fresh(CHECK_WARN, "takes back the floor GH100 570.00 of the driver");
    advisors_say(
        &a, advise(a.k[0], "cdvm", "4", WORLD_NOW, "{\"driver\":[\"GB100 580\",\"GH100 570.0\"]}"));
    expect_fresh(CHECK_WARN, "takes back the floor GH100 96.00.9F of the VBIOS");
    advisors_say(&a, advise(a.k[0], "rest", "1", WORLD_NOW, "{\"vbios\":[\"GH100 96.00.9F\"]}"));
    expect_fresh(CHECK_PASS, "2 in force");
    advisors_down(&a);
}

static void older_advisories_are_not_taken(void **state) {
    struct advisors a;
    cleanup_buf struct buf lines = {0};
    char content[100];

    (void)state;
    advisors_up(&a);
    snprintf(content, sizeof content, "{\"revoked\":[\"%s\"]}", ROOT_A);
    advisors_say(&a, advise(a.k[0], "cdvm", "5", WORLD_NOW, content));
    advice_learn(&w.x.pins, &a.memory, &lines);
    assert_int_equal(memory_seq(&a.memory, KIND_ADVISORY, a.keys[0], "cdvm"), 5);
    expect_fresh(CHECK_PASS, "1 in force");
    advisors_silent(&a);
    advisors_say(&a, advise(a.k[0], "cdvm", "4", WORLD_NOW, HIGH_FLOOR));
    expect_fresh(CHECK_NOT_CHECKED, "older than one you have seen");
    expect_verdict(CHECK_PASS, ""); /* its floor does not count */
    advice_learn(&w.x.pins, &a.memory, &lines);
    assert_int_equal(a.memory.n_floors, 0);
    advisors_down(&a);
}

static void advisories_revoke(void **state) {
    struct advisors a;
    cleanup_buf struct buf lines = {0};
    char content[100], hex[65];

    (void)state;
    advisors_up(&a);
    hex_encode(view_of(w.pin[1], 32), hex); /* pinned by the user, all the same */
    snprintf(content, sizeof content, "{\"revoked\":[\"%s\"]}", hex);
    advisors_say(&a, advise(a.k[0], "cdvm", "1", WORLD_NOW, content));
    expect_verdict(CHECK_FAIL, "workload.endorsed");
    advice_learn(&w.x.pins, &a.memory, &lines);
    advisors_silent(&a);
    expect_verdict(CHECK_FAIL, "workload.endorsed");
    assert_non_null(strstr((char *)lines.p, "revoked "));
    advisors_down(&a);
}

/* A revocation that was seen once cannot be undone by showing the older endorsement alone. */
static void older_endorsements_are_not_taken(void **state) {
    struct advisors a;
    cleanup_buf struct buf lines = {0};

    (void)state;
    memcpy(w.pin[0], w.pin[1], 32);
    advisors_up(&a);
    advisors_say(&a,
                 endorse(a.k[0], "guest", "cdvm-guest/0.1.0", w.x.release, "1", WORLD_NOW + 1000));
    expect_verdict(CHECK_PASS, "");
    advisors_say(
        &a, endorse(a.k[0], "guest", "cdvm-guest/0.1.0", view_of("", 0), "2", WORLD_NOW + 1000));
    expect_verdict(CHECK_FAIL, "release.endorsed");
    advice_learn(&w.x.pins, &a.memory, &lines);
    event_free((struct event *)(uintptr_t)a.list[--a.n]); /* a relay holds the newer word back */
    w.x.pins.n_endorsements = a.n;
    expect_verdict(CHECK_FAIL, "release.endorsed");
    memcpy(w.pin[0], w.offer.release, 32); /* nor does a pin of one's own bring it back */
    advisors_silent(&a);
    expect_verdict(CHECK_FAIL, "release.endorsed");
    memcpy(w.pin[0], w.pin[1], 32);
    advisors_say(&a, endorse(a.k[0], "guest", "cdvm-guest/0.1.0", w.x.release, "4",
                             WORLD_NOW + 1000)); /* its own newer word does */
    expect_verdict(CHECK_PASS, "");
    advice_learn(&w.x.pins, &a.memory, &lines);
    advisors_silent(&a);
    advisors_say(&a, endorse(a.k[0], "guest", "cdvm-guest/0.1.0", w.x.release, "3",
                             WORLD_NOW + 1000)); /* older than what was seen */
    expect_verdict(CHECK_WARN, "release.endorsed");
    {
        struct verdict *v = world_verify(&w);

        assert_non_null(strstr(verdict_find(v, "release.endorsed")->why, "older word"));
        verdict_free(v);
    }
    advisors_down(&a);
}

static void advisories_that_are_none(void **state) {
    static const char *const rows[] = {"",
                                       "[]",
                                       "1",
                                       "{",
                                       "{\"floors\":1}",
                                       "{\"floors\":[1]}",
                                       "{\"floors\":[\"19\"]}",
                                       "{\"revoked\":[\"00\"]}",
                                       "{\"revoked\":[1]}",
                                       "{\"driver\":[1]}",
                                       "{\"vbios\":{}}",
                                       "{\"floor\":[]}",
                                       "{\"floors\":[],\"floors\":[]}"};
    struct keypair *k = keypair_new();
    struct advisory out;
    struct event *ev;
    struct err e;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ev = advise(k, "cdvm", "1", WORLD_NOW, rows[i]);
        if (!advisory_parse(ev, &out, &e))
            fail_msg("accepted: %s", rows[i]);
        event_free(ev);
    }
    ev = advise(k, "cdvm", "1", WORLD_NOW,
                "{\"driver\":[\"GH100 570.00\"],\"floors\":[\"1a:00-11/1-1 fmc=1 bl=2\"],"
                "\"revoked\":[\"" ROOT_A "\"],\"vbios\":[]}");
    assert_int_equal(advisory_parse(ev, &out, &e), 0);
    assert_int_equal(out.n_floors, 1);
    assert_int_equal(out.floor[0].step_hi, 1);
    assert_int_equal(out.n_revoked, 1);
    assert_int_equal(out.revoked[0][31], 0x0a);
    event_free(ev);
    keypair_free(k);
}

/* First the provider is new, then known; another chip or guest is shown. */
static void providers_are_recognised(void **state) {
    struct memory m = {0};
    cleanup_buf struct buf lines = {0};
    struct view value[SEEN_KINDS];
    uint8_t digest[3][32];
    struct verdict *v;

    (void)state;
    w.x.pins.memory = &m;
    v = world_verify(&w);
    assert_string_equal(verdict_find(v, "provider.seen")->got, "met for the first time");
    provider_values(&w.x, verdict_chip(v), digest, value);
    for (int i = 0; i < SEEN_KINDS; i++)
        if (value[i].n)
            assert_true(memory_add_seen(&m, w.offer.pubkey, (enum memory_what)i, value[i],
                                        WORLD_NOW, &lines));
    assert_int_equal(m.n_seen, 3); /* chip, release, workload; no model here */
    verdict_free(v);
    v = world_verify(&w);
    assert_string_equal(verdict_find(v, "provider.seen")->got, "as before");
    verdict_free(v);
    m.seen[0].value[0] ^= 1;
    m.seen[2].value[0] ^= 1;
    v = world_verify(&w);
    assert_int_equal(verdict_find(v, "provider.seen")->state, CHECK_PASS); /* demo: a note */
    assert_non_null(strstr(verdict_find(v, "provider.seen")->why, "first met it: chip, workload"));
    verdict_free(v);
    w.offer.pubkey[0] ^= 1; /* another provider */
    v = world_verify(&w);
    assert_string_equal(verdict_find(v, "provider.seen")->got, "met for the first time");
    verdict_free(v);
    memory_free(&m);
}

/* A release with other promises than the sample's. */
static void other_release(enum guest_acpi acpi, enum guest_volumes volumes,
                          struct release_tcb *floor) {
    struct release r = world_release();
    struct err e;

    r.acpi = acpi;
    if (acpi != ACPI_OFF)
        r.cmdline = "console=null cdvm.work=${work} cdvm.model=${model} cdvm.broker=${broker}";
    r.volumes = volumes;
    r.min_tcb = floor;
    r.n_min_tcb = floor ? 1 : 0;
    buf_reset(&w.release);
    assert_int_equal(release_json(&r, &w.release, &e), 0);
    sha256(buf_view(&w.release), w.pin[0]);
    memcpy(w.offer.release, w.pin[0], 32);
    world_good_report(&w);
    world_point(&w);
}

static void releases_that_promise_less(void **state) {
    struct release_tcb low = {0x19, 0x10, 0x1f, {10, 0, 0, 0, 0, 0, 0x1b, 0x54}};
    struct release_tcb high = {0x19, 0x10, 0x1f, {10, 0, 0, 0, 0, 0, 0x1c, 0x54}};
    struct release_tcb other = {0x19, 0xa0, 0xaf, {99, 0, 0, 0, 0, 0, 99, 99}};

    (void)state;
    other_release(ACPI_OPEN, VOLUMES_MEMORY, NULL);
    expect_verdict(CHECK_WARN, "guest.acpi");
    other_release(ACPI_SANDBOXED, VOLUMES_LAZY, NULL);
    expect_verdict(CHECK_WARN, "guest.volumes");
    other_release(ACPI_OFF, VOLUMES_MEMORY, &low);
    expect_verdict(CHECK_PASS, "");
    other_release(ACPI_OFF, VOLUMES_MEMORY, &other);
    expect_verdict(CHECK_PASS, "");
    other_release(ACPI_OFF, VOLUMES_MEMORY, &high);
    expect_verdict(CHECK_FAIL, "snp.tcb.floor");
}

/* A manifest that says of its own command line what is not so. */
static void a_release_that_lies_about_acpi(void **state) {
    static const char from[] = "\"acpi\":\"off\"", to[] = "\"acpi\":\"open\"";
    cleanup_free char *text = NULL;
    struct verdict *v;

    (void)state;
    other_release(ACPI_OFF, VOLUMES_MEMORY, NULL);
    text = mem_str(strstr((const char *)w.release.p, from) + strlen(from));
    buf_reset(&w.release);
    buf_fmt(&w.release, "{%s%s", to, text);
    sha256(buf_view(&w.release), w.pin[0]);
    memcpy(w.offer.release, w.pin[0], 32);
    world_point(&w);
    v = world_verify(&w);
    assert_int_equal(verdict_state(v), CHECK_FAIL);
    assert_non_null(strstr(verdict_find(v, "offer.match")->why, "its command line has acpi=off"));
    verdict_free(v);
}

static void absent_is_not_checked(void **state) {
    (void)state;
    w.c.vek = (struct view){0};
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_state(v), CHECK_NOT_CHECKED);
        assert_int_equal(verdict_find(v, "bind.nonce")->state, CHECK_NOT_CHECKED);
        assert_false(verdict_allows(v));
        verdict_free(v);
    }
    world_point(&w);
    w.ev.report = (struct view){0};
    expect_verdict(CHECK_FAIL, "snp.structure");
}

/* Optional NOT CHECKED is neutral, required one is not; must turns it into FAIL. */
static void requirements_decide(void **state) {
    struct err e;

    (void)state;
    w.c.n_crl = 0;
    expect_verdict(CHECK_PASS, "");
    w.policy.override[CK_SNP_CRL] = REQ_REQUIRED + 1;
    expect_verdict(CHECK_NOT_CHECKED, "snp.crl snp.mitigation chip.endorsed advisory.fresh");
    w.policy.override[CK_SNP_CRL] = 0;
    w.policy.override[CK_CHIP_ENDORSED] = REQ_MUST + 1;
    expect_verdict(CHECK_FAIL, "chip.endorsed");
    w.policy.override[CK_CHIP_ENDORSED] = REQ_REQUIRED + 1;
    expect_verdict(CHECK_NOT_CHECKED, "snp.crl snp.mitigation chip.endorsed advisory.fresh");
    policy_preset(&w.policy, POLICY_DEMO);
    w.policy.override[CK_SNP_POLICY_SMT] = REQ_ADVISE + 1;
    expect_verdict(CHECK_WARN, "snp.policy.smt");
    w.policy.override[CK_SNP_POLICY_SMT] = REQ_REQUIRED + 1;
    expect_verdict(CHECK_FAIL, "snp.policy.smt");
    policy_preset(&w.policy, POLICY_DEMO);
    w.policy.override[CK_SNP_SIGNATURE] = REQ_NOTE + 1; /* fixed: no effect */
    w.report[0x50] ^= 1;
    {
        struct verdict *v = world_verify(&w);

        assert_int_equal(verdict_find(v, "snp.signature")->state, CHECK_FAIL);
        verdict_free(v);
    }
    assert_int_equal(policy_parse(&w.policy, view_str("check = snp.signature note\n"), &e), -1);
}

static void expired_and_future_clocks(void **state) {
    struct verdict *v;

    (void)state;
    v = evidence_verify(&w.ev, &w.c, w.gpu, &w.x, &w.policy, WORLD_NOW + (int64_t)20 * 365 * 86400);
    assert_int_equal(verdict_find(v, "snp.chain.dates")->state, CHECK_FAIL);
    assert_int_equal(verdict_find(v, "snp.crl")->state, CHECK_NOT_CHECKED);
    verdict_free(v);
    v = evidence_verify(&w.ev, &w.c, w.gpu, &w.x, &w.policy, 0);
    assert_int_equal(verdict_find(v, "snp.chain.dates")->state, CHECK_FAIL);
    verdict_free(v);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_good_bundle_passes_and_is_simulated),
        T(a_simulator_is_refused_but_for_demo),
        T(a_simulator_of_another_machine),
        T(swapped_parts_are_named),
        T(an_echo_that_lies_or_is_absent),
        T(a_replayed_hello),
        T(gpu_evidence_is_bound),
        T(a_gpu_of_another_job),
        T(a_gpu_with_devtools),
        T(gpu_evidence_that_cannot_be_read),
        T(too_much_gpu_evidence),
        T(another_guest_policy),
        T(another_guest),
        T(manifest_without_which_nothing_is_known),
        T(offers_that_do_not_match),
        T(a_model_is_part_of_it),
        T(nothing_pinned_is_a_warning_to_confirm),
        T(endorsements),
        T(chips_are_vouched_for),
        T(advisories_age),
        T(advisories_raise_floors),
        T(advisories_lower_no_gpu_floor),
        T(older_advisories_are_not_taken),
        T(advisories_revoke),
        T(older_endorsements_are_not_taken),
        T(advisories_that_are_none),
        T(providers_are_recognised),
        T(releases_that_promise_less),
        T(a_release_that_lies_about_acpi),
        T(absent_is_not_checked),
        T(requirements_decide),
        T(expired_and_future_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
