/* Receipts and teardowns, as if signed. */
#include "core/receipt.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view in = view_of(data, size);
    struct event ev = {0};
    struct receipt r;
    struct teardown t;
    struct err e = {0};

    if (!script_step(&in, &ev.f))
        return 0;
    if (receipt_parse(&ev, &r, &e) == 0)
        MUST(r.reason[0] && strlen(r.reason) < sizeof r.reason);
    else
        MUST(e.code[0]);
    (void)!teardown_parse(&ev, &t, NULL);
    fields_free(&ev.f);
    return 0;
}
