/* ncryptsec: the text, and the bytes behind it (so that the checksum is no wall). The form alone is
 * parsed: what it asks of the machine is bounded before any of it is done. */
#include "core/nip19.h"
#include "core/nip49.h"
#include "tests/fuzz/fuzz.h"

static void try_text(struct view text) {
    struct err e = {0};
    struct nip49 n;

    if (nip49_parse(text, &n, &e)) {
        MUST(e.code[0]);
        return;
    }
    MUST(n.log_n >= 1 && n.log_n <= PASSPHRASE_LOG_N_MAX && n.past <= NIP49_UNTOLD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_buf struct buf text = {0};
    struct view v = view_of(data, size);

    try_text(v);
    if (bech32_encode("ncryptsec", v, &text, NULL) == 0)
        try_text(buf_view(&text));
    return 0;
}
