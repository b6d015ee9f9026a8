/* A report read: all that it gives lies within the bytes, and is text where it is text. */
#include "attest/gpu_report.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void within(struct view all, struct view v) {
    MUST(!v.n || (v.p >= all.p && v.p + v.n <= all.p + all.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct view all = view_of(data, size);
    struct gpu_report r;
    struct err e = {0};
    unsigned n = 0;

    if (gpu_report_parse(all, &r, &e)) {
        MUST(e.code[0] && text_ascii_printable(view_str(e.text)));
        return 0;
    }
    for (size_t i = 0; i < COUNT(r.digest); i++) {
        within(all, r.digest[i]);
        n += r.digest[i].n > 0;
    }
    for (size_t i = 0; i < GF_COUNT; i++)
        within(all, r.field[i]);
    MUST(n == r.n_digests && !r.digest[0].p && r.trailing <= 3);
    MUST(r.signature.n == 96 && r.body.n + 96 + r.trailing == size);
    MUST(text_ascii_printable(view_str(r.driver)) && text_ascii_printable(view_str(r.vbios)));
    MUST(strlen(r.project) < GPU_TEXT && strlen(r.chip_info) < GPU_TEXT);
    return 0;
}
