/* receipt.json of a session (core/bundle.h). */
#include "session_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/bundle.h"

void session_keep_ids(struct session *s) {
    if (!s->guest || !s->guest->talk || s->ids[TALK_OUT])
        return;
    for (enum talk_dir d = TALK_IN; d <= TALK_OUT; d++) {
        const uint8_t(*ids)[32] = talk_ids(s->guest->talk, d, &s->n_ids[d]);

        s->ids[d] = mem_new((size_t)s->n_ids[d] * sizeof *s->ids[d] + 1);
        if (s->n_ids[d])
            memcpy(s->ids[d], ids, (size_t)s->n_ids[d] * sizeof *ids);
    }
}

/* Borrowed. What the customer sent is what went in to the guest. */
static void fill_transcript(struct bundle *b, const struct session *s) {
    const bool live = s->guest && s->guest->talk && !s->ids[TALK_OUT];
    uint64_t n[2] = {s->n_ids[TALK_IN], s->n_ids[TALK_OUT]};
    const uint8_t(*ids[2])[32] = {(const uint8_t(*)[32])s->ids[TALK_IN],
                                  (const uint8_t(*)[32])s->ids[TALK_OUT]};

    for (enum talk_dir d = TALK_IN; live && d <= TALK_OUT; d++)
        ids[d] = talk_ids(s->guest->talk, d, &n[d]);
    b->has_transcript = live || s->ids[TALK_OUT];
    b->in = (uint8_t(*)[32])(uintptr_t)ids[TALK_OUT];
    b->out = (uint8_t(*)[32])(uintptr_t)ids[TALK_IN];
    b->n_in = (size_t)n[TALK_OUT];
    b->n_out = (size_t)n[TALK_IN];
}

void session_bundle(const struct session *s, struct buf *out) {
    struct rumor *part[COLLATERAL_PARTS];
    const struct buf *contents[] = {&s->release, &s->workload, &s->model};
    char *manifest[COUNT(contents)];
    struct bundle b = {.receipt = s->receipt,
                       .offer = s->offer_event,
                       .teardown = s->teardown,
                       .request = s->request,
                       .hello = s->guest ? s->guest->hello : NULL,
                       .accept = s->accept,
                       .collateral = part,
                       .n_collateral = collateral_set_list(&s->coll, part),
                       .gpu = s->guest && s->guest->gpu.n ? (char *)s->guest->gpu.p : NULL,
                       .manifest = manifest,
                       .endorsement = s->c.trust->event,
                       .n_endorsements = s->c.trust->pins.n_endorsements};

    for (size_t i = 0; i < COUNT(contents); i++)
        if (contents[i]->n)
            manifest[b.n_manifests++] = (char *)contents[i]->p;
    if (b.n_endorsements > BUNDLE_LIST_MAX)
        b.n_endorsements = BUNDLE_LIST_MAX;
    fill_transcript(&b, s);
    bundle_json(&b, out);
}

static void log_rumor(struct session *s, const struct rumor *r) {
    if (!s->c.keep_messages)
        return;
    rumor_json(r, &s->messages);
    buf_str(&s->messages, "\n");
}

void session_log_in(struct session *s, const struct talk_msg *m) {
    if (m->seq >= 0)
        log_rumor(s, m->rumor);
}

/* What is sent again is not said again. */
void session_log_out(struct session *s, const struct rumor *r) {
    const uint8_t *next = talk_sent_id(s->guest->talk, s->n_logged);

    if (!next || memcmp(next, r->f.id, 32) != 0)
        return;
    s->n_logged++;
    log_rumor(s, r);
}

int session_messages_save(const struct session *s, const char *path, struct err *e) {
    if (s->messages.full)
        return err_set(e, "too-large", "the messages are more than %zu bytes", MESSAGES_KEPT);
    return file_write(path, buf_view(&s->messages), 0600, false, e);
}

int session_bundle_save(const struct session *s, const char *path, struct err *e) {
    cleanup_buf struct buf json = {0};

    session_bundle(s, &json);
    return file_write(path, buf_view(&json), 0600, false, e);
}
