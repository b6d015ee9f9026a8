/* Job requests and feedback. A request that parses is made again with the same meaning. */
#include "core/dvm.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/script.h"

static void try_again(const struct job_request *q) {
    static const uint8_t sk[32] = {1};
    struct keypair *u = keypair_from(sk, NULL);
    struct job_request copy = *q, got;
    struct rumor *r = job_request_make(&copy, u, q->expires - 1, NULL);

    MUST(r && job_request_parse(r, q->expires - 1, &got, NULL) == 0);
    MUST(memcmp(got.nonce, q->nonce, 32) == 0 && memcmp(got.offer, q->offer, 32) == 0);
    MUST(got.n_relays == q->n_relays && got.n_params == q->n_params);
    MUST(memcmp(got.params, q->params, sizeof got.params) == 0);
    rumor_free(r);
    keypair_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t author[32] = {1};
    struct view in = view_of(data, size);
    struct rumor *r = script_rumor(&in, author);
    struct job_request q;
    struct job_feedback f;
    struct err e = {0};

    if (!r)
        return 0;
    if (job_request_parse(r, -1, &q, &e) == 0)
        try_again(&q);
    else
        MUST(e.code[0] && utf8_valid(view_str(e.text)));
    if (job_feedback_parse(r, &f, NULL) == 0)
        MUST(strlen(f.text) < sizeof f.text && utf8_valid(view_str(f.text)));
    rumor_free(r);
    return 0;
}
