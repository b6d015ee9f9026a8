#include "ask_memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/conf.h"
#include "core/dvm.h"
#include "core/loop.h"
#include "known.h"
#include "present.h"
#include "proven.h"

struct ask_memory {
    struct proven *proven;
    struct known *known;
    int64_t began; /* loop_now() of the request */
    struct proven_job job;
    struct facts facts; /* of the newest verdict */
    bool has_facts;
};

struct ask_memory *ask_memory_new(unsigned days, struct err *note, struct err *e) {
    cleanup_free char *history = conf_path(CONF_STATE, "history", e);
    cleanup_free char *verdicts = history ? conf_path(CONF_STATE, "verdicts", e) : NULL;
    struct ask_memory *m;

    *note = (struct err){0};
    if (!verdicts)
        return NULL;
    m = mem_new(sizeof *m);
    m->began = loop_now();
    m->proven = proven_new(history, days, note);
    m->known = known_new(verdicts, unix_now(), days, note);
    return m;
}

void ask_memory_free(struct ask_memory *m) {
    if (!m)
        return;
    proven_free(m->proven);
    known_free(m->known);
    free(m);
}

static void take_facts(struct ask_memory *m, const struct session *s, const struct verdict *v) {
    cleanup_buf struct buf json = {0};
    struct bundle b;

    session_bundle(s, &json);
    m->has_facts = bundle_parse(buf_view(&json), &b, NULL) == 0;
    if (m->has_facts)
        facts_of(&b, v, &m->facts);
    bundle_free(&b);
}

static int on_verdict(struct ask_memory *m, const struct session *s, const struct verdict *v,
                      struct err *e) {
    const struct offer *o = session_offer(s);
    struct proven_job *j = &m->job;

    take_facts(m, s, v);
    if (j->proof.when == 0) {
        memcpy(j->provider, o->pubkey, 32);
        text_clip(j->name, sizeof j->name, o->provider_name);
        j->proof.when = unix_now();
        j->boot_ms = loop_now() - m->began;
        j->seconds = -1;
        j->msat = (int64_t)o->price_msat;
    }
    present_proof(verdict_tree(v), verdict_state(v), verdict_simulated(v), j);
    return proven_put(m->proven, j, e);
}

static int on_closed(struct ask_memory *m, struct err *e) {
    if (m->job.proof.when == 0)
        return 0; /* it never came to a verdict */
    m->job.seconds = (loop_now() - m->began) / 1000;
    return proven_put(m->proven, &m->job, e);
}

int ask_memory_event(struct ask_memory *m, const struct session *s, const struct session_event *ev,
                     struct err *e) {
    if (ev->type == SE_VERDICT)
        return on_verdict(m, s, ev->verdict, e);
    if (ev->type == SE_CLOSED)
        return on_closed(m, e);
    if (ev->type == SE_STATE && ev->state == SESSION_ACCEPTED && m->has_facts)
        return known_put(m->known, &m->facts, e);
    if (ev->type == SE_STATE && ev->state == SESSION_REQUESTED)
        m->began = loop_now();
    return 0;
}

int64_t ask_memory_accepted(const struct ask_memory *m, const struct check *c) {
    return m->has_facts ? known_accepted(m->known, &m->facts, c) : 0;
}
