/* Saved bundles for tests that compare what they show: made once (tests/fuzz/corpus/bundle), the
 * same for ever, judged as of their own day by somebody who pinned their manifests.
 *
 *   UPDATE_BUNDLES=1 build/unit/test_verify_bundle    makes them anew (then `make golden`) */
#ifndef CDVM_UNIT_SAVED_H
#define CDVM_UNIT_SAVED_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "attest/policy.h"
#include "core/bundle.h"
#include "core/hash.h"
#include "tui/verify_bundle.h"

#define SAVED_FIRST "tests/fuzz/corpus/bundle/first.json" /* all is well */
#define SAVED_SECOND                                                                               \
    "tests/fuzz/corpus/bundle/second.json" /* the same seller, later: another                      \
                                            * release; the receipt covers less */

struct saved_world {
    struct bundle bundle;
    uint8_t pin[BUNDLE_LIST_MAX][32], root[1][32];
    struct trust trust;
    struct policy policy;
    int64_t then;
};

/* The root is the one in its own collateral: whoever made the bundle made that as well. */
static inline void saved_trust(struct saved_world *w) {
    struct collateral c = {0};

    assert_int_equal(collateral_read(w->bundle.collateral, w->bundle.n_collateral, &c, NULL), 0);
    sha256(buf_view(&c.ark), w->root[0]);
    for (size_t i = 0; i < w->bundle.n_manifests; i++)
        sha256(view_str(w->bundle.manifest[i]), w->pin[i]);
    w->trust = (struct trust){.sim_root = w->root, .n_sim_roots = 1};
    w->trust.pins.digest = (const uint8_t(*)[32])w->pin;
    w->trust.pins.n_digests = w->bundle.n_manifests;
    collateral_free(&c);
}

static inline void saved_open(struct saved_world *w, const char *path) {
    cleanup_buf struct buf text = {0};
    struct err e = {0};

    memset(w, 0, sizeof *w);
    if (file_read(path, BUNDLE_MAX, &text, &e) || bundle_parse(buf_view(&text), &w->bundle, &e))
        fail_msg("%s", e.text);
    assert_true(bundle_then(&w->bundle, &w->then));
    policy_preset(&w->policy, POLICY_DEMO);
    saved_trust(w);
}

/* A folder with both, whose files always have the same dates; and a third that is no bundle.
 * One for each test program. Returns its path. */
static inline const char *saved_folder(void) {
    static const struct {
        const char *from, *to;
        int64_t when;
    } files[] = {{SAVED_FIRST, "7f21aa01bb02cc03.json", 1700000000},
                 {SAVED_SECOND, "90aa11bb22cc33dd.json", 1700086400},
                 {"tests/fuzz/corpus/bundle/empty", "broken.json", 1700172800}};
    static char dir[100];
    struct err e = {0};

    snprintf(dir, sizeof dir, "build/receipts-%s", program_invocation_short_name);
    mkdir("build", 0755);
    mkdir(dir, 0700);
    for (size_t i = 0; i < COUNT(files); i++) {
        cleanup_free char *path = mem_fmt("%s/%s", dir, files[i].to);
        cleanup_buf struct buf text = {0};
        struct timespec at[2] = {{.tv_sec = files[i].when}, {.tv_sec = files[i].when}};
        struct stat st, like;

        if (stat(path, &st) == 0 && stat(files[i].from, &like) == 0 && st.st_size == like.st_size &&
            st.st_mtime == files[i].when)
            continue;
        if (file_read(files[i].from, BUNDLE_MAX, &text, &e) ||
            file_write(path, buf_view(&text), 0600, true, &e))
            fail_msg("%s", e.text);
        assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
    }
    return dir;
}

/* Judges any of them by what the bundle itself brings: everything pinned. */
static inline struct verdict *saved_judge(void *arg, const struct bundle *b, int64_t at,
                                          struct err *e) {
    struct saved_world w = {.bundle = *b};

    (void)arg;
    if (!b->n_collateral) {
        err_set(e, "test", "no certificates in it");
        return NULL;
    }
    policy_preset(&w.policy, POLICY_DEMO);
    saved_trust(&w);
    return bundle_verify(b, &w.trust, &w.policy, at, NULL, e);
}

static inline void saved_close(struct saved_world *w) {
    bundle_free(&w->bundle);
}

static inline struct verdict *saved_verify(struct saved_world *w, int64_t at) {
    struct err e = {0};
    struct verdict *v = bundle_verify(&w->bundle, &w->trust, &w->policy, at, NULL, &e);

    if (!v)
        fail_msg("%s", e.text);
    return v;
}

#endif
