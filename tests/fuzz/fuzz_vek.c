/* Certificates, and the values of AMD's extensions by themselves: a changed DER seldom gets that
 * far. */
#include "attest/snp_vek.c"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void values(struct view v) {
    char text[64];
    uint8_t byte, hwid[64];

    if (der_byte(v, &byte))
        MUST(v.n == (byte < 0x80 ? 3u : 4u));
    if (der_text(v, text, sizeof text))
        MUST(text_ascii_printable(view_str(text)) && strlen(text) + 2 == v.n);
    if (hwid_bytes(v, 8, hwid))
        MUST(v.n == 8 || v.n == 10);
    if (hwid_bytes(v, 64, hwid))
        MUST(v.n == 64 || v.n == 66);
}

static void certificate(struct view der) {
    struct err e = {0};
    X509 *x = cert_parse(der, &e);

    if (!x)
        return;
    for (int i = 0; i < 4; i++) {
        const enum snp_product p = i & 1 ? PRODUCT_TURIN : PRODUCT_GENOA;
        struct vek k;

        if (!vek_parse(x, p, i & 2, &k, &e))
            MUST(k.hwid_len == (i & 2 ? 0u : i & 1 ? 8u : 64u));
    }
    (void)!cert_is_authority(x, true, &e);
    (void)!cert_signed_by(x, x, &e);
    (void)!cert_dates(x, "it", 1795305600, &e);
    X509_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    certificate(view_of(data, size));
    values(view_of(data, size));
    return 0;
}
