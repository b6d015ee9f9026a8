/* Saved bundles: the list, one of them verified anew, two beside each other. */
#include "tui/app.h"

#include <stdlib.h>
#include <string.h>

#include "tui/scr.h"
#include "tui/verify_bundle.h"

static void receipt_free(struct app_receipt *r) {
    if (!r)
        return;
    tree_free(r->tree[0]);
    tree_free(r->tree[1]);
    exhibit_free(r->exhibit);
    verdict_free(r->now);
    verdict_free(r->then);
    bundle_free(&r->bundle);
    free(r->name);
    free(r);
}

void app_receipts_free(struct app *a) {
    receipt_free(a->receipt);
    receipt_free(a->other);
    receipts_free(a->receipts);
    free(a->marked);
    free(a->deleting);
    a->receipt = a->other = NULL;
    a->receipts = NULL;
    a->marked = a->deleting = NULL;
}

/* --- the list --- */

static void scan(struct app *a) {
    struct err e;

    if (receipts_scan(a->receipts, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    list_resize(&a->receipt_list, receipts_count(a->receipts), a->receipt_list.height);
}

void app_receipts_open(struct app *a) {
    scan(a);
    app_go(a, SCR_RECEIPTS);
}

/* One row a frame: judging takes milliseconds, and keys are not to wait. */
void app_receipts_prepare(struct app *a, size_t height) {
    struct list *l = &a->receipt_list;

    list_resize(l, receipts_count(a->receipts), height);
    if (a->screen == SCR_RECEIPTS)
        (void)receipts_next(a->receipts, l->top, l->height, a->conf.port->judge, a->conf.port_arg,
                            a->unix_now);
    for (int i = 0; a->receipt && i < 2; i++)
        if (a->receipt->tree[i])
            tree_resize(a->receipt->tree[i], (size_t)scr_sizes(a).tree);
}

bool app_receipts_busy(const struct app *a) {
    const struct list *l = &a->receipt_list;
    const struct receipt_row *row;

    for (size_t i = l->top; a->screen == SCR_RECEIPTS && i < l->top + l->height; i++)
        if ((row = receipts_at(a->receipts, i)) && !row->read)
            return true;
    return false;
}

static size_t row_named(const struct app *a, const char *name) {
    size_t i = 0;

    while (i < receipts_count(a->receipts) && strcmp(receipts_at(a->receipts, i)->name, name) != 0)
        i++;
    return i;
}

/* --- one, verified anew --- */

static struct verdict *judge(const struct app *a, const struct bundle *b, int64_t at,
                             struct err *e) {
    return a->conf.port->judge(a->conf.port_arg, b, at, e);
}

static int receipt_judge(const struct app *a, struct app_receipt *r, struct err *e) {
    size_t height = (size_t)scr_sizes(a).tree;
    int64_t then;

    r->now = judge(a, &r->bundle, a->unix_now, e);
    if (!r->now)
        return -1;
    r->tree[0] = tree_new(verdict_tree(r->now), height);
    facts_of(&r->bundle, r->now, &r->facts[0]);
    if (bundle_then(&r->bundle, &then))
        r->then = judge(a, &r->bundle, then, e);
    if (r->then) {
        r->tree[1] = tree_new(verdict_tree(r->then), height);
        facts_of(&r->bundle, r->then, &r->facts[1]);
    }
    r->exhibit = exhibit_new(&r->bundle);
    return 0;
}

/* NULL with a sentence: no bundle, or gone since. */
static struct app_receipt *receipt_open(const struct app *a, size_t row, struct err *e) {
    struct app_receipt *r;

    if (!receipts_at(a->receipts, row)) {
        err_set(e, "no-file", "there is no such receipt");
        return NULL;
    }
    r = mem_new(sizeof *r);
    r->name = mem_str(receipts_at(a->receipts, row)->name);
    if (receipts_open(a->receipts, row, &r->bundle, e) != 0 || receipt_judge(a, r, e) != 0) {
        receipt_free(r);
        return NULL;
    }
    return r;
}

void app_receipt_verify(struct app *a) {
    struct app_receipt *r;
    struct err e;

    if (!receipts_count(a->receipts)) {
        app_say(a, ROLE_DIM, "nothing is saved yet: s saves the bundle of a job");
        return;
    }
    r = receipt_open(a, a->receipt_list.cur, &e);
    if (!r) {
        app_say(a, ROLE_BAD, "%s", e.text);
        return;
    }
    receipt_free(a->receipt);
    a->receipt = r;
    tree_next_open(r->tree[0]);
    app_go(a, SCR_RECEIPT);
}

void app_receipt_turn(struct app *a) {
    if (!a->receipt || !a->receipt->then)
        app_say(a, ROLE_WARN, "it was never accepted: there is no then");
    else
        a->receipt->of_then = !a->receipt->of_then;
}

/* --- two --- */

void app_receipt_mark(struct app *a) {
    const struct receipt_row *row = receipts_at(a->receipts, a->receipt_list.cur);
    bool again = row && a->marked && !strcmp(row->name, a->marked);

    if (!row)
        return;
    free(a->marked);
    a->marked = again ? NULL : mem_str(row->name);
    if (!again)
        app_say(a, ROLE_TEXT, "marked; go to another and press d to compare");
}

void app_receipt_diff(struct app *a) {
    struct app_receipt *first, *second;
    struct err e;

    if (!a->marked) {
        app_say(a, ROLE_WARN, "mark the other one first: Space");
        return;
    }
    first = receipt_open(a, row_named(a, a->marked), &e);
    second = first ? receipt_open(a, a->receipt_list.cur, &e) : NULL;
    if (!second) {
        app_say(a, ROLE_BAD, "%s", e.text);
        receipt_free(first);
        return;
    }
    receipt_free(a->other);
    receipt_free(a->receipt);
    a->other = first;
    a->receipt = second;
    app_proof_open(a, PROOF_DIFF);
}

/* --- gone --- */

void app_ask_delete(struct app *a) {
    const struct receipt_row *row = receipts_at(a->receipts, a->receipt_list.cur);
    struct prompt *p = &a->prompt;

    if (!row)
        return;
    free(a->deleting);
    a->deleting = mem_str(row->name);
    prompt_ask(p, THEN_DELETE, "Delete this receipt?", NULL);
    buf_fmt(&p->body, "%s, %llu bytes.\n", row->name, (unsigned long long)row->size);
    buf_str(&p->body, "The evidence and the guest's signature cannot be made again.");
}

void app_receipt_delete(struct app *a) {
    struct err e;

    if (!a->deleting)
        return;
    if (receipts_delete(a->receipts, a->deleting, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "deleted");
    if (a->marked && !strcmp(a->marked, a->deleting)) {
        free(a->marked);
        a->marked = NULL;
    }
    scan(a);
}
