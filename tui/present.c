#include "tui/present.h"

#include <string.h>

#include "core/enc.h"

static void take_words(const struct verdict *v, struct app_verdict *out) {
    const uint8_t *guest = verdict_guest(v);
    size_t n;

    *out = (struct app_verdict){.top = verdict_tree(v), .state = verdict_state(v)};
    out->simulated = verdict_simulated(v);
    out->allows = verdict_allows(v);
    out->has_guest = guest != NULL;
    if (guest)
        memcpy(out->guest, guest, 32);
    text_clip(out->policy, sizeof out->policy, verdict_policy(v));
    text_clip(out->product, sizeof out->product, verdict_product(v));
    out->as_of = verdict_as_of(v);
    n = verdict_open(v, out->open, APP_OPEN);
    out->n_open = n < APP_OPEN ? n : APP_OPEN;
}

void present_bundle(const struct bundle *b, const struct verdict *v, struct facts *facts,
                    struct app_verdict *out) {
    take_words(v, out);
    facts_of(b, v, facts);
    out->facts = facts;
    out->exhibit = exhibit_new(b);
}

/* The evidence is what would be saved: one way to it for what runs and for what was kept. */
void present_verdict(const struct session *s, const struct verdict *v, struct facts *facts,
                     struct app_verdict *out) {
    cleanup_buf struct buf json = {0};
    struct bundle b;

    session_bundle(s, &json);
    if (bundle_parse(buf_view(&json), &b, NULL) == 0)
        present_bundle(&b, v, facts, out);
    else
        take_words(v, out);
    bundle_free(&b);
}

/* --- for the history --- */

static const struct check *check_of(const struct check *top, const char *id) {
    const struct check *found = strcmp(top->id, id) == 0 ? top : NULL;

    for (size_t i = 0; !found && i < top->n_children; i++)
        found = check_of(top->child[i], id);
    return found;
}

/* The launch digest that the report names; "" when the tree has none in full. */
static void digest_of(const struct check *top, char out[static 97]) {
    const struct check *c = check_of(top, "snp.measurement");
    uint8_t bytes[48];

    out[0] = 0;
    if (c && hex_decode_str(c->got, bytes, sizeof bytes))
        memcpy(out, c->got, 97);
}

void present_proof(const struct check *top, enum check_state state, bool simulated,
                   struct proven_job *out) {
    static const enum proof_state OF[] = {[CHECK_PASS] = PROOF_PASS,
                                          [CHECK_WARN] = PROOF_WARN,
                                          [CHECK_NOT_CHECKED] = PROOF_NOT_CHECKED,
                                          [CHECK_FAIL] = PROOF_FAIL};

    out->proof.state = simulated && state != CHECK_FAIL ? PROOF_SIMULATED : OF[state];
    digest_of(top, out->digest);
}
