/* bech32 and NIP-19: what decodes, encodes to something that decodes to the same. */
#include "core/nip19.h"
#include "tests/fuzz/fuzz.h"

/* The input as it is, then as the bytes behind each known prefix, so that the checksum is no wall.
 */
static void try_text(struct view text) {
    cleanup_buf struct buf once = {0}, twice = {0};
    struct nip19 id, again;

    if (nip19_decode(text, &id, NULL) < 0)
        return;
    MUST(nip19_encode(&id, &once, NULL) == 0);
    MUST(nip19_decode(buf_view(&once), &again, NULL) == 0);
    MUST(nip19_encode(&again, &twice, NULL) == 0);
    MUST(view_eq(buf_view(&once), buf_view(&twice)));
    nip19_free(&id);
    nip19_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const hrp[] = {"npub", "nsec", "note", "nprofile", "nevent", "naddr"};
    struct view v = view_of(data, size);

    try_text(v);
    for (size_t i = 0; i < COUNT(hrp); i++) {
        cleanup_buf struct buf text = {0}, back = {0};
        char got[84];

        if (bech32_encode(hrp[i], v, &text, NULL) < 0)
            return 0;
        MUST(bech32_decode(buf_view(&text), got, &back, NULL) == 0);
        MUST(strcmp(got, hrp[i]) == 0 && view_eq(buf_view(&back), v));
        try_text(buf_view(&text));
    }
    return 0;
}
