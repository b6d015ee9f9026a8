/* The rules over one device, in the order of gpu_verify.c's table. Each is given a finding whose
 * outcome is OUT_BAD. */
#ifndef CDVM_GPU_RULES_H
#define CDVM_GPU_RULES_H

#include "finding.h"
#include "gpu_verify.h"

typedef void gpu_rule(const struct gpu_input *in, const struct gpu_device *d, struct finding *f);

gpu_rule gpu_rule_structure, gpu_rule_chain, gpu_rule_signature, gpu_rule_nonce, gpu_rule_fwid,
    gpu_rule_floor, gpu_rule_cc_state;
/* gpu_rules_nvidia.c */
gpu_rule gpu_rule_revocation, gpu_rule_rim_driver, gpu_rule_rim_vbios, gpu_rule_measurements;

#endif
