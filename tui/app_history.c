/* What is kept of a job after it: verdict, times, launch digest. Nothing of what was said. */
#include <string.h>

#include "tui/app.h"
#include "tui/present.h"

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
    present_proof(v->top, v->state, v->simulated, r);
    put(a, j);
}

void app_remember_end(struct app *a, struct app_job *j) {
    if (j->remembered.proof.when == 0)
        return; /* it never came to a verdict */
    j->remembered.seconds = (j->ended - j->began) / 1000;
    put(a, j);
}

int app_history_forget(struct app *a, const uint8_t provider[static 32], struct err *e) {
    return proven_forget(a->proven, provider, e) || known_forget_provider(a->known, provider, e)
               ? -1
               : 0;
}
