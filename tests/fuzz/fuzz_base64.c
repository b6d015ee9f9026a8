/* base64 and hex: decoders accept exactly what the encoders write. */
#include "core/enc.h"
#include "tests/fuzz/fuzz.h"

static void try_decode(struct view v) {
    cleanup_buf struct buf std = {0}, url = {0}, again = {0}, again_url = {0};

    if (base64_decode(v, &std)) {
        base64_encode(buf_view(&std), &again);
        MUST(view_eq(buf_view(&again), v));
    } else
        MUST(std.n == 0);
    if (base64url_decode(v, &url)) {
        base64url_encode(buf_view(&url), &again_url);
        MUST(view_eq(buf_view(&again_url), v));
    } else
        MUST(url.n == 0);
}

static void try_encode(struct view v) {
    cleanup_buf struct buf text = {0}, back = {0};
    cleanup_free char *hex = hex_new(v);
    cleanup_free uint8_t *bytes = mem_new(v.n);

    base64_encode(v, &text);
    MUST(base64_decode(buf_view(&text), &back));
    MUST(view_eq(buf_view(&back), v));
    MUST(hex_decode_str(hex, bytes, v.n) && view_eq(view_of(bytes, v.n), v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_decode(view_of(data, size));
    try_encode(view_of(data, size));
    return 0;
}
