/* Reference values of a fuzzer's: none is authentic, what is said of them is printable, and nothing
 * of them is left to be compared with. */
#include "attest/gpu_measure.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gpu_rim *r = gpu_rim_read(view_of(data, size), 1751328000);

    MUST(!r->authentic && r->error.code[0] && utf8_valid(view_str(r->error.text)));
    MUST(!r->n_active && !r->cert[0]);
    gpu_rim_free(r);
    return 0;
}
