/* Opaque data by themselves: a changed report seldom keeps the lengths around them. */
#include "attest/gpu_report.c"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gpu_report r = {0};
    struct err e = {0};
    size_t n = 0;

    if (fields_parse(view_of(data, size), &r, &e) || meaning_read(&r, &e)) {
        MUST(e.code[0] && text_ascii_printable(view_str(e.text)));
        return 0;
    }
    for (size_t i = 0; i < GF_COUNT; i++)
        n += r.field[i].p ? 4 + r.field[i].n : 0;
    MUST(n + 4 * r.n_unknown <= size);
    MUST(r.opaque_version <= OPAQUE_VERSION_KNOWN);
    MUST(!r.field[GF_FWID].p || r.field[GF_FWID].n == GPU_DIGEST);
    return 0;
}
