/* The JOB frame of a hostile host: what is accepted has a customer, a nonce and relays as its rumor
 * says. */
#include "guest/request.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t zero[32];
    struct job_request q;
    struct err e = {0};
    int64_t time;

    if (request_parse(view_of(data, size), &q, &time, &e)) {
        MUST(e.code[0] && utf8_valid(view_str(e.text)));
        return 0;
    }
    MUST(memcmp(q.id, zero, 32) && q.n_relays >= 1 && q.n_relays <= JOB_RELAYS_MAX);
    MUST(q.kind == KIND_JOB_CHAT || q.kind == KIND_JOB_TOOL);
    return 0;
}
