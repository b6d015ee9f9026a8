#include "tui/tree.h"

#include <stdlib.h>
#include <string.h>

struct node {
    const struct check *check;
    unsigned depth;
    bool folded;
    size_t next; /* first node behind this subtree, in preorder */
};

struct tree {
    struct node *node;
    size_t n, cap;
    size_t *shown; /* nodes in sight, in order */
    struct list list;
};

static void tree_add(struct tree *t, const struct check *c, unsigned depth) {
    size_t at = t->n;

    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->node = mem_grow(t->node, t->cap * sizeof *t->node);
    }
    t->node[t->n++] = (struct node){c, depth, false, 0};
    for (size_t i = 0; i < c->n_children; i++)
        tree_add(t, c->child[i], depth + 1);
    t->node[at].next = t->n;
}

static void tree_show(struct tree *t, size_t height) {
    size_t n = 0;

    for (size_t i = 0; i < t->n; i = t->node[i].folded ? t->node[i].next : i + 1)
        t->shown[n++] = i;
    list_resize(&t->list, n, height);
}

/* A leaf that somebody should read: what could not be checked and need not be is none. */
static bool node_is_open(const struct node *n) {
    const struct check *c = n->check;

    return c->n_children == 0 && c->state != CHECK_PASS &&
           (c->required || c->state != CHECK_NOT_CHECKED);
}

static bool all_pass(const struct tree *t, size_t i) {
    for (size_t k = i; k < t->node[i].next; k++)
        if (t->node[k].check->n_children == 0 && node_is_open(&t->node[k]))
            return false;
    return true;
}

/* Folds what passed, then unfolds from the top whatever still fits. */
static void fold_to_fit(struct tree *t, size_t height) {
    for (size_t i = 1; i < t->n; i++)
        t->node[i].folded = t->node[i].check->n_children > 0 && all_pass(t, i);
    for (size_t i = 1; i < t->n; i++) {
        if (!t->node[i].folded)
            continue;
        t->node[i].folded = false;
        tree_show(t, height);
        t->node[i].folded = t->list.n > height;
    }
    tree_show(t, height);
}

struct tree *tree_new(const struct check *top, size_t height) {
    struct tree *t = mem_new(sizeof *t);

    if (top)
        tree_add(t, top, 0);
    t->shown = mem_new((t->n + 1) * sizeof *t->shown);
    tree_show(t, height);
    if (t->list.n > height)
        fold_to_fit(t, height);
    return t;
}

void tree_free(struct tree *t) {
    if (!t)
        return;
    free(t->node);
    free(t->shown);
    free(t);
}

const struct list *tree_list(const struct tree *t) {
    return &t->list;
}

bool tree_row(const struct tree *t, size_t i, struct tree_row *out) {
    const struct node *n;

    if (i >= t->list.n)
        return false;
    n = &t->node[t->shown[i]];
    *out = (struct tree_row){n->check, n->depth, n->check->n_children > 0, n->folded};
    return true;
}

const struct check *tree_current(const struct tree *t) {
    return t->list.n ? t->node[t->shown[t->list.cur]].check : NULL;
}

void tree_resize(struct tree *t, size_t height) {
    list_resize(&t->list, t->list.n, height);
}

void tree_move(struct tree *t, enum list_move m) {
    list_move(&t->list, m);
}

static struct node *tree_node(struct tree *t) {
    return t->list.n ? &t->node[t->shown[t->list.cur]] : NULL;
}

/* What has just been unfolded comes into view, as far as it fits under its own line. */
static void tree_reveal(struct tree *t, const struct node *n) {
    struct list *l = &t->list;
    size_t last = l->cur;

    while (last + 1 < l->n && t->shown[last + 1] < n->next)
        last++;
    if (last >= l->top + l->height)
        l->top = last + 1 - l->height;
    if (l->top > l->cur)
        l->top = l->cur;
}

void tree_fold(struct tree *t) {
    struct node *n = tree_node(t);

    if (!n || n->check->n_children == 0)
        return;
    n->folded = !n->folded;
    tree_show(t, t->list.height);
    tree_reveal(t, n);
}

void tree_left(struct tree *t) {
    struct node *n = tree_node(t);

    if (n && n->check->n_children > 0 && !n->folded) {
        tree_fold(t);
        return;
    }
    for (size_t i = t->list.cur; n && i-- > 0;)
        if (t->node[t->shown[i]].depth < n->depth) {
            list_to(&t->list, i);
            return;
        }
}

void tree_right(struct tree *t) {
    struct node *n = tree_node(t);

    if (n && n->folded)
        tree_fold(t);
    else if (n && n->check->n_children > 0)
        list_move(&t->list, LIST_DOWN);
}

/* Puts the cursor on a node, unfolding what hides it. */
static void tree_to(struct tree *t, size_t node) {
    for (size_t i = 0; i < node; i++)
        if (t->node[i].next > node)
            t->node[i].folded = false;
    tree_show(t, t->list.height);
    for (size_t i = 0; i < t->list.n; i++)
        if (t->shown[i] == node)
            list_to(&t->list, i);
}

/* step 1, or n - 1 to go round the other way. */
static void tree_open_by(struct tree *t, size_t step) {
    size_t i = t->list.n ? t->shown[t->list.cur] : 0;

    for (size_t k = 0; k < t->n; k++) {
        i = (i + step) % t->n;
        if (node_is_open(&t->node[i])) {
            tree_to(t, i);
            return;
        }
    }
}

void tree_next_open(struct tree *t) {
    tree_open_by(t, 1);
}

void tree_prev_open(struct tree *t) {
    tree_open_by(t, t->n - 1);
}

static const struct node *tree_find(const struct tree *t, const char *id) {
    for (size_t i = 0; i < t->n; i++)
        if (!strcmp(t->node[i].check->id, id))
            return &t->node[i];
    return NULL;
}

void tree_adopt(struct tree *t, const struct tree *old) {
    const struct check *at = tree_current(old);

    for (size_t i = 0; i < t->n; i++) {
        const struct node *was = tree_find(old, t->node[i].check->id);

        if (was && t->node[i].check->n_children > 0)
            t->node[i].folded = was->folded;
    }
    tree_show(t, old->list.height);
    for (size_t i = 0; at && i < t->list.n; i++)
        if (!strcmp(t->node[t->shown[i]].check->id, at->id))
            list_to(&t->list, i);
}
