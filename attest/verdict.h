/* A verdict: what was checked about one guest, what came out, and why. Immutable once made.
 *
 * Only attest/ makes one (evidence.h). Everybody else reads it; the code that encrypts a customer's
 * data takes its recipient from verdict_guest and asks verdict_allows first (cdvm-protocol(7), "Who
 * may speak" and "Verdict"). All text is printable ASCII made here or sanitised here. */
#ifndef CDVM_VERDICT_H
#define CDVM_VERDICT_H

#include "core/bytes.h"

/* In order of weight: over required children the heaviest wins. */
enum check_state { CHECK_PASS, CHECK_WARN, CHECK_NOT_CHECKED, CHECK_FAIL };

enum check_source {
    SOURCE_HARDWARE, /* signed by AMD or NVIDIA (or by a simulator's root, see verdict_simulated) */
    SOURCE_COMPUTED, /* worked out on this machine */
    SOURCE_GUEST,    /* said by measured code */
    SOURCE_PROVIDER, /* said by the seller */
    SOURCE_POLICY,   /* the user's own rule or pin */
};

/* One line of the tree. Borrowed from the verdict, valid until verdict_free. */
struct check {
    const char *id;    /* stable, of the table in checks.h: "snp.tcb.floor" */
    const char *title; /* what was asked, a short phrase: "firmware at or above the floor" */
    enum check_state state;
    enum check_source source;
    bool required;        /* under the policy used: NOT CHECKED here counts */
    bool confirmed;       /* a WARN that the person accepted (verdict_confirm) */
    bool remembered;      /* ... in an earlier job, for the same value */
    const char *expected; /* "" when there is nothing to compare with */
    const char *got;      /* "" when there was nothing */
    const char *why;      /* one sentence: what this outcome means */
    const struct check *const *child;
    size_t n_children;
};

struct verdict;

void verdict_free(struct verdict *v); /* NULL legal */

enum check_state verdict_state(const struct verdict *v);
/* True when the root key that signed is a simulator's: a property of the root, of no field. */
bool verdict_simulated(const struct verdict *v);
/* "Milan", "Genoa", "Turin"; "unknown" where the report did not say. */
const char *verdict_product(const struct verdict *v);
const char *verdict_policy(const struct verdict *v); /* "standard", "strict", "demo" or a file's */
int64_t verdict_as_of(const struct verdict *v);      /* Unix seconds given as now */
/* The top of the tree: id "verdict", its children are the groups. */
const struct check *verdict_tree(const struct verdict *v);
const struct check *verdict_find(const struct verdict *v, const char *id); /* NULL when absent */

/* Of a whole bundle; NULL when only a bare report was verified. 32 bytes each. */
const uint8_t *verdict_job(const struct verdict *v);
const uint8_t *verdict_guest(const struct verdict *v); /* G, x-only */
const uint8_t *verdict_hello(const struct verdict *v); /* rumor id of the hello */
/* CHIP_ID, empty when masked or unread: the same machine shows the same bytes. */
struct view verdict_chip(const struct verdict *v);

/* PASS, or WARN with every WARN under it confirmed. A verdict over a bare report allows nothing:
 * it names no guest. */
bool verdict_allows(const struct verdict *v);
/* The person typed a confirmation of this WARN (remembered: taken from an earlier one for the same
 * id with the same `got`). Refused ("not-a-warning") for anything but a WARN leaf. */
int verdict_confirm(struct verdict *v, const char *id, bool remembered, struct err *e) WARN_UNUSED;
/* Leaves that are not PASS and count: ids in tree order, at most max; returns how many there are.
 */
size_t verdict_open(const struct verdict *v, const struct check **out, size_t max);

const char *check_state_name(enum check_state s);   /* "PASS", "WARN", "NOT CHECKED", "FAIL" */
const char *check_source_name(enum check_source s); /* "hardware", "computed", ... */
int verdict_exit_code(const struct verdict *v);     /* 0 PASS, 1 FAIL, 2 WARN, 3 NOT CHECKED */

#endif
