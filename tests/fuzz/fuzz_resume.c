/* What a crash left on disk, as somebody else may have written it: sealing needs the public half
 * alone. The last byte chooses: the input is a file's bytes; or a snapshot and its records in the
 * clear, as they come out of a file. */
#include "tui/resume.c"
#include "tui/session_resume.c"

#include "tests/fuzz/fuzz.h"

#define NOW INT64_C(1800000000)

static struct keypair *pair(void) {
    static const uint8_t sk[32] = {7};
    static struct keypair *k;

    if (!k)
        k = keypair_from(sk, NULL);
    return k;
}

static void try_file(struct view bytes) {
    cleanup_buf struct buf out = {0};
    struct err e = {0};

    if (file_parse(bytes, pair(), NOW, &out, &e))
        MUST(e.code[0] && e.text[0]);
}

static void try_text(struct view text) {
    struct err e = {0};
    struct saved *x = saved_parse(text, &e);

    if (!x) {
        MUST(e.code[0] && e.text[0]);
        return;
    }
    MUST(memcmp(x->q.customer, keypair_pub(x->u), 32) == 0);
    saved_free(x);
}

/* Sealed as it should be, so that the tag is no wall. */
static void try_sealed(struct view record) {
    struct resume_file f = {.fd = -1, .lock = -1};
    static const uint8_t sk[32] = {9};
    struct keypair *once = keypair_from(sk, NULL);
    cleanup_buf struct buf bytes = {0}, out = {0};

    MUST(file_key(once, keypair_pub(pair()), &f.key, NULL) == 0);
    head_make(&f, keypair_pub(once), NOW);
    buf_add(&bytes, f.head, HEAD);
    seal(&f, record, &bytes);
    MUST(file_parse(buf_view(&bytes), pair(), NOW, &out, NULL) == 0);
    MUST(out.n == record.n + 1);
    try_text(buf_view(&out));
    secret_free(f.key);
    keypair_free(once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct view v = view_of(data, size ? size - 1 : 0);

    switch (size ? data[size - 1] % 3 : 0) {
    case 0:
        try_file(v);
        return 0;
    case 1:
        try_text(v);
        return 0;
    default:
        try_sealed(v);
        return 0;
    }
}
