#include "gpu_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evidence.h"
#include "gpu_rules.h"
#include "gpu_topology.h"

struct ctx {
    const struct gpu_input *in;
    struct gpu_device *d;
    size_t n; /* devices that are read: none when there are too many */
};
typedef void group_rule(const struct ctx *x, struct finding *f);

/* How bad an outcome is, against others of the same check. */
static int weight(enum outcome o) {
    static const int weights[] = {
        [OUT_GOOD] = 0, [OUT_AMBER] = 1, [OUT_ABSENT] = 2, [OUT_BAD] = 3, [OUT_FATAL] = 4};

    return weights[o];
}

/* Where there are several, the sentence says whose it is. */
static void name_device(const struct ctx *x, size_t i, struct finding *f) {
    char name[GPU_DEVICE_TEXT], why[sizeof f->why];

    if (x->n == 1 || !f->why[0])
        return;
    gpu_device_text(&x->d[i], name);
    snprintf(why, sizeof why, "%s", f->why);
    finding_why(f, "%zu of %zu, %s: %.340s", i + 1, x->n, name, why);
}

static void each_device(const struct ctx *x, gpu_rule *rule, struct finding *f) {
    *f = (struct finding){.outcome = OUT_GOOD};
    for (size_t i = 0; i < x->n; i++) {
        struct finding one = {.outcome = OUT_BAD};

        rule(x->in, &x->d[i], &one);
        name_device(x, i, &one);
        if (i == 0 || weight(one.outcome) > weight(f->outcome))
            *f = one;
    }
    if (f->outcome == OUT_GOOD && x->n > 1)
        finding_got(f, "all %zu", x->n);
    if (!x->n)
        finding_absent(f, "No evidence of a GPU is at hand.");
}

static size_t gpus_shown(const struct ctx *x) {
    size_t n = 0;

    for (size_t i = 0; i < x->n; i++)
        n += !gpu_device_is_switch(&x->d[i]);
    return x->n ? n : x->in->n;
}

/* The offer's word for the architecture is the seller's own: "hopper" is as good as "HOPPER". */
static const char *other_arch(const struct ctx *x) {
    for (size_t i = 0; i < x->n; i++)
        if (x->in->arch[0] && !gpu_device_is_switch(&x->d[i]) && x->in->gpu[i].ev.arch &&
            strcasecmp(x->in->arch, x->in->gpu[i].ev.arch) != 0)
            return x->in->gpu[i].ev.arch;
    return NULL;
}

/* One device stands for one: shown twice, it would fill the place of another. */
static bool shown_twice(const struct ctx *x) {
    for (size_t i = 0; i < x->n; i++)
        for (size_t k = 0; k < i; k++)
            if (x->d[i].chained && x->d[k].chained &&
                view_eq(x->d[i].chain.serial, x->d[k].chain.serial))
                return true;
    return false;
}

static void count_rule(const struct ctx *x, struct finding *f) {
    const size_t shown = gpus_shown(x);
    const char *other = x->in->in_guest ? other_arch(x) : NULL;

    finding_got(f, "%zu", shown);
    if (shown_twice(x)) {
        finding_why(f, "One GPU is shown twice.");
        return;
    }
    if (!x->in->in_guest) {
        finding_absent(f, "No offer says how many GPUs there ought to be.");
        return;
    }
    finding_expected(f, "%u", x->in->offered);
    if (x->in->unreadable)
        finding_why(f, "The evidence of the GPUs cannot be read: %s.", x->in->unreadable);
    else if (shown != x->in->offered)
        finding_why(f, "The guest shows evidence of %zu GPUs, %u are expected.", shown,
                    x->in->offered);
    else if (other)
        finding_why(f, "The guest shows a %s GPU, the offer names another kind.", other);
    else
        f->outcome = OUT_GOOD;
}

static void mode_rule(const struct ctx *x, struct finding *f) {
    gpu_mode_check(x->d, x->n, f);
}

static void topology_rule(const struct ctx *x, struct finding *f) {
    gpu_topology_check(x->d, x->n, f);
}

static void in_guest_rule(const struct ctx *x, struct finding *f) {
    finding_expected(f, "the GPU is in this guest");
    if (!x->in->in_guest)
        finding_absent(f, "A GPU's report does not say in which machine it sits.");
    else if (!x->in->bound || !x->in->guest_authentic)
        finding_absent(f, "The guest's own report does not cover this evidence.");
    else {
        finding_got(f, "said by the guest");
        finding_why(f, "The measured guest says that it took this evidence from its own GPU: no "
                       "hardware proves that.");
        f->outcome = OUT_GOOD;
    }
}

struct rule_row {
    enum check_id id;
    gpu_rule *each;
    group_rule *all; /* one of both */
};
/* In the order in which the tree shows them. */
static const struct rule_row rules[] = {
    {CK_GPU_COUNT, NULL, count_rule},
    {CK_GPU_STRUCTURE, gpu_rule_structure, NULL},
    {CK_GPU_CHAIN, gpu_rule_chain, NULL},
    {CK_GPU_REVOCATION, gpu_rule_revocation, NULL},
    {CK_GPU_SIGNATURE, gpu_rule_signature, NULL},
    {CK_GPU_NONCE, gpu_rule_nonce, NULL},
    {CK_GPU_FWID, gpu_rule_fwid, NULL},
    {CK_GPU_FLOOR, gpu_rule_floor, NULL},
    {CK_GPU_RIM_DRIVER, gpu_rule_rim_driver, NULL},
    {CK_GPU_RIM_VBIOS, gpu_rule_rim_vbios, NULL},
    {CK_GPU_MEASUREMENTS, gpu_rule_measurements, NULL},
    {CK_GPU_MODE, NULL, mode_rule},
    {CK_GPU_TOPOLOGY, NULL, topology_rule},
    {CK_GPU_CC_STATE, gpu_rule_cc_state, NULL},
    {CK_GPU_IN_GUEST, NULL, in_guest_rule},
};

static void run_rule(const struct ctx *x, const struct rule_row *row, struct finding *f) {
    *f = (struct finding){.outcome = OUT_BAD};
    if (row->each)
        each_device(x, row->each, f);
    else
        row->all(x, f);
}

static bool all_authentic(const struct ctx *x) {
    for (size_t i = 0; i < x->n; i++)
        if (!x->d[i].authentic)
            return false;
    return x->n > 0;
}

static size_t rims_read(const struct gpu_input *in, struct gpu_rim *rim[static GPU_RIMS]) {
    const size_t n = in->collateral ? in->collateral->n_rims : 0;

    for (size_t i = 0; i < n; i++)
        rim[i] = gpu_rim_read(in->collateral->rim[i], in->now);
    return n;
}

void gpu_verify(struct verdict *v, const struct gpu_input *in) {
    struct node *g = verdict_group(v, verdict_root(v), CK_GPU);
    struct ctx x = {.in = in, .n = in->n <= GPUS_MAX ? in->n : 0};
    struct gpu_rim *rim[GPU_RIMS];
    size_t n_rims;
    const bool nothing = in->in_guest && !in->n && !in->offered && !in->unreadable;

    x.d = mem_new((x.n + 1) * sizeof *x.d);
    n_rims = rims_read(in, rim);
    for (size_t i = 0; i < x.n; i++) {
        gpu_device_read(&x.d[i], &in->gpu[i], in->now);
        gpu_device_pick(&x.d[i], rim, n_rims);
    }
    for (size_t i = 0; i < COUNT(rules); i++) {
        struct finding f;

        if (nothing && rules[i].id != CK_GPU_COUNT)
            continue;
        run_rule(&x, &rules[i], &f);
        verdict_leaf(v, g, rules[i].id, &f);
    }
    if (!nothing && !all_authentic(&x))
        verdict_distrust(g, "The GPU's report is not authentic, so what it says proves nothing.");
    for (size_t i = 0; i < x.n; i++)
        gpu_device_free(&x.d[i]);
    while (n_rims)
        gpu_rim_free(rim[--n_rims]);
    free(x.d);
}

/* The guest answers for its GPUs with its own report: what it says of them counts as far as that.
 */
void gpu_verify_guest(struct verdict *v, const struct evidence *ev, const uint8_t nonce[static 32],
                      const uint8_t job[static 32], const struct gpu_input *rest) {
    const struct check *bound = verdict_find(v, check_table[CK_BIND_GPU].id);
    struct gpu_subject gpu[GPUS_MAX];
    struct gpu_input in = *rest;
    uint8_t asked[32];

    in.gpu = gpu;
    in.n = ev->n_gpu <= GPUS_MAX ? ev->n_gpu : 0;
    in.unreadable = in.n < ev->n_gpu ? "there are too many" : ev->gpu_unreadable;
    in.nonce = asked;
    in.in_guest = true;
    in.bound = bound && bound->state == CHECK_PASS;
    for (size_t i = 0; i < in.n; i++)
        gpu[i] = (struct gpu_subject){ev->gpu[i], GPU_CERTS, true};
    binding_gpu_nonce(ev->guest, nonce, job, asked);
    gpu_verify(v, &in);
}
