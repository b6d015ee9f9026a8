/* A report without certificates: never a pass, and nothing unprintable in what is said about it. */
#include "attest/evidence.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void walk(const struct check *c) {
    MUST(text_ascii_printable(view_str(c->expected)) && text_ascii_printable(view_str(c->got)) &&
         text_ascii_printable(view_str(c->why)));
    MUST(c->n_children || c->source != SOURCE_HARDWARE || c->state == CHECK_FAIL ||
         c->state == CHECK_NOT_CHECKED);
    for (size_t i = 0; i < c->n_children; i++)
        walk(c->child[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct snp_collateral none = {0};
    const struct expect_report x = {0};
    struct policy p;

    for (int profile = 0; profile < POLICY_PROFILES; profile++) {
        struct verdict *v;

        policy_preset(&p, (enum policy_profile)profile);
        p.allow_v2 = p.allow_milan = p.allow_vlek = true;
        v = evidence_verify_report(view_of(data, size), &none, &x, &p, 1795305600);
        MUST(verdict_state(v) == CHECK_FAIL || verdict_state(v) == CHECK_NOT_CHECKED);
        MUST(!verdict_allows(v) && !verdict_simulated(v));
        walk(verdict_tree(v));
        verdict_free(v);
    }
    return 0;
}
