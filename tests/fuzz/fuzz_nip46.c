/* Addresses of remote signers, as they are pasted: what is read is written to the same. */
#include "core/nip46.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    cleanup_buf struct buf once = {0}, twice = {0};
    struct signer_url u, again;
    struct err e = {0};

    if (signer_url_parse(view_of(data, size), &u, &e)) {
        MUST(e.code[0] && e.text[0]);
        return 0;
    }
    MUST(u.n_relays >= 1 && u.n_relays <= NIP46_RELAYS);
    signer_url_write(&u, &once);
    MUST(signer_url_parse(buf_view(&once), &again, NULL) == 0);
    signer_url_write(&again, &twice);
    MUST(view_eq(buf_view(&once), buf_view(&twice)));
    return 0;
}
