/* One disclosed message and its path: proved only when it hashes to the root. */
#include "core/disclosure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct receipt r = {.n_in = 3, .n_out = 1};
    struct disclosure d;
    struct err e = {0};

    memset(r.root_in, 0x33, 32); /* the root of nothing that anybody knows */
    memset(r.root_out, 0x44, 32);
    if (disclosure_parse(view_of(data, size), &d, &e)) {
        MUST(e.code[0] && !d.rumor);
        return 0;
    }
    MUST(d.n_path <= MERKLE_PATH_MAX);
    MUST(disclosure_check(&d, &r, d.rumor->f.pubkey, d.rumor->f.pubkey, &e) && e.code[0]);
    disclosure_free(&d);
    return 0;
}
