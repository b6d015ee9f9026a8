#include "introduction.h"

#include <stdlib.h>
#include <string.h>

#include "enc.h"

/* What it names, in this order; `at` is of struct job_request. */
static const struct {
    const char *tag;
    size_t at;
} named[] = {
    {"p", offsetof(struct job_request, provider)},
    {"e", offsetof(struct job_request, offer)},
    {"customer", offsetof(struct job_request, customer)},
    {"nonce", offsetof(struct job_request, nonce)},
};

static const uint8_t *value(const struct job_request *q, size_t row) {
    return (const uint8_t *)q + named[row].at;
}

struct fields introduction_draft(const struct job_request *q, int64_t now) {
    struct fields f = fields_new(KIND_INTRODUCTION, now, (struct view){0});
    char hex[65];

    for (size_t i = 0; i < COUNT(named); i++) {
        hex_encode(view_of(value(q, i), 32), hex);
        fields_add(&f, named[i].tag, hex);
    }
    return f;
}

/* Exactly these tags, so that there is one reading of it. */
int introduction_check(const struct event *ev, const struct job_request *q, uint8_t who[static 32],
                       struct err *e) {
    const struct fields *f = &ev->f;
    uint8_t got[32];

    if (f->kind != KIND_INTRODUCTION || f->content_len || f->n_tags != COUNT(named))
        return err_set(e, "bad-request", "the introduction is not one (kind %u, %zu tags)", f->kind,
                       f->n_tags);
    for (size_t i = 0; i < COUNT(named); i++) {
        const struct tag *t = &f->tags[i];

        if (t->n != 2 || strcmp(t->v[0], named[i].tag) != 0 || !hex_decode_str(t->v[1], got, 32) ||
            memcmp(got, value(q, i), 32) != 0)
            return err_set(e, "bad-request", "the introduction is for another job (tag %s)",
                           named[i].tag);
    }
    memcpy(who, f->pubkey, 32);
    return 0;
}

int introduction_put(const struct event *ev, struct job_request *q, struct err *e) {
    cleanup_buf struct buf json = {0};

    event_json(ev, &json);
    if (json.n >= sizeof q->introduction)
        return err_set(e, "too-large", "an introduction of %zu bytes", json.n);
    memcpy(q->introduction, json.p, json.n + 1);
    return 0;
}

int introduction_of(const struct job_request *q, int64_t dated, uint8_t who[static 32],
                    struct err *e) {
    struct event *ev;
    int rc;

    if (!*q->introduction)
        return 0;
    if (!(ev = event_parse(view_str(q->introduction), e))) {
        err_set(e, "bad-request", "the introduction in the request is not a signed event");
        return -1;
    }
    rc = introduction_check(ev, q, who, e) ? -1 : 1;
    if (rc > 0 && llabs((long long)(ev->f.created_at - dated)) > INTRODUCTION_WINDOW)
        rc = err_set(e, "bad-request", "the introduction has another date than the request");
    event_free(ev);
    return rc;
}
