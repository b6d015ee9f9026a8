/* Making a verdict: for attest/ alone. A tree is built leaf by leaf, then sealed; the state of a
 * group is worked out from its children and can be set by nobody. */
#ifndef CDVM_VERDICT_MAKE_H
#define CDVM_VERDICT_MAKE_H

#include "checks.h"

/* What a check found; the policy's requirement turns it into a state. */
enum outcome {
    OUT_GOOD,   /* PASS */
    OUT_BAD,    /* PASS with its words, WARN or FAIL: as required */
    OUT_AMBER,  /* WARN: allowed by an exception, and never green */
    OUT_FATAL,  /* FAIL under any policy */
    OUT_ABSENT, /* NOT CHECKED; FAIL where the policy says must */
};
struct finding {
    enum outcome outcome;
    char expected[200], got[200];
    char why[420]; /* "": the table's sentence */
};

struct node;
struct verdict *verdict_new(const struct policy *p, int64_t now);
struct node *verdict_root(struct verdict *v);
struct node *verdict_group(struct verdict *v, struct node *parent, enum check_id id);
void verdict_leaf(struct verdict *v, struct node *parent, enum check_id id,
                  const struct finding *f);
/* Fields that the hardware signed prove nothing when the signature does not stand: every such leaf
 * below n that is not FAIL becomes NOT CHECKED. */
void verdict_distrust(struct node *n, const char *why);
void verdict_set_product(struct verdict *v, const char *name, bool simulated);
void verdict_set_chip(struct verdict *v, struct view chip);
void verdict_set_guest(struct verdict *v, const uint8_t job[static 32],
                       const uint8_t guest[static 32], const uint8_t hello[static 32]);
void verdict_seal(struct verdict *v);

#endif
