/* REPORT_DATA against this job: which of its parts does not fit, by name. */
#ifndef CDVM_BIND_H
#define CDVM_BIND_H

#include "evidence.h"
#include "finding.h"
#include "snp_verify.h"

struct bind_input {
    const struct evidence *ev;
    const struct job_request *request;
    struct view gpu_digest; /* E, as computed from the evidence at hand */
    bool gpu_offered;
    const struct err *gpu_error; /* E could not be computed; or NULL */
    const struct snp_result *snp;
};
/* Adds the group "bind". */
void bind_verify(struct verdict *v, const struct bind_input *in);
/* Its first leaf alone: who sealed the message against who is in the report. */
void bind_guest_key(struct verdict *v, struct node *g, const uint8_t guest[static 32],
                    const struct snp_result *snp);

#endif
