#include "verdict_make.h"

#include <stdlib.h>
#include <string.h>

struct node {
    struct check c;
    enum requirement need;
    char *expected, *got, *why;
    struct node **kid;
    size_t n_kids;
};

struct verdict {
    struct policy policy;
    int64_t now;
    struct node *root;
    bool simulated, has_guest;
    char product[16];
    uint8_t job[32], guest[32], hello[32];
    uint8_t chip[64];
    size_t chip_len;
};

static struct node *node_new(const struct policy *p, enum check_id id) {
    struct node *n = mem_new(sizeof *n);
    const struct check_row *row = &check_table[id];

    n->need = check_need(p, id);
    n->c = (struct check){.id = row->id,
                          .title = row->title,
                          .source = row->source,
                          .required = n->need >= REQ_REQUIRED,
                          .expected = "",
                          .got = "",
                          .why = row->stops};
    return n;
}

static void node_add(struct node *parent, struct node *kid) {
    size_t n = parent->n_kids + 1;

    parent->kid = mem_grow(parent->kid, n * sizeof *parent->kid);
    parent->kid[parent->n_kids++] = kid;
}

static void node_free(struct node *n) {
    for (size_t i = 0; i < n->n_kids; i++)
        node_free(n->kid[i]);
    free(n->kid);
    free((void *)n->c.child);
    free(n->expected);
    free(n->got);
    free(n->why);
    free(n);
}

struct verdict *verdict_new(const struct policy *p, int64_t now) {
    struct verdict *v = mem_new(sizeof *v);

    v->policy = *p;
    v->now = now;
    v->root = node_new(p, CK_VERDICT);
    verdict_set_product(v, "unknown", false);
    return v;
}

void verdict_free(struct verdict *v) {
    if (!v)
        return;
    node_free(v->root);
    free(v);
}

struct node *verdict_root(struct verdict *v) {
    return v->root;
}

struct node *verdict_group(struct verdict *v, struct node *parent, enum check_id id) {
    struct node *n = node_new(&v->policy, id);

    node_add(parent, n);
    return n;
}

static enum check_state state_of(enum outcome o, enum requirement need) {
    static const enum check_state bad[] = {CHECK_PASS, CHECK_WARN, CHECK_FAIL, CHECK_FAIL,
                                           CHECK_FAIL};

    switch (o) {
    case OUT_GOOD:
        return CHECK_PASS;
    case OUT_BAD:
        return bad[need];
    case OUT_AMBER:
        return CHECK_WARN;
    case OUT_FATAL:
        return CHECK_FAIL;
    case OUT_ABSENT:
        return need == REQ_MUST ? CHECK_FAIL : CHECK_NOT_CHECKED;
    }
    return CHECK_FAIL;
}

static void node_text(struct node *n, const struct finding *f) {
    /* A note stays PASS; the line must not claim what is not so. */
    const bool noted = f->outcome == OUT_BAD && n->need == REQ_NOTE;

    n->c.expected = n->expected = mem_str(f->expected);
    n->c.got = n->got =
        mem_fmt("%s%s", f->got, noted ? " (your policy does not ask for more)" : "");
    if (f->why[0])
        n->c.why = n->why = mem_str(f->why);
}

void verdict_leaf(struct verdict *v, struct node *parent, enum check_id id,
                  const struct finding *f) {
    struct node *n = node_new(&v->policy, id);

    n->c.state = state_of(f->outcome, n->need);
    node_text(n, f);
    node_add(parent, n);
}

void verdict_distrust(struct node *n, const char *why) {
    for (size_t i = 0; i < n->n_kids; i++)
        verdict_distrust(n->kid[i], why);
    if (n->n_kids || n->c.source != SOURCE_HARDWARE || n->c.state == CHECK_FAIL ||
        n->c.state == CHECK_NOT_CHECKED)
        return;
    n->c.state = CHECK_NOT_CHECKED;
    free(n->why);
    n->c.why = n->why = mem_str(why);
}

void verdict_set_product(struct verdict *v, const char *name, bool simulated) {
    strncpy(v->product, name, sizeof v->product - 1);
    v->simulated = simulated;
}

void verdict_set_chip(struct verdict *v, struct view chip) {
    v->chip_len = chip.n < sizeof v->chip ? chip.n : sizeof v->chip;
    memcpy(v->chip, chip.p, v->chip_len);
}

void verdict_set_guest(struct verdict *v, const uint8_t job[static 32],
                       const uint8_t guest[static 32], const uint8_t hello[static 32]) {
    v->has_guest = true;
    memcpy(v->job, job, 32);
    memcpy(v->guest, guest, 32);
    memcpy(v->hello, hello, 32);
}

/* An optional check that was not made says nothing either way. */
static bool node_counts(const struct node *n) {
    return n->c.state != CHECK_NOT_CHECKED || n->c.required;
}

/* FAIL > NOT CHECKED > WARN > PASS over the children that count; none of them: NOT CHECKED. */
static void node_seal(struct node *n) {
    const struct check **child;
    enum check_state worst = CHECK_PASS;
    bool any = false;

    if (!n->n_kids)
        return;
    child = mem_new(n->n_kids * sizeof *child);
    n->c.required = false;
    for (size_t i = 0; i < n->n_kids; i++) {
        node_seal(n->kid[i]);
        child[i] = &n->kid[i]->c;
        n->c.required |= n->kid[i]->c.required;
        if (!node_counts(n->kid[i]))
            continue;
        any = true;
        if (n->kid[i]->c.state > worst)
            worst = n->kid[i]->c.state;
    }
    n->c.state = any ? worst : CHECK_NOT_CHECKED;
    n->c.child = child;
    n->c.n_children = n->n_kids;
}

void verdict_seal(struct verdict *v) {
    /* A verdict over nothing is no verdict. */
    v->root->c.state = CHECK_NOT_CHECKED;
    node_seal(v->root);
}

enum check_state verdict_state(const struct verdict *v) {
    return v->root->c.state;
}

bool verdict_simulated(const struct verdict *v) {
    return v->simulated;
}

const char *verdict_product(const struct verdict *v) {
    return v->product;
}

const char *verdict_policy(const struct verdict *v) {
    return v->policy.name;
}

int64_t verdict_as_of(const struct verdict *v) {
    return v->now;
}

const struct check *verdict_tree(const struct verdict *v) {
    return &v->root->c;
}

static struct node *node_find(struct node *n, const char *id) {
    if (!strcmp(n->c.id, id))
        return n;
    for (size_t i = 0; i < n->n_kids; i++) {
        struct node *hit = node_find(n->kid[i], id);

        if (hit)
            return hit;
    }
    return NULL;
}

const struct check *verdict_find(const struct verdict *v, const char *id) {
    const struct node *n = node_find(v->root, id);

    return n ? &n->c : NULL;
}

const uint8_t *verdict_job(const struct verdict *v) {
    return v->has_guest ? v->job : NULL;
}

const uint8_t *verdict_guest(const struct verdict *v) {
    return v->has_guest ? v->guest : NULL;
}

const uint8_t *verdict_hello(const struct verdict *v) {
    return v->has_guest ? v->hello : NULL;
}

struct view verdict_chip(const struct verdict *v) {
    return view_of(v->chip, v->chip_len);
}

static bool warnings_confirmed(const struct node *n) {
    for (size_t i = 0; i < n->n_kids; i++)
        if (!warnings_confirmed(n->kid[i]))
            return false;
    return n->n_kids || n->c.state != CHECK_WARN || n->c.confirmed;
}

bool verdict_allows(const struct verdict *v) {
    if (!v->has_guest)
        return false;
    if (v->root->c.state == CHECK_PASS)
        return true;
    return v->root->c.state == CHECK_WARN && warnings_confirmed(v->root);
}

int verdict_confirm(struct verdict *v, const char *id, bool remembered, struct err *e) {
    struct node *n = node_find(v->root, id);

    if (!n || n->n_kids || n->c.state != CHECK_WARN)
        return err_set(e, "not-a-warning", "'%.40s' is not a warning of this verdict", id);
    n->c.confirmed = true;
    n->c.remembered = remembered;
    return 0;
}

static size_t open_below(const struct node *n, const struct check **out, size_t max, size_t found) {
    for (size_t i = 0; i < n->n_kids; i++)
        found = open_below(n->kid[i], out, max, found);
    if (n->n_kids || n->c.state == CHECK_PASS || !node_counts(n))
        return found;
    if (found < max)
        out[found] = &n->c;
    return found + 1;
}

size_t verdict_open(const struct verdict *v, const struct check **out, size_t max) {
    return open_below(v->root, out, max, 0);
}

const char *check_state_name(enum check_state s) {
    static const char *const names[] = {"PASS", "WARN", "NOT CHECKED", "FAIL"};

    return names[s];
}

const char *check_source_name(enum check_source s) {
    static const char *const names[] = {"hardware", "computed", "guest", "provider", "policy"};

    return names[s];
}

int verdict_exit_code(const struct verdict *v) {
    static const int codes[] = {0, 2, 3, 1};

    return codes[v->root->c.state];
}
