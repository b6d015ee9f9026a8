/* The rules over the fields of a report, one function each; snp_verify.c runs the table. */
#ifndef CDVM_SNP_RULES_H
#define CDVM_SNP_RULES_H

#include "finding.h"
#include "snp_verify.h"

struct snp_ctx {
    const struct snp_input *in;
    const struct policy *policy;
    bool readable; /* right size, a version that is known */
    struct snp_report r;
    enum snp_product product;
    bool vlek;
    struct chain chain;
};

/* f comes in as OUT_BAD: what a rule forgets to say is a failure. */
typedef void snp_rule(const struct snp_ctx *x, struct finding *f);

/* snp_rules.c: form, key, signature, certificate against report. */
snp_rule rule_structure, rule_version, rule_product, rule_key_info, rule_signature, rule_vek_tcb,
    rule_vek_hwid;
/* snp_rules_tcb.c: firmware levels. */
snp_rule rule_tcb_order, rule_tcb_floor, rule_provisional, rule_mitigation;
/* snp_rules_guest.c: policy, platform, launch. */
snp_rule rule_reserved, rule_debug, rule_migrate, rule_smt, rule_abi, rule_guest_policy, rule_alias,
    rule_requested, rule_ciphertext, rule_unknown, rule_vmpl, rule_measurement, rule_id_block,
    rule_host_data, rule_report_data;

/* The part that floors are for; version 2 names none, so the family's usual one is taken. */
void snp_part(const struct snp_ctx *x, uint8_t *family, uint8_t *model, uint8_t *stepping);

static inline bool all_zero(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

#endif
