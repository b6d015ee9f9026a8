#include "endorsing.h"

#include <stdlib.h>

#include "core/enc.h"
#include "core/kinds.h"

struct endorsed endorsed_release(const struct image *m) {
    const struct release *r = m->release;

    return (struct endorsed){.type = "guest",
                             .name = r->name,
                             .version = r->version,
                             .repo = r->repo,
                             .commit = r->commit,
                             .content = buf_view(&m->content),
                             .seq = r->seq};
}

struct endorsed endorsed_volume(const struct image_volume *v) {
    const struct manifest *m = v->manifest;

    return (struct endorsed){.type = v->is_model ? "model" : "workload",
                             .name = m->name,
                             .version = m->version,
                             .repo = m->repo,
                             .commit = m->commit,
                             .content = buf_view(&v->content),
                             .seq = m->seq};
}

static void add_number(struct fields *f, const char *tag, uint64_t n) {
    cleanup_free char *s = mem_fmt("%llu", (unsigned long long)n);

    fields_add(f, tag, s);
}

static struct fields about(const struct endorsed *what, struct view content, uint64_t seq,
                           int64_t now) {
    struct fields f = fields_new(KIND_ENDORSEMENT, now, content);
    cleanup_free char *d = mem_fmt("%s/%s", what->name, what->version);

    fields_add(&f, "d", d);
    fields_add(&f, "type", what->type);
    add_number(&f, "seq", seq);
    return f;
}

struct event *endorsement_make(const struct endorsed *what, uint64_t seq, int64_t now,
                               int64_t until, const struct keypair *k) {
    struct fields f = about(what, what->content, seq, now);
    uint8_t digest[32];
    char x[65];

    manifest_digest(what->content, digest);
    hex_encode(view_of(digest, 32), x);
    fields_add(&f, "x", x);
    add_number(&f, "expiration", (uint64_t)until);
    fields_add(&f, "r", what->repo, what->commit);
    return event_sign(&f, k);
}

struct event *endorsement_revoke(const struct endorsed *what, uint64_t seq, int64_t now,
                                 const struct keypair *k) {
    struct fields f = about(what, view_str(""), seq, now);

    return event_sign(&f, k);
}

struct event *chip_make(const char *chip, const char *operator_, uint64_t seq, int64_t now,
                        int64_t until, const struct keypair *k) {
    struct fields f = fields_new(KIND_CHIP, now, view_str(operator_ ? operator_ : ""));

    fields_add(&f, "d", chip);
    add_number(&f, "seq", seq);
    if (operator_)
        add_number(&f, "expiration", (uint64_t)until);
    return event_sign(&f, k);
}
