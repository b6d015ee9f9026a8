/* Policy files: never the demo profile, and strict when anything is wrong. */
#include "attest/checks.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct policy p;
    struct err e = {0};
    int rc = policy_parse(&p, view_of(data, size), &e);

    MUST(p.profile != POLICY_DEMO && p.vmpl <= 3 && p.n_floors <= POLICY_FLOORS_MAX &&
         p.n_gpu_floors <= GPU_FLOORS_MAX);
    if (rc)
        MUST(p.profile == POLICY_STRICT && !p.allow_milan && !p.allow_v2 && !p.allow_vlek &&
             utf8_valid(view_str(e.text)));
    for (size_t i = 0; i < CK_COUNT; i++)
        MUST(!p.override[i] || !check_table[i].fixed);
    return 0;
}
