#include "verify_bundle.h"

#include <stdlib.h>
#include <string.h>

#include "attest/snp_cert.h"
#include "core/hash.h"
#include "core/hello.h"
#include "core/msg.h"
#include "core/release.h"

/* The parts of a bundle, parsed. */
struct parts {
    struct job_request request;
    struct offer *offer;
    struct msg hello_msg, collateral_msg;
    struct hello hello;
    struct collateral collateral;
};

static void parts_free(struct parts *q) {
    offer_free(q->offer);
    msg_free(&q->hello_msg);
    msg_free(&q->collateral_msg);
    hello_free(&q->hello);
    collateral_free(&q->collateral);
}

static int hello_read(const struct bundle *b, struct parts *q, struct err *e) {
    if (msg_parse(b->hello, &q->hello_msg, e))
        return -1;
    if (strcmp(q->hello_msg.type, "hello") != 0)
        return err_set(e, "bad-bundle", "its hello is a message of another type");
    if (memcmp(q->hello_msg.job, q->request.id, 32) != 0)
        return err_set(e, "bad-bundle", "its hello belongs to another job");
    return hello_parse(q->hello_msg.o, &q->hello, e);
}

static int parts_read(const struct bundle *b, struct parts *q, struct err *e) {
    if (job_request_parse(b->request, -1, &q->request, e))
        return err_wrap(e, "request");
    q->offer = offer_parse(b->offer, e);
    if (!q->offer)
        return err_wrap(e, "offer");
    if (hello_read(b, q, e))
        return err_wrap(e, "hello");
    if (!b->collateral)
        return 0;
    if (msg_parse(b->collateral, &q->collateral_msg, e) ||
        collateral_parse(&q->collateral_msg, &q->collateral, e))
        return err_wrap(e, "collateral");
    return 0;
}

/* Manifests are told apart by what the offer names, never by their own word. */
static struct view manifest_of(const struct bundle *b, const uint8_t digest[static 32]) {
    for (size_t i = 0; i < b->n_manifests; i++) {
        struct view text = view_str(b->manifest[i]);
        uint8_t sha[32];

        sha256(text, sha);
        if (!memcmp(sha, digest, 32))
            return text;
    }
    return (struct view){0};
}

static struct view volume_of(const struct bundle *b, bool model, const char *volume) {
    for (size_t i = 0; i < b->n_manifests; i++) {
        struct view text = view_str(b->manifest[i]);
        struct manifest *m = manifest_parse(text, model, NULL);
        char named[VOLUME_TEXT] = "";

        if (m)
            volume_text(&m->volume, named);
        manifest_free(m);
        if (!strcmp(named, volume))
            return text;
    }
    return (struct view){0};
}

static struct view first_of(const struct buf *a, const struct buf *b) {
    return buf_view(a->n ? a : b);
}

/* The bundle's own certificates, then what came from elsewhere; lists count both. */
static struct snp_collateral collateral_of(const struct collateral *own,
                                           const struct collateral *more) {
    struct snp_collateral c = {.vek = first_of(&own->vek, &more->vek),
                               .ask = first_of(&own->ask, &more->ask),
                               .ark = first_of(&own->ark, &more->ark)};

    if (own->crl.n)
        c.crl[c.n_crl++] = buf_view(&own->crl);
    if (more->crl.n)
        c.crl[c.n_crl++] = buf_view(&more->crl);
    return c;
}

static struct verdict *verify(const struct bundle *b, const struct parts *q, const struct trust *t,
                              const struct policy *p, int64_t now, const struct collateral *more,
                              const struct event *const *endorsement, size_t n) {
    const struct job_record record = {.receipt = b->receipt,
                                      .teardown = b->teardown,
                                      .accept = b->accept,
                                      .has_transcript = b->has_transcript,
                                      .in = (const uint8_t(*)[32])b->in,
                                      .out = (const uint8_t(*)[32])b->out,
                                      .n_in = b->n_in,
                                      .n_out = b->n_out};
    struct evidence ev = {
        .report = buf_view(&q->hello.report), .has_echo = q->hello.has_echo, .record = &record};
    const struct snp_collateral c = collateral_of(&q->collateral, more);
    struct expect x = {.request = &q->request,
                       .offer = q->offer,
                       .release = manifest_of(b, q->offer->release),
                       .workload = volume_of(b, false, q->offer->workload),
                       .model = volume_of(b, true, q->offer->model),
                       .pins = t->pins,
                       .sim_roots = (const uint8_t(*)[32])t->sim_root,
                       .n_sim_roots = t->n_sim_roots};

    x.pins.endorsement = endorsement;
    x.pins.n_endorsements = n;
    ev.gpu = q->hello.gpu;
    ev.n_gpu = q->hello.n_gpu;
    ev.gpu_unreadable = q->hello.gpu_error.code[0] ? q->hello.gpu_error.text : NULL;
    memcpy(ev.guest, b->hello->f.pubkey, 32);
    memcpy(ev.hello, b->hello->f.id, 32);
    memcpy(ev.echo_customer, q->hello.echo_customer, 32);
    memcpy(ev.echo_nonce, q->hello.echo_nonce, 32);
    memcpy(ev.echo_job, q->hello.echo_job, 32);
    return evidence_verify(&ev, &c, &x, p, now);
}

struct verdict *bundle_verify(const struct bundle *b, const struct trust *t, const struct policy *p,
                              int64_t now, const struct collateral *more, struct err *e) {
    static const struct collateral none;
    const size_t n = b->n_endorsements + t->pins.n_endorsements;
    const struct event **all = mem_new(n * sizeof *all);
    struct parts q = {0};
    struct verdict *v = NULL;

    for (size_t i = 0; i < n; i++)
        all[i] =
            i < b->n_endorsements ? b->endorsement[i] : t->pins.endorsement[i - b->n_endorsements];
    if (!parts_read(b, &q, e))
        v = verify(b, &q, t, p, now, more ? more : &none, all, n);
    parts_free(&q);
    free(all);
    return v;
}

static int64_t newest_list(const struct bundle *b) {
    struct collateral c = {0};
    struct msg m = {0};
    int64_t when = 0;

    if (b->collateral && !msg_parse(b->collateral, &m, NULL) && !collateral_parse(&m, &c, NULL))
        when = crl_begins(buf_view(&c.crl));
    msg_free(&m);
    collateral_free(&c);
    return when;
}

bool bundle_then(const struct bundle *b, int64_t *then) {
    const int64_t list = newest_list(b);
    struct msg m = {0};
    struct accept a;
    bool ok = b->accept && !msg_parse(b->accept, &m, NULL) && !strcmp(m.type, "accept") &&
              !accept_parse(m.o, &a, NULL);

    msg_free(&m);
    if (ok)
        *then = a.now > list ? a.now : list;
    return ok;
}

int bundle_report(const struct bundle *b, struct buf *out, struct err *e) {
    struct hello h = {0};
    struct msg m;
    int rc;

    if (msg_parse(b->hello, &m, e))
        return err_wrap(e, "hello");
    rc = hello_parse(m.o, &h, e);
    buf_add(out, h.report.p, h.report.n);
    hello_free(&h);
    msg_free(&m);
    return rc ? err_wrap(e, "hello") : 0;
}
