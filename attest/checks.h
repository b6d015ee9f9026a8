/* The table of checks: every id, what it means to each profile, and which attack it stops. It draws
 * the attestation screen, the JSON, --list-checks and cdvm-attestation(7). Ids are stable. */
#ifndef CDVM_CHECKS_H
#define CDVM_CHECKS_H

#include "policy.h"
#include "verdict.h"

enum check_id {
    CK_VERDICT,
    CK_SNP,
    CK_SNP_STRUCTURE,
    CK_SNP_VERSION,
    CK_SNP_PRODUCT,
    CK_SNP_KEY_INFO,
    CK_SNP_SIGNATURE,
    CK_SNP_CHAIN,
    CK_SNP_CHAIN_ROOT,
    CK_SNP_CHAIN_INTERMEDIATE,
    CK_SNP_CHAIN_LEAF,
    CK_SNP_CHAIN_DATES,
    CK_SNP_CRL,
    CK_SNP_VEK,
    CK_SNP_VEK_TCB,
    CK_SNP_VEK_HWID,
    CK_SNP_TCB,
    CK_SNP_TCB_ORDER,
    CK_SNP_TCB_FLOOR,
    CK_SNP_TCB_PROVISIONAL,
    CK_SNP_MITIGATION,
    CK_SNP_POLICY,
    CK_SNP_POLICY_RESERVED,
    CK_SNP_POLICY_DEBUG,
    CK_SNP_POLICY_MIGRATE,
    CK_SNP_POLICY_SMT,
    CK_SNP_POLICY_ABI,
    CK_SNP_POLICY_EXPECTED,
    CK_SNP_PLATFORM,
    CK_SNP_PLATFORM_ALIAS,
    CK_SNP_PLATFORM_REQUESTED,
    CK_SNP_PLATFORM_CIPHERTEXT,
    CK_SNP_PLATFORM_UNKNOWN,
    CK_SNP_LAUNCH,
    CK_SNP_VMPL,
    CK_SNP_MEASUREMENT,
    CK_SNP_ID_BLOCK,
    CK_SNP_HOST_DATA,
    CK_SNP_REPORT_DATA,
    CK_BIND,
    CK_BIND_GUEST_KEY,
    CK_BIND_NONCE,
    CK_BIND_CUSTOMER,
    CK_BIND_JOB,
    CK_BIND_GPU,
    CK_GPU,
    CK_GPU_COUNT,
    CK_GPU_STRUCTURE,
    CK_GPU_CHAIN,
    CK_GPU_REVOCATION,
    CK_GPU_SIGNATURE,
    CK_GPU_NONCE,
    CK_GPU_FWID,
    CK_GPU_FLOOR,
    CK_GPU_RIM_DRIVER,
    CK_GPU_RIM_VBIOS,
    CK_GPU_MEASUREMENTS,
    CK_GPU_MODE,
    CK_GPU_TOPOLOGY,
    CK_GPU_CC_STATE,
    CK_GPU_IN_GUEST,
    CK_REFERENCE,
    CK_OFFER_MATCH,
    CK_WORKLOAD_VOLUME,
    CK_MODEL_VOLUME,
    CK_RELEASE_ENDORSED,
    CK_WORKLOAD_ENDORSED,
    CK_MODEL_ENDORSED,
    CK_GUEST_ACPI,
    CK_GUEST_VOLUMES,
    CK_CHIP_ENDORSED,
    CK_ADVISORY_FRESH,
    CK_PROVIDER_SEEN,
    CK_RECEIPT,
    CK_RECEIPT_GUEST,
    CK_RECEIPT_JOB,
    CK_RECEIPT_COVERAGE,
    CK_RECEIPT_MODEL_KEY,
    CK_RECEIPT_TEARDOWN,
    CK_COUNT,
};

struct check_row {
    const char *id, *title;
    enum check_source source;
    enum requirement need[POLICY_PROFILES]; /* standard, strict, demo */
    bool fixed;                             /* no policy file may change its requirement */
    const char *stops; /* which attack it stops, or what it tells; one sentence */
};
extern const struct check_row check_table[CK_COUNT];

bool check_named(const char *id, enum check_id *out);
const char *requirement_name(enum requirement r); /* "note" "advise" "optional" "required" "must" */
/* What a check means to this policy: its own word, or its profile's. */
enum requirement check_need(const struct policy *p, enum check_id id);
/* Groups (their state comes from their children) have no requirement of their own. */
bool check_is_group(enum check_id id);

#endif
