/* A whole finished job over world.h: the bundle that a customer keeps, and the messages. */
#ifndef CDVM_UNIT_FINISHED_H
#define CDVM_UNIT_FINISHED_H

#include "core/bundle.h"
#include "core/hello.h"
#include "core/receipt.h"
#include "tests/unit/world.h"

#define FINISHED_IN 3
#define FINISHED_OUT 2

struct finished {
    struct world w;
    struct keypair *customer, *provider, *guest;
    struct bundle b;
    struct rumor *in[FINISHED_IN], *out[FINISHED_OUT];
    struct collateral nvidia; /* only its files; what a tweak of the world cannot hold */
};

/* A real offer event and request rumor, so that ids are what the parsers recompute. */
static inline struct event *finished_offer(struct finished *f) {
    struct offer *o = &f->w.offer, *parsed;
    struct event *ev;

    snprintf(o->d, sizeof o->d, "table");
    snprintf(o->name, sizeof o->name, "table");
    snprintf(o->provider_name, sizeof o->provider_name, "tabula");
    snprintf(o->privacy, sizeof o->privacy, "sim");
    snprintf(o->price_unit, sizeof o->price_unit, "job");
    snprintf(o->relays[0], sizeof o->relays[0], "wss://relay.example");
    o->n_relays = 1;
    o->job_kind = KIND_JOB_TOOL;
    o->memory_mib = 512;
    ev = offer_make(o, f->provider, WORLD_NOW);
    parsed = offer_parse(ev, NULL);
    world_must(parsed);
    memcpy(o->id, parsed->id, 32);
    offer_free(parsed);
    return ev;
}

static inline struct rumor *finished_request(struct finished *f) {
    struct job_request *q = &f->w.request;
    struct rumor *r;

    memcpy(q->offer, f->w.offer.id, 32);
    memcpy(q->provider, keypair_pub(f->provider), 32);
    q->kind = KIND_JOB_TOOL;
    q->expires = WORLD_NOW + 600;
    snprintf(q->relays[0], sizeof q->relays[0], "wss://relay.example");
    q->n_relays = 1;
    r = job_request_make(q, f->customer, WORLD_NOW, NULL);
    world_must(r);
    return r;
}

static inline struct rumor *finished_hello(struct finished *f) {
    const struct msg_head head = {"hello", f->w.request.id, 0, 0};
    cleanup_buf struct buf body = {0}, gpu = {0};
    struct jw w = jw_new(&gpu);
    struct hello h = {0};
    struct rumor *r;

    buf_add(&h.report, f->w.report, sizeof f->w.report);
    memcpy(h.echo_customer, f->w.ev.echo_customer, 32);
    memcpy(h.echo_nonce, f->w.ev.echo_nonce, 32);
    memcpy(h.echo_job, f->w.ev.echo_job, 32);
    if (f->w.ev.n_gpu)
        gpu_list_write(f->w.ev.gpu, f->w.ev.n_gpu, f->w.request.nonce, &w);
    h.gpu_json = buf_view(&gpu);
    hello_body(&h, &body);
    r = msg_build(&head, buf_view(&body), keypair_pub(f->guest), keypair_pub(f->customer),
                  WORLD_NOW, NULL);
    world_must(r);
    hello_free(&h);
    return r;
}

/* Anew, of what the world has now. */
static inline void finished_collateral(struct finished *f) {
    struct collateral c = f->nvidia;
    struct bundle *b = &f->b;

    buf_add(&c.vek, f->w.c.vek.p, f->w.c.vek.n);
    buf_add(&c.ask, f->w.c.ask.p, f->w.c.ask.n);
    buf_add(&c.ark, f->w.c.ark.p, f->w.c.ark.n);
    buf_add(&c.crl, f->w.crl.p, f->w.crl.n);
    if (!b->collateral)
        b->collateral = mem_new(COLLATERAL_PARTS * sizeof(struct rumor *));
    while (b->n_collateral)
        rumor_free(b->collateral[--b->n_collateral]);
    world_must(!collateral_make(&c, f->w.request.id, f->provider, keypair_pub(f->customer),
                                WORLD_NOW, b->collateral, &b->n_collateral, NULL));
    c.n_files = 0; /* still f's */
    collateral_free(&c);
}

static inline struct rumor *finished_accept(struct finished *f, int64_t now) {
    const struct msg_head head = {"accept", f->w.request.id, 0, 1};
    cleanup_buf struct buf body = {0};
    struct accept a = {
        .now = now,
        .max_minutes = 10,
        .verdict =
            view_str("{\"state\":\"PASS\",\"simulated\":true,\"policy\":\"demo\",\"ids\":[]}")};
    struct rumor *r;

    memcpy(a.hello, f->b.hello->f.id, 32);
    accept_body(&a, &body);
    r = msg_build(&head, buf_view(&body), keypair_pub(f->customer), keypair_pub(f->guest), now,
                  NULL);
    world_must(r);
    return r;
}

static inline struct rumor *finished_text(const struct keypair *by, int i) {
    char text[40];
    struct fields d;
    struct rumor *r;

    snprintf(text, sizeof text, "message %d", i);
    d = fields_new(KIND_TEXT, WORLD_NOW, view_str(text));
    r = rumor_padded(&d, keypair_pub(by), NULL);
    world_must(r);
    return r;
}

/* covered: how many of the customer's messages the guest signs for. */
static inline struct event *finished_receipt(struct finished *f, size_t covered) {
    struct receipt r = {.n_in = covered, .n_out = FINISHED_OUT, .reason = "end"};
    struct event *ev;

    memcpy(r.job, f->w.request.id, 32);
    memcpy(r.hello, f->b.hello->f.id, 32);
    memcpy(r.accept, f->b.accept->f.id, 32);
    merkle_root((const uint8_t(*)[32])f->b.in, covered, r.root_in);
    merkle_root((const uint8_t(*)[32])f->b.out, FINISHED_OUT, r.root_out);
    ev = receipt_make(&r, f->guest, WORLD_NOW);
    world_must(ev);
    return ev;
}

static inline struct event *finished_teardown(struct finished *f) {
    struct teardown t = {.started = WORLD_NOW, .ended = WORLD_NOW + 1, .rundir_removed = true};

    memcpy(t.job, f->w.request.id, 32);
    return teardown_make(&t, f->provider, WORLD_NOW);
}

static inline void finished_transcript(struct finished *f) {
    struct bundle *b = &f->b;

    b->in = mem_new(FINISHED_IN * sizeof *b->in);
    b->out = mem_new(FINISHED_OUT * sizeof *b->out);
    for (int i = 0; i < FINISHED_IN; i++) {
        f->in[i] = finished_text(f->customer, i);
        memcpy(b->in[b->n_in++], f->in[i]->f.id, 32);
    }
    for (int i = 0; i < FINISHED_OUT; i++) {
        f->out[i] = finished_text(f->guest, 100 + i);
        memcpy(b->out[b->n_out++], f->out[i]->f.id, 32);
    }
    b->has_transcript = true;
}

/* Everything up to the hello: a job that has only begun. tweak: what is other in its world than
 * usual; may be NULL. */
static inline void finished_begin_in(struct finished *f, void (*tweak)(struct world *)) {
    struct bundle *b = &f->b;

    memset(f, 0, sizeof *f);
    world_init(&f->w);
    if (tweak)
        tweak(&f->w);
    f->customer = keypair_new();
    f->provider = keypair_from((const uint8_t[32]){[31] = 3}, NULL); /* of all jobs */
    f->guest = keypair_new();
    b->offer = finished_offer(f);
    b->request = finished_request(f);
    memcpy(f->w.ev.guest, keypair_pub(f->guest), 32);
    world_good_report(&f->w);
    b->hello = finished_hello(f);
    finished_collateral(f);
    b->manifest = mem_new(2 * sizeof *b->manifest);
    b->manifest[b->n_manifests++] = mem_strn(f->w.workload.p, f->w.workload.n); /* in any order */
    b->manifest[b->n_manifests++] = mem_strn(f->w.release.p, f->w.release.n);
}

static inline void finished_begin(struct finished *f) {
    finished_begin_in(f, NULL);
}

/* covered: how many of the customer's messages the receipt is for. */
static inline void finished_init_in(struct finished *f, void (*tweak)(struct world *),
                                    size_t covered) {
    finished_begin_in(f, tweak);
    f->b.accept = finished_accept(f, WORLD_NOW);
    finished_transcript(f);
    f->b.receipt = finished_receipt(f, covered);
    f->b.teardown = finished_teardown(f);
}

static inline void finished_init(struct finished *f) {
    finished_init_in(f, NULL, FINISHED_IN);
}

static inline void finished_free(struct finished *f) {
    for (int i = 0; i < FINISHED_IN; i++)
        rumor_free(f->in[i]);
    for (int i = 0; i < FINISHED_OUT; i++)
        rumor_free(f->out[i]);
    bundle_free(&f->b);
    collateral_free(&f->nvidia);
    keypair_free(f->customer);
    keypair_free(f->provider);
    keypair_free(f->guest);
    world_free(&f->w);
}

#endif
