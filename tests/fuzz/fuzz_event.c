/* Events and rumors: parsed fields serialise to something that parses to the same id. */
#include "core/event.h"
#include "tests/fuzz/fuzz.h"

static void try_event(struct view text) {
    struct err e = {0};
    struct raw_event *raw = raw_event_parse(text, &e), *again;
    cleanup_buf struct buf b = {0};
    struct event trusted;
    uint8_t id[32], id2[32];

    if (!raw) {
        MUST(e.code[0]);
        return;
    }
    trusted.f = raw->f; /* borrowed, for the serialiser only */
    event_json(&trusted, &b);
    again = raw_event_parse(buf_view(&b), &e);
    MUST(again);
    fields_id(&raw->f, id);
    fields_id(&again->f, id2);
    MUST(memcmp(id, id2, 32) == 0);
    raw_event_free(again);
    (void)fields_expired(&raw->f, 0);
    event_free(event_verify(raw, &e));
}

static void try_rumor(struct view text) {
    struct rumor *r = rumor_parse(text, NULL), *again;
    cleanup_buf struct buf b = {0};

    if (!r)
        return;
    rumor_json(r, &b);
    again = rumor_parse(buf_view(&b), NULL);
    MUST(again && memcmp(r->f.id, again->f.id, 32) == 0);
    rumor_free(r);
    rumor_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_event(view_of(data, size));
    try_rumor(view_of(data, size));
    return 0;
}
