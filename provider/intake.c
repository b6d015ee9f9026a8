/* What comes in: gift-wrapped requests become jobs or refusals; plain NIP-90 requests, which would
 * put the customer's data before everybody, are told where to go. */
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/introduction.h"
#include "core/log.h"
#include "provider_priv.h"

#define RATE_PER_S 5  /* requests that are answered, on average... */
#define RATE_BURST 60 /* ...and at once; what is over is dropped, for each costs an answer */
#define BACKDATED_S (2 * 24 * 3600 + 900) /* gift wraps are dated up to two days back */

int intake_open(struct provider *p, struct err *e) {
    char hex[65];
    int64_t now = unix_now();
    cleanup_free char *filters = NULL;

    hex_encode(view_of(keypair_pub(p->key), 32), hex);
    filters = mem_fmt("{\"kinds\":[%d,%d],\"#p\":[\"%s\"],\"since\":%lld},"
                      "{\"kinds\":[%d,%d],\"#p\":[\"%s\"],\"since\":%lld}",
                      KIND_WRAP, KIND_WRAP_EPHEMERAL, hex, (long long)now - BACKDATED_S,
                      KIND_JOB_CHAT, KIND_JOB_TOOL, hex, (long long)now);
    return pool_subscribe(p->pool, "requests", filters, e);
}

static bool has_token(struct provider *p) {
    int64_t now = loop_now();

    p->intake += (now - p->intake_at) * RATE_PER_S;
    p->intake_at = now;
    if (p->intake > RATE_BURST * 1000)
        p->intake = RATE_BURST * 1000;
    if (p->intake < 1000) {
        log_line(LOG_WARN, "intake", "too many requests: one was dropped");
        return false;
    }
    p->intake -= 1000;
    return true;
}

static void refuse_plain(struct provider *p, const struct event *ev) {
    static const char text[] =
        "This provider takes jobs only as private messages to a sealed guest. "
        "Use a client for confidential jobs (cdvm).";
    struct fields f = fields_new(KIND_FEEDBACK, unix_now(), view_str(text));
    char job[65], author[65];

    hex_encode(view_of(ev->f.id, 32), job);
    hex_encode(view_of(ev->f.pubkey, 32), author);
    fields_add(&f, "status", "error", "plain-job-refused");
    fields_add(&f, "e", job);
    fields_add(&f, "p", author);
    tell_public(p->tell, event_sign(&f, p->key));
    console_say(p->out, "refused a plain request (plain-job-refused)");
}

/* Relays outside the offer are not this provider's to connect to. */
static int check_relays(const struct provider *p, const struct job_request *q, struct err *e) {
    for (size_t i = 0; i < q->n_relays; i++) {
        cleanup_free char *want = relay_url_normal(q->relays[i]);
        bool ours = false;

        for (size_t k = 0; k < p->n_relays && want && !ours; k++) {
            cleanup_free char *have = relay_url_normal(p->relays[k]);

            ours = have && !strcmp(have, want);
        }
        if (!ours)
            return err_set(e, "bad-request", "the request names a relay that is not in the offer");
    }
    return 0;
}

/* Who asks, where the request proves it: shown, and kept nowhere. */
static int check_customer(struct provider *p, const struct rumor *r, const struct job_request *q,
                          struct err *e) {
    struct nip19 id = {.type = NIP19_NPUB};
    cleanup_buf struct buf npub = {0};
    char job[9];
    int known = introduction_of(q, r->f.created_at, id.id, e);

    if (known > 0 && nip19_encode(&id, &npub, NULL) == 0) {
        hex_encode(view_of(q->id, 4), job);
        console_notice(p->out, "%s  customer  %s", job, (const char *)npub.p);
    }
    return known < 0 ? -1 : 0;
}

static const struct image_offer *check(struct provider *p, const struct rumor *r,
                                       struct job_request *q, struct err *e) {
    if (job_request_parse(r, unix_now(), q, e) < 0)
        return NULL;
    if (memcmp(q->provider, keypair_pub(p->key), 32)) {
        err_set(e, "bad-request", "the request is for another provider");
        return NULL;
    }
    if (check_relays(p, q, e) || check_customer(p, r, q, e))
        return NULL;
    return storefront_find(p, q, e);
}

static void admit(struct provider *p, struct job *j) {
    bool room = job_has_room(j);

    if (!room && !gpu_pool_count(p->gpus).good)
        job_refuse(j, "no-gpu", "no GPU of this provider is fit for a guest now");
    else if (room && provider_slots_used(p) < p->conf->slots && !provider_queued(p))
        job_event(j, ON_SLOT);
    else if (provider_queued(p) < p->conf->queue)
        job_event(j, ON_WAIT);
    else
        job_refuse(j, room ? "no-capacity" : "gpu-busy",
                   room ? "all slots are taken and the queue is full"
                        : "all GPUs of this provider are in use and the queue is full");
}

/* Written down before anything is done for it, whatever then becomes of it: a replay finds it
 * there. What cannot even be read (and so names no id to keep) is answered only while it is fresh.
 */
static void take_request(struct provider *p, const struct rumor *r) {
    struct job_request q;
    const struct image_offer *sold;
    struct job *j;
    struct err e;
    int fresh;

    if (job_request_parse(r, -1, &q, &e) < 0) {
        if (r->f.created_at > unix_now() - 600)
            tell_error(p->tell, r->f.id, r->f.pubkey, e.code, e.text);
        return;
    }
    fresh = ledger_take(p->ledger, &q, unix_now(), &e);
    if (fresh <= 0) {
        if (fresh < 0)
            console_error(p->out, "%s", e.text);
        return;
    }
    sold = check(p, r, &q, &e);
    j = job_new(&p->env, r, &q, sold);
    provider_add(p, j);
    if (sold)
        admit(p, j);
    else
        job_refuse(j, e.code, e.text);
}

/* By its own customer only; after accept the customer tells the guest, and this is refused. */
static void take_cancel(struct provider *p, const struct rumor *r) {
    uint8_t id[32];

    if (job_cancel_parse(r, id, NULL))
        return;
    for (size_t i = 0; i < p->n_jobs; i++) {
        const struct job_request *q = job_asked(p->jobs[i]);

        if (!memcmp(q->id, id, 32) && !memcmp(q->customer, r->f.pubkey, 32)) {
            job_event(p->jobs[i], ON_CANCEL);
            return;
        }
    }
}

void intake_event(struct provider *p, const struct event *ev) {
    struct rumor *r;
    struct err e;

    if (p->stopping)
        return;
    if (ev->f.kind == KIND_JOB_CHAT || ev->f.kind == KIND_JOB_TOOL) {
        if (has_token(p))
            refuse_plain(p, ev);
        return;
    }
    r = wrap_open(ev, p->key, p->keys, &e);
    if (!r) {
        log_line(LOG_INFO, "intake", "a gift wrap was refused: %s", e.text);
        return;
    }
    if ((r->f.kind == KIND_JOB_CHAT || r->f.kind == KIND_JOB_TOOL) && has_token(p))
        take_request(p, r);
    else if (r->f.kind == KIND_DELETE)
        take_cancel(p, r);
    rumor_free(r);
}
