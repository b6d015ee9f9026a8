/* From a report's key up to a pinned root, each step a finding of its own. */
#ifndef CDVM_SNP_CHAIN_H
#define CDVM_SNP_CHAIN_H

#include "evidence.h"
#include "snp_cert.h"
#include "verdict_make.h"

struct chain_input {
    const struct snp_collateral *c;
    const struct policy *policy;
    enum snp_product
        product; /* UNKNOWN: a version 2 report; the issuer's name says it, the chain proves it */
    bool vlek;   /* which key the report says signed it */
    const uint8_t (*sim_roots)[32];
    size_t n_sim_roots;
    int64_t now;
};

struct chain {
    enum snp_product product;
    bool simulated;        /* the root is one of sim_roots */
    bool trusted;          /* root, intermediate and leaf are good */
    X509 *ark, *ask, *vek; /* NULL when absent or malformed */
    bool has_info;
    struct vek info;
    struct finding root, intermediate, leaf, dates, crl;
};
void chain_build(struct chain *c, const struct chain_input *in);
/* When the report does not say which chain to follow: every step is NOT CHECKED. */
void chain_skip(struct chain *c, const char *why);
void chain_free(struct chain *c);

#endif
