/* The checks over one SEV-SNP report: adds the group "snp" to a verdict. */
#ifndef CDVM_SNP_VERIFY_H
#define CDVM_SNP_VERIFY_H

#include "snp_chain.h"
#include "snp_measure.h"

struct snp_input {
    struct view report;
    const struct snp_collateral *collateral;
    const struct policy *policy;
    int64_t now;
    const uint8_t (*sim_roots)[32];
    size_t n_sim_roots;
    const uint8_t *report_data; /* 64 bytes, NULL: not known */
    const uint8_t *measurement; /* 48 bytes, NULL: not known */
    const char *no_measurement; /* why it is not known */
    const struct launch
        *launch;           /* what the digest was computed from, to explain a mismatch; or NULL */
    bool has_guest_policy; /* the release fixes POLICY */
    uint64_t guest_policy;
    const struct release_tcb *min_tcb; /* the release's own floors */
    size_t n_min_tcb;
    const struct tcb_floor *floor; /* of advisories */
    size_t n_floors;
};

#define DISTRUST "The report is not authentic, so what it says here proves nothing."

struct snp_result {
    struct node *group;
    bool authentic; /* chain and signature stand: the fields are the hardware's */
    bool readable;
    struct snp_report report; /* when readable */
};
void snp_verify(struct verdict *v, const struct snp_input *in, struct snp_result *out);

#endif
