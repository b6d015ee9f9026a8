/* The inside of `cdvm verify`, shared by cli_verify*.c. */
#ifndef CDVM_CLI_VERIFY_H
#define CDVM_CLI_VERIFY_H

#include "attest/evidence.h"
#include "attest/gpu_verify.h"
#include "cli.h"
#include "trust.h"

struct verify_args {
    const char *report, *vek, *ask, *ark, *table, *nonce, *measurement, *policy, *vmpl, *at;
    const char *crl[GPU_CRLS], *bundle;
    const char *rim[GPU_RIMS], *ocsp[GPU_OCSPS];
    const char *diff, *message, *disclose;
    const char *gpu_report, *gpu_chain, *gpu_list, *gpu_nonce;
    size_t n_crl, n_rim, n_ocsp;
    bool allow_v2, allow_vlek, allow_milan, allow_no_fwid, json, list, help, fetch, evidence;
};

/* One sentence to standard error; returns code. */
int verify_failed(const struct err *e, int code);
/* With --fetch: what AMD's key server has for this report; else nothing. Never fails: what does not
 * come is said, and then missing. */
void verify_fetch(const struct verify_args *a, struct view report, struct collateral *out);
/* A saved bundle: verified, compared with another, or one message of it shown. Returns the exit
 * code. */
int verify_saved(const struct verify_args *a, const struct policy *p, const struct trust *t,
                 int64_t now);

#endif
