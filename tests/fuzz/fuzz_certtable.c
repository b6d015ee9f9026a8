/* Certificate tables: every view handed out lies inside the table. */
#include "attest/snp_cert.h"
#include "tests/fuzz/fuzz.h"

static bool inside(struct view v, const uint8_t *data, size_t size) {
    return !v.n || (v.p >= data && v.n <= size && (size_t)(v.p - data) <= size - v.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cert_table t;
    struct err e = {0};
    int rc = cert_table_parse(view_of(data, size), &t, &e);

    MUST(inside(t.vcek, data, size) && inside(t.vlek, data, size) && inside(t.ask, data, size) &&
         inside(t.ark, data, size) && inside(t.crl, data, size));
    MUST(!rc || (!strcmp(e.code, "bad-cert-table") && !t.vcek.n && !t.ark.n));
    return 0;
}
