/* receipt.json from anybody: a bundle that parses is written to something that parses. */
#include "core/bundle.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bundle b, again;
    cleanup_buf struct buf json = {0};
    struct err e = {0};

    if (bundle_parse(view_of(data, size), &b, &e)) {
        MUST(e.code[0] && !b.request && !b.offer);
        return 0;
    }
    bundle_json(&b, &json);
    MUST(bundle_parse(buf_view(&json), &again, NULL) == 0);
    MUST(again.n_manifests == b.n_manifests && again.n_endorsements == b.n_endorsements);
    bundle_free(&again);
    bundle_free(&b);
    return 0;
}
