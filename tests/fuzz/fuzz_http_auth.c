/* What HTTP headers and paths say to the blob store: lengths, ranges, paths, authorizations. */
#include "provider/relay_auth.h"
#include "tests/fuzz/fuzz.h"

#include "core/enc.h"

static void try_range(struct view v, uint64_t size) {
    uint64_t first = 0, count = 0;

    if (http_range_parse(v, size, &first, &count) == RANGE_PART)
        MUST(count > 0 && first < size && count <= size - first);
}

static void try_path(struct view v) {
    uint8_t sha[32];
    char hex[65];

    if (!http_blob_path(v, sha))
        return;
    hex_encode(view_of(sha, 32), hex);
    MUST(v.p[0] == '/' && memcmp(v.p + 1, hex, 64) == 0);
}

/* The header is tried as it is, and as the base64 of an event. */
static void try_auth(struct view v) {
    const struct http_auth_want want = {
        .verb = "upload", .hosts = (const char *[]){"127.0.0.1", "h", NULL}, .now = 1700000000};
    cleanup_buf struct buf header = {0};

    event_free(http_auth_parse(v, &want, NULL));
    buf_str(&header, "Nostr ");
    base64url_encode(v, &header);
    event_free(http_auth_parse(buf_view(&header), &want, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view v = view_of(data, size);
    uint64_t n;

    if (http_length_parse(v, &n))
        MUST(size <= 18 && n < UINT64_C(1000000000000000000));
    try_range(v, 0);
    try_range(v, 10);
    try_range(v, UINT64_MAX);
    try_path(v);
    try_auth(v);
    return 0;
}
