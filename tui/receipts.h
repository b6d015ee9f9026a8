/* The saved bundles of one folder: what each says of itself, and, once it was judged again, what
 * this machine finds. A file that is no bundle is a row with a sentence. */
#ifndef CDVM_RECEIPTS_H
#define CDVM_RECEIPTS_H

#include "attest/verdict.h"
#include "core/bundle.h"

#define RECEIPTS_MAX 2000 /* files; the newest stay */

struct receipt_row {
    char *name;    /* of the file; owned by the list. Not sanitised */
    int64_t saved; /* Unix seconds, of the file */
    uint64_t size;
    bool read;     /* looked into; all below is empty before */
    char why[200]; /* what is wrong with it; "" when it is a bundle */
    uint8_t job[32], provider[32];
    char provider_name[64], what[64];
    int64_t accepted; /* by the customer's clock, as bundle_then; 0: never was */
    char then[32];    /* the verdict that the acceptance wrote down: "SIMULATED PASS"; "" none */
    char policy[32];  /* under which */
    bool claims_sim;  /* the offer says so */
    bool has_receipt, judged;
    enum check_state now; /* when judged */
    bool simulated;
};

struct receipts;
struct receipts *receipts_new(const char *folder); /* NULL: there are none. Not read yet */
void receipts_free(struct receipts *r);            /* NULL legal */
/* The names anew, newest first. What is known of a file that is as it was is kept. -1 where the
 * folder cannot be read; one that does not exist is empty. */
int receipts_scan(struct receipts *r, struct err *e) WARN_UNUSED;
size_t receipts_count(const struct receipts *r);
const struct receipt_row *receipts_at(const struct receipts *r, size_t i); /* NULL: none */

typedef struct verdict *receipts_judge(void *arg, const struct bundle *b, int64_t at,
                                       struct err *e);
/* Looks into one row of [first, first + n) that was not looked into, and judges it as of `at`:
 * some milliseconds. False when there is none. */
bool receipts_next(struct receipts *r, size_t first, size_t n, receipts_judge *judge, void *arg,
                   int64_t at);
/* The bundle of a row. Owned by *out, which is empty on error. */
int receipts_open(const struct receipts *r, size_t i, struct bundle *out,
                  struct err *e) WARN_UNUSED;
/* By its name: rows may have moved since a question was asked. */
int receipts_delete(struct receipts *r, const char *name, struct err *e) WARN_UNUSED;

/* What the customer's acceptance wrote down; false without one that can be read. */
struct accept_words {
    char state[16], policy[32];
    bool simulated;
};
bool accept_words(const struct bundle *b, struct accept_words *out);

#endif
