/* Manifests: what is accepted is canonical, byte for byte. */
#include "core/release.h"
#include "tests/fuzz/fuzz.h"

static void release(struct view v) {
    cleanup_buf struct buf again = {0};
    struct err e = {0};
    struct release *r = release_parse(v, &e);

    if (!r) {
        MUST(e.code[0] && e.text[0]);
        return;
    }
    MUST(!release_json(r, &again, &e) && view_eq(v, buf_view(&again)));
    MUST(!cmdline_check(r->cmdline, &e));
    release_free(r);
}

static void manifest(struct view v, bool model) {
    cleanup_buf struct buf again = {0};
    struct err e = {0};
    struct manifest *m = manifest_parse(v, model, &e);

    if (!m)
        return;
    MUST(m->is_model == model && m->volume.blocks);
    MUST(!manifest_json(m, &again, &e) && view_eq(v, buf_view(&again)));
    manifest_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    release(view_of(data, size));
    manifest(view_of(data, size), false);
    manifest(view_of(data, size), true);
    return 0;
}
