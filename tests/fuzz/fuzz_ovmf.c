/* Firmware files: the tables at the end are the input, in one or two pages. */
#include "attest/snp_measure.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *file, digest[48];
    const size_t n = size > 4096 ? 8192 : 4096;
    struct launch l = {.kernel_hashes = true, .vcpus = 2, .vcpu_signature = 1, .features = 1};
    struct ovmf o;
    struct err e = {0};

    if (size > n)
        return 0;
    file = mem_new(n);
    memcpy(file + n - size, data, size);
    l.ovmf = &o;
    if (ovmf_parse(view_of(file, n), &o, &e))
        MUST(!strcmp(e.code, "bad-firmware") && e.text[0]);
    else {
        MUST(o.n_sections >= 1 && o.n_sections <= OVMF_SECTIONS_MAX);
        if (launch_digest(&l, digest, &e))
            MUST(!strcmp(e.code, "bad-launch"));
    }
    free(file);
    return 0;
}
