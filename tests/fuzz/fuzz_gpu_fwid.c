/* The two forms of a firmware id: one of them at most, and its digest is among the bytes. */
#include "attest/gpu_fwid.c"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t a[GPU_FWID], b[GPU_FWID];
    const struct view v = view_of(data, size);
    const bool composite = gpu_fwid_composite(v, a), tcb_info = gpu_fwid_tcb_info(v, b);

    MUST(!composite || !tcb_info);
    if (composite || tcb_info)
        MUST(memmem(data, size, composite ? a : b, GPU_FWID));
    return 0;
}
