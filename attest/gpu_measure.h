/* What a report measured against NVIDIA's reference values. */
#ifndef CDVM_GPU_MEASURE_H
#define CDVM_GPU_MEASURE_H

#include "gpu_rim.h"

#define GPU_MISMATCHES 64

/* Indexes are the documents' own: i there is i + 1 in the report. */
struct gpu_measure {
    unsigned golden;               /* values that NVIDIA demands ... */
    unsigned matched;              /* ... of which so many are as they ought to be */
    unsigned skipped;              /* 1 where the video decoder is off and was not judged */
    unsigned n_wrong, n_missing;   /* other value; not in the report at all */
    uint8_t wrong[GPU_MISMATCHES]; /* the first of both kinds, in order */
    bool conflict;                 /* two documents claim one index: nothing is judged */
    uint8_t conflict_index;
};

/* Every value must be one of its alternatives. Indexes of the report without a reference value are
 * not judged: NVIDIA has no say on them. rim: authentic ones of this report's chip. */
void gpu_measure_compare(const struct gpu_report *r, const struct gpu_rim *const *rim, size_t n,
                         struct gpu_measure *out);
bool gpu_measure_good(const struct gpu_measure *m);
/* "7, 21 and 3 more" */
void gpu_measure_text(const struct gpu_measure *m, char *out, size_t n);

#endif
