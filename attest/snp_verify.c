#include "snp_verify.h"

#include <string.h>

#include "snp_rules.h"

struct rule_row {
    enum check_id group; /* CK_SNP: directly below the group "snp" */
    enum check_id id;
    snp_rule *rule;
    bool always; /* runs even on a report that cannot be read */
};
/* In the order in which the tree shows them. Groups appear where their first rule stands. */
static const struct rule_row rules[] = {
    {CK_SNP, CK_SNP_STRUCTURE, rule_structure, true},
    {CK_SNP, CK_SNP_VERSION, rule_version, true},
    {CK_SNP, CK_SNP_PRODUCT, rule_product, false},
    {CK_SNP, CK_SNP_KEY_INFO, rule_key_info, false},
    {CK_SNP, CK_SNP_SIGNATURE, rule_signature, false},
    {CK_SNP_CHAIN, CK_SNP_CHAIN_ROOT, NULL, true},
    {CK_SNP_CHAIN, CK_SNP_CHAIN_INTERMEDIATE, NULL, true},
    {CK_SNP_CHAIN, CK_SNP_CHAIN_LEAF, NULL, true},
    {CK_SNP_CHAIN, CK_SNP_CHAIN_DATES, NULL, true},
    {CK_SNP_CHAIN, CK_SNP_CRL, NULL, true},
    {CK_SNP_VEK, CK_SNP_VEK_TCB, rule_vek_tcb, false},
    {CK_SNP_VEK, CK_SNP_VEK_HWID, rule_vek_hwid, false},
    {CK_SNP_TCB, CK_SNP_TCB_ORDER, rule_tcb_order, false},
    {CK_SNP_TCB, CK_SNP_TCB_FLOOR, rule_tcb_floor, false},
    {CK_SNP_TCB, CK_SNP_TCB_PROVISIONAL, rule_provisional, false},
    {CK_SNP_TCB, CK_SNP_MITIGATION, rule_mitigation, false},
    {CK_SNP_POLICY, CK_SNP_POLICY_RESERVED, rule_reserved, false},
    {CK_SNP_POLICY, CK_SNP_POLICY_DEBUG, rule_debug, false},
    {CK_SNP_POLICY, CK_SNP_POLICY_MIGRATE, rule_migrate, false},
    {CK_SNP_POLICY, CK_SNP_POLICY_SMT, rule_smt, false},
    {CK_SNP_POLICY, CK_SNP_POLICY_ABI, rule_abi, false},
    {CK_SNP_POLICY, CK_SNP_POLICY_EXPECTED, rule_guest_policy, false},
    {CK_SNP_PLATFORM, CK_SNP_PLATFORM_ALIAS, rule_alias, false},
    {CK_SNP_PLATFORM, CK_SNP_PLATFORM_REQUESTED, rule_requested, false},
    {CK_SNP_PLATFORM, CK_SNP_PLATFORM_CIPHERTEXT, rule_ciphertext, false},
    {CK_SNP_PLATFORM, CK_SNP_PLATFORM_UNKNOWN, rule_unknown, false},
    {CK_SNP_LAUNCH, CK_SNP_VMPL, rule_vmpl, false},
    {CK_SNP_LAUNCH, CK_SNP_MEASUREMENT, rule_measurement, false},
    {CK_SNP_LAUNCH, CK_SNP_ID_BLOCK, rule_id_block, false},
    {CK_SNP_LAUNCH, CK_SNP_HOST_DATA, rule_host_data, false},
    {CK_SNP_LAUNCH, CK_SNP_REPORT_DATA, rule_report_data, false},
};

static const struct finding *chain_finding(const struct chain *c, enum check_id id) {
    if (id == CK_SNP_CHAIN_ROOT)
        return &c->root;
    if (id == CK_SNP_CHAIN_INTERMEDIATE)
        return &c->intermediate;
    if (id == CK_SNP_CHAIN_LEAF)
        return &c->leaf;
    return id == CK_SNP_CHAIN_DATES ? &c->dates : &c->crl;
}

static void ctx_read(struct snp_ctx *x, const struct snp_input *in) {
    struct chain_input chain = {.c = in->collateral,
                                .policy = in->policy,
                                .now = in->now,
                                .sim_roots = in->sim_roots,
                                .n_sim_roots = in->n_sim_roots};

    *x = (struct snp_ctx){.in = in, .policy = in->policy};
    x->readable = snp_report_parse(in->report, &x->r) && snp_version_known(x->r.version);
    if (x->readable && x->r.version > 2)
        x->product = snp_product_of(x->r.cpu_family, x->r.cpu_model);
    x->vlek = (x->r.key_info >> 2 & 7) == SIGNING_VLEK;
    chain.product = x->product;
    chain.vlek = x->vlek;
    if (x->readable && (x->product || x->r.version == 2))
        chain_build(&x->chain, &chain);
    else
        chain_skip(&x->chain, "The report does not say which of AMD's chains to follow.");
    x->product = x->chain.product;
}

static void run_rule(const struct snp_ctx *x, const struct rule_row *row, struct finding *f) {
    *f = (struct finding){.outcome = OUT_BAD};
    if (!row->rule)
        *f = *chain_finding(&x->chain, row->id);
    else if (x->readable || row->always)
        row->rule(x, f);
    else
        finding_absent(f, "The report cannot be read.");
}

/* Returns whether the signature stands. */
static bool run_rules(struct verdict *v, const struct snp_ctx *x, struct node *snp) {
    struct node *group = snp;
    enum check_id open = CK_SNP;
    bool signature = false;

    for (size_t i = 0; i < COUNT(rules); i++) {
        struct finding f;

        if (rules[i].id == CK_SNP_POLICY_EXPECTED && !x->in->has_guest_policy)
            continue;
        if (rules[i].group != open) {
            open = rules[i].group;
            group = verdict_group(v, snp, open);
        }
        run_rule(x, &rules[i], &f);
        verdict_leaf(v, group, rules[i].id, &f);
        if (rules[i].id == CK_SNP_SIGNATURE)
            signature = f.outcome == OUT_GOOD;
    }
    return signature;
}

void snp_verify(struct verdict *v, const struct snp_input *in, struct snp_result *out) {
    struct snp_ctx x;

    ctx_read(&x, in);
    *out = (struct snp_result){.readable = x.readable, .report = x.r};
    out->group = verdict_group(v, verdict_root(v), CK_SNP);
    out->authentic = run_rules(v, &x, out->group) && x.chain.trusted;
    if (!out->authentic)
        verdict_distrust(out->group, DISTRUST);
    verdict_set_product(v, product_name(x.product), x.chain.simulated);
    if (out->authentic && !x.vlek && !all_zero(x.r.chip_id, 64))
        verdict_set_chip(v, view_of(x.r.chip_id, x.product == PRODUCT_TURIN ? 8 : 64));
    chain_free(&x.chain);
}
