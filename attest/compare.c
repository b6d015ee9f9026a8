#include "compare.h"

#include <string.h>

#include "checks.h"

/* Of one job alone by their nature. */
static const enum check_id per_job[] = {
    CK_SNP_REPORT_DATA, CK_BIND_GUEST_KEY, CK_BIND_NONCE,  CK_BIND_CUSTOMER,    CK_BIND_JOB,
    CK_BIND_GPU,        CK_RECEIPT_GUEST,  CK_RECEIPT_JOB, CK_RECEIPT_COVERAGE, CK_PROVIDER_SEEN,
};

struct list {
    struct change *out;
    size_t n, max;
};

static bool passed_over(const char *id) {
    for (size_t i = 0; i < COUNT(per_job); i++)
        if (!strcmp(check_table[per_job[i]].id, id))
            return true;
    return false;
}

static void add(struct list *l, const struct change *c) {
    if (l->n < l->max)
        l->out[l->n] = *c;
    l->n++;
}

static bool differs(const struct check *a, const struct check *b) {
    /* Of some checks only the state is the same in every job; a failure's value may be anything. */
    return a->state != b->state || (!passed_over(a->id) && strcmp(a->got, b->got) != 0);
}

static void walk(struct list *l, const struct check *c, const struct verdict *other, bool is_new) {
    const struct check *o;

    for (size_t i = 0; i < c->n_children; i++)
        walk(l, c->child[i], other, is_new);
    if (c->n_children)
        return;
    o = verdict_find(other, c->id);
    if (!o)
        add(l, &(struct change){c->id, c->title, is_new ? CHECK_NOT_CHECKED : c->state,
                                is_new ? c->state : CHECK_NOT_CHECKED, is_new ? "" : c->got,
                                is_new ? c->got : ""});
    else if (!is_new && differs(c, o))
        add(l, &(struct change){c->id, c->title, c->state, o->state, c->got, o->got});
}

size_t verdict_changes(const struct verdict *before, const struct verdict *after,
                       struct change *out, size_t max) {
    struct list l = {.out = out, .max = max};

    walk(&l, verdict_tree(before), after, false);
    walk(&l, verdict_tree(after), before, true);
    return l.n;
}
