/* receipt.json from anybody: a bundle that parses is written to something that parses, and is never
 * allowed by somebody who trusts nobody. */
#include "core/bundle.h"
#include "tests/fuzz/fuzz.h"
#include "tui/verify_bundle.h"

#define NOW ((int64_t)1795305600)

static void judge(const struct bundle *b) {
    static const struct trust nobody;
    struct policy p;
    struct verdict *v;
    struct err e = {0};
    int64_t then;

    policy_preset(&p, POLICY_STRICT);
    (void)bundle_then(b, &then);
    v = bundle_verify(b, &nobody, &p, NOW, NULL, &e);
    MUST(v ? !verdict_allows(v) : e.code[0]);
    verdict_free(v);
}

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
    MUST(again.n_manifests == b.n_manifests && again.n_endorsements == b.n_endorsements &&
         again.n_in == b.n_in && again.n_out == b.n_out);
    judge(&b);
    bundle_free(&again);
    bundle_free(&b);
    return 0;
}
