/* OCSP answers and revocation lists: nobody's word is GOOD or REVOKED here, for the fuzzer has no
 * key of the authority, whose certificate is in the seed of gpu_chain. */
#include <stdio.h>

#include "attest/gpu_crl.h"
#include "attest/gpu_ocsp.h"
#include "attest/snp_cert.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

/* Certificates 0 and 1 of that chain. */
static X509 *x, *issuer;

static void load(void) {
    FILE *f = fopen("tests/fuzz/corpus/gpu_chain/ours", "rb");
    uint8_t all[8192];
    size_t n = f ? fread(all, 1, sizeof all, f) : 0, first, second;

    MUST(n > 4);
    fclose(f);
    first = (size_t)all[0] << 8 | all[1];
    second = (size_t)all[first + 2] << 8 | all[first + 3];
    x = cert_parse(view_of(all + 2, first), NULL);
    issuer = cert_parse(view_of(all + first + 4, second), NULL);
    MUST(x && issuer);
}

static void powerless(const struct gpu_said *s) {
    MUST(s->word == WORD_NONE || s->word == WORD_UNUSABLE);
    MUST(utf8_valid(view_str(s->text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct gpu_said s;

    if (!x)
        load();
    gpu_ocsp_check(view_of(data, size), x, issuer, 1795305600, &s);
    powerless(&s);
    gpu_crl_check(view_of(data, size), x, issuer, 1795305600, &s);
    powerless(&s);
    return 0;
}
