/* What somebody carried, as the verifier takes it: views, by whose it is. */
#ifndef CDVM_CARRIED_H
#define CDVM_CARRIED_H

#include "core/collateral.h"
#include "evidence.h"
#include "gpu_verify.h"

/* Borrowed from what was added. */
struct carried {
    struct snp_collateral snp;
    struct gpu_collateral gpu;
};
/* Adds to *to, which begins as {0}: a certificate counts where none stands yet, lists grow up to
 * what there is room for. */
void carried_add(struct carried *to, const struct collateral *c);

#endif
