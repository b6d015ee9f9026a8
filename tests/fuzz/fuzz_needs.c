/* Answers of AMD's and NVIDIA's servers: the first byte says to which question. Nothing is ever
 * kept, for the fuzzer has none of their keys. */
#include "provider/needs.c"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

#define CACHE "/nonexistent/cdvm-fuzz"

static struct needs *questions(void) {
    struct needs *n = needs_new(CACHE, 1755777600);

    needs_add_chip(n, &(struct kds_key){.product = PRODUCT_GENOA, .chip_len = 64});
    add_rim(n, "NV_GPU_DRIVER_GH100_550.90.07", "GH100", "550.90.07");
    MUST(n->n == 4);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct needs *n;
    const char *file;
    struct err e;

    if (!n)
        n = questions();
    if (!size)
        return 0;
    file = needs_at(n, data[0] % needs_count(n))->file;
    MUST(needs_keep(n, file, view_of(data + 1, size - 1), &e) == -1);
    MUST(!strcmp(e.code, "bad-answer"));
    MUST(utf8_valid(view_str(e.text)));
    return 0;
}
