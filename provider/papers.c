#include "papers.h"

#include <stdlib.h>

#define AGAIN_MS ((int64_t)24 * 3600 * 1000)
#define FAILED_MS ((int64_t)15 * 60 * 1000) /* until the next try, where something is missing */

struct papers {
    struct loop *loop;
    struct http *http;
    struct loop_timer *timer;
    struct kds_key key;
    struct kds_opts o; /* base and dir are owned */
    char *base, *dir;
    struct kds *asking;
    struct collateral have;
    papers_fn *said;
    void *arg;
};

/* What did not come this time may be there from the last. */
static void replace(struct buf *to, struct buf *by) {
    if (!by->n)
        return;
    buf_free(to);
    *to = *by;
    *by = (struct buf){0};
}

static void on_got(void *arg, struct collateral *got, const struct err *e) {
    struct papers *p = arg;

    p->asking = NULL;
    replace(&p->have.vek, &got->vek);
    replace(&p->have.ask, &got->ask);
    replace(&p->have.ark, &got->ark);
    replace(&p->have.crl, &got->crl);
    if (e)
        p->said(p->arg, e->text);
    loop_timer_set(p->timer, loop_now() + (e ? FAILED_MS : AGAIN_MS));
}

static int ask(struct papers *p, struct err *e) {
    p->asking = kds_start(p->loop, p->http, &p->key, &p->o, on_got, p, e);
    return p->asking ? 0 : -1;
}

static void on_timer(void *arg) {
    struct papers *p = arg;
    struct err e;

    if (ask(p, &e) == 0)
        return;
    p->said(p->arg, e.text);
    loop_timer_set(p->timer, loop_now() + FAILED_MS);
}

struct papers *papers_new(struct loop *l, struct http *h, const struct kds_key *key,
                          const struct kds_opts *o, papers_fn *said, void *arg, struct err *e) {
    struct papers *p = mem_new(sizeof *p);

    *p = (struct papers){.loop = l,
                         .http = h,
                         .timer = loop_timer_add(l, -1, on_timer, p),
                         .key = *key,
                         .o = *o,
                         .base = mem_str(o->base),
                         .dir = mem_str(o->dir),
                         .said = said,
                         .arg = arg};
    p->o.base = p->base;
    p->o.dir = p->dir;
    if (ask(p, e) == 0)
        return p;
    papers_free(p);
    return NULL;
}

void papers_free(struct papers *p) {
    if (!p)
        return;
    kds_cancel(p->asking);
    loop_timer_del(p->timer);
    collateral_free(&p->have);
    free(p->base);
    free(p->dir);
    free(p);
}

bool papers_add(const struct papers *p, struct collateral *to) {
    if (!p || !p->have.vek.n)
        return false;
    buf_add(&to->vek, p->have.vek.p, p->have.vek.n);
    buf_add(&to->ask, p->have.ask.p, p->have.ask.n);
    buf_add(&to->ark, p->have.ark.p, p->have.ark.n);
    buf_add(&to->crl, p->have.crl.p, p->have.crl.n);
    return true;
}
