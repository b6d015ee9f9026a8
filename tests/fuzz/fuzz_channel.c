/* The port between host and guest: any bytes, in any pieces. What comes out was inside. */
#include "core/channel.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

static void try_payload(const struct chan_frame *f) {
    struct chan_auth auth;
    struct chan_blob blob;
    struct chan_blob_get get;
    enum chan_blob_status status;
    uint8_t sha[32];
    cleanup_buf struct buf again = {0};

    if (chan_auth_parse(f->payload, &auth, NULL) == 0)
        MUST(auth.body.n + 1 == f->payload.n);
    if (chan_blob_parse(f->payload, &blob, NULL) == 0) {
        MUST(blob.offset + blob.data.n <= blob.total && blob.data.n >= 1);
        MUST(chan_put_blob(&again, CHAN_BLOB_PUT, &blob, NULL) == 0);
        MUST(view_eq(view_of(again.p + 5, again.n - 5), f->payload));
    }
    if (chan_blob_get_parse(f->payload, &get, NULL) == 0)
        MUST(f->payload.n == 40);
    if (chan_blob_status_parse(f->payload, sha, &status, NULL) == 0)
        MUST(f->payload.n == 33 && status <= CHAN_BLOB_FAILED);
    (void)chan_challenge_ok(f->payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t step = size ? 1 + data[0] % 64 : 1, taken = 0;
    struct chan_in in;
    struct chan_frame f;
    struct err e = {0};
    int rc = 0;

    chan_in_init(&in);
    for (size_t at = 1; at < size && rc >= 0; at += step) {
        chan_feed(&in, view_of(data + at, at + step < size ? step : size - at));
        while ((rc = chan_next(&in, &f, &e)) > 0) {
            taken += f.payload.n + 5;
            MUST(taken < size);
            try_payload(&f);
        }
    }
    MUST(rc >= 0 || (e.code[0] && utf8_valid(view_str(e.text))));
    chan_in_free(&in);
    return 0;
}
