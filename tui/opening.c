#include "tui/opening.h"

#include <stdlib.h>
#include <string.h>

#include "core/loop.h"

struct opening *opening_new(void) {
    struct opening *o = mem_new(sizeof *o);

    o->u = keypair_new();
    random_bytes(o->nonce, sizeof o->nonce);
    return o;
}

void opening_free(struct opening *o) {
    if (!o)
        return;
    keypair_free(o->u);
    free(o);
}

/* As much of the request as an introduction is about. */
static struct job_request about(const struct opening *o, const struct offer *offer) {
    struct job_request q = {0};

    memcpy(q.customer, keypair_pub(o->u), 32);
    memcpy(q.provider, offer->pubkey, 32);
    memcpy(q.offer, offer->id, 32);
    memcpy(q.nonce, o->nonce, 32);
    return q;
}

struct fields opening_draft(const struct opening *o, const struct offer *offer, int64_t now) {
    struct job_request q = about(o, offer);

    return introduction_draft(&q, now);
}

int opening_introduce(struct opening *o, const struct offer *offer, const struct event *ev,
                      const uint8_t who[static 32], struct err *e) {
    struct job_request q = about(o, offer);
    uint8_t by[32];

    if (introduction_check(ev, &q, by, e) || memcmp(by, who, 32) != 0)
        return err_set(e, "bad-signer", "what was signed is not what was asked for");
    if (introduction_put(ev, &q, e))
        return -1;
    memcpy(o->introduction, q.introduction, sizeof o->introduction);
    return 0;
}

int opening_by(const struct identities *l, const struct offer *offer, struct opening **out,
               struct err *e) {
    const struct identity *who = l ? identities_chosen(l) : NULL;
    struct fields draft;
    struct event *ev;
    int rc;

    *out = NULL;
    if (!who)
        return 0;
    *out = opening_new();
    draft = opening_draft(*out, offer, unix_now());
    ev = event_sign(&draft, identities_key(l));
    rc = opening_introduce(*out, offer, ev, who->pub, e);
    event_free(ev);
    if (rc == 0)
        return 0;
    opening_free(*out);
    *out = NULL;
    return -1;
}
