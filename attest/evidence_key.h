/* The verdict of a model's owner over a guest that asks for the key (cdvm-protocol(7), "Sealed
 * models"): the same checks as a customer's over the report, its chain, the firmware and the launch
 * digest; bound to the owner's nonce instead of a customer's; and against one row of the owner's
 * own list instead of an offer.
 *
 * There is no field for simulators' roots: what they sign can only FAIL here. The verdict names no
 * guest and so allows nobody to send anything (verdict_allows): it is the owner's to act on
 * CHECK_PASS. */
#ifndef CDVM_EVIDENCE_KEY_H
#define CDVM_EVIDENCE_KEY_H

#include "evidence.h"

/* How a guest may have been started. Borrowed. */
struct key_launch {
    const struct release *release;
    const char *work, *model; /* "root:blocks" */
    const uint8_t *broker;    /* K, 32 bytes */
    const char *vcpu_type;
    uint32_t vcpus;
    uint64_t features;
};
/* Finds the machine that gives the launch digest `got`, among the release's vCPU types and features
 * and 1 to vcpus_max vCPUs, and fills the last three fields in. False when none does. */
bool key_launch_find(struct key_launch *l, uint32_t vcpus_max, const uint8_t got[static 48]);

struct expect_key {
    struct key_launch launch;
    struct view release;  /* its content: a revocation names its hash */
    const uint8_t *nonce; /* Nk, 32 bytes */
    /* N and job id, 32 bytes each, as the guest says them: its GPUs signed over them. That they did
     * so for Nk is what its own report covers. */
    const uint8_t *customer_nonce, *job;
    uint32_t gpu_count; /* that the row demands */
    const struct pins *pins;
};
/* ev->hello, echo and record are not used. gpu: as for evidence_verify. Never NULL. */
struct verdict *evidence_verify_key(const struct evidence *ev, const struct snp_collateral *c,
                                    const struct gpu_collateral *gpu, const struct expect_key *x,
                                    const struct policy *p, int64_t now);

#endif
