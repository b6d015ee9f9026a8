/* What is kept of a job after it: verdict, times, launch digest. Nothing of what was said. */
#include <string.h>

#include "core/enc.h"
#include "tui/app.h"

static enum proof_state proof_of(const struct app_verdict *v) {
    static const enum proof_state OF[] = {[CHECK_PASS] = PROOF_PASS,
                                          [CHECK_WARN] = PROOF_WARN,
                                          [CHECK_NOT_CHECKED] = PROOF_NOT_CHECKED,
                                          [CHECK_FAIL] = PROOF_FAIL};

    return v->simulated && v->state != CHECK_FAIL ? PROOF_SIMULATED : OF[v->state];
}

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

static void put(struct app *a, const struct app_job *j) {
    struct err e;

    if (proven_put(a->proven, &j->remembered, &e) != 0)
        app_say(a, ROLE_WARN, "%s", e.text);
    a->shelf_news = true;
}

void app_remember_verdict(struct app *a, struct app_job *j, const struct app_verdict *v) {
    struct proven_job *r = &j->remembered;

    memcpy(r->provider, j->provider, 32);
    text_clip(r->name, sizeof r->name, j->provider_name);
    if (r->proof.when == 0) {
        r->proof.when = a->unix_now;
        r->boot_ms = j->step[STEP_HELLO].seen - j->began;
        r->seconds = -1;
    }
    r->proof.state = proof_of(v);
    digest_of(v->top, r->digest);
    put(a, j);
}

void app_remember_end(struct app *a, struct app_job *j) {
    if (j->remembered.proof.when == 0)
        return; /* it never came to a verdict */
    j->remembered.seconds = (j->ended - j->began) / 1000;
    put(a, j);
}
