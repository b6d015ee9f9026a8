/* Five certificates, each behind its length (u16, big-endian): no chain of a fuzzer's stands, and
 * what is said about it is printable. */
#include "attest/gpu_chain.c"
#include "attest/gpu_fwid.h"
#include "core/reader.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void one(struct view der) {
    struct err e = {0};
    struct gpu_chain c = {0};
    uint8_t fwid[GPU_FWID];
    X509 *x = cert_parse(der, &e);

    if (!x)
        return;
    (void)!gpu_fwid_read(x, fwid, &e);
    for (int i = 0; i < GPU_CERTS; i++)
        c.x[i] = x;
    for (int i = 0; i < GPU_CERTS; i++)
        (void)!one_check(&c, i, 1795305600, &e);
    if (!names_check(&c, &e) && !id_read(&c, &e))
        MUST(gpu_chain_chip(&c, ""));
    X509_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reader r = reader_new(view_of(data, size));
    struct view cert[GPU_CERTS];
    struct gpu_chain c;
    struct err e = {0};
    size_t n = 0;

    while (r.left && n < GPU_CERTS) {
        cert[n] = reader_take(&r, reader_u16be(&r));
        one(cert[n++]);
    }
    MUST(gpu_chain_build(&c, cert, n, 1795305600, &e));
    MUST(e.code[0] && utf8_valid(view_str(e.text)));
    gpu_chain_free(&c);
    return 0;
}
