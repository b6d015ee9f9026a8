#include "verify_bundle.h"

#include <stdlib.h>
#include <string.h>

#include "attest/carried.h"
#include "attest/snp_cert.h"
#include "core/hash.h"
#include "core/hello.h"
#include "core/release.h"

/* The parts of a bundle, parsed. */
struct parts {
    struct job_request request;
    struct offer *offer;
    struct hello hello;
    struct collateral collateral;
};

static void parts_free(struct parts *q) {
    offer_free(q->offer);
    hello_free(&q->hello);
    collateral_free(&q->collateral);
}

static int parts_read(const struct bundle *b, struct parts *q, struct err *e) {
    if (job_request_parse(b->request, -1, &q->request, e))
        return err_wrap(e, "request");
    q->offer = offer_parse(b->offer, e);
    if (!q->offer)
        return err_wrap(e, "offer");
    if (bundle_hello(b, q->request.id, &q->hello, e))
        return err_wrap(e, "hello");
    return collateral_read(b->collateral, b->n_collateral, &q->collateral, e);
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
    struct carried c = {0};
    struct expect x = {.request = &q->request,
                       .offer = q->offer,
                       .release = manifest_of(b, q->offer->release),
                       .workload = volume_of(b, false, q->offer->workload),
                       .model = volume_of(b, true, q->offer->model),
                       .pins = t->pins,
                       .sim_roots = (const uint8_t(*)[32])t->sim_root,
                       .n_sim_roots = t->n_sim_roots};

    carried_add(&c, &q->collateral); /* the bundle's own first */
    if (more)
        carried_add(&c, more);
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
    return evidence_verify(&ev, &c.snp, &c.gpu, &x, p, now);
}

struct verdict *bundle_verify(const struct bundle *b, const struct trust *t, const struct policy *p,
                              int64_t now, const struct collateral *more, struct err *e) {
    const size_t n = b->n_endorsements + t->pins.n_endorsements;
    const struct event **all = mem_new(n * sizeof *all);
    struct parts q = {0};
    struct verdict *v = NULL;

    for (size_t i = 0; i < n; i++)
        all[i] =
            i < b->n_endorsements ? b->endorsement[i] : t->pins.endorsement[i - b->n_endorsements];
    if (!parts_read(b, &q, e))
        v = verify(b, &q, t, p, now, more, all, n);
    parts_free(&q);
    free(all);
    return v;
}

static int64_t newest_list(const struct bundle *b) {
    struct collateral c;
    int64_t when = 0;

    if (!collateral_read(b->collateral, b->n_collateral, &c, NULL))
        when = crl_begins(buf_view(&c.crl));
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
    struct hello h;
    int rc = bundle_hello(b, NULL, &h, e);

    buf_add(out, h.report.p, h.report.n);
    hello_free(&h);
    return rc ? err_wrap(e, "hello") : 0;
}
