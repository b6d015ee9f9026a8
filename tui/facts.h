/* What one verdict comes down to, as a few printable words that can be kept and compared: the last
 * job with a provider beside today's, or two saved bundles. */
#ifndef CDVM_FACTS_H
#define CDVM_FACTS_H

#include "attest/verdict.h"
#include "core/bundle.h"

enum fact {
    FACT_VERDICT,     /* "PASS", "SIMULATED WARN" */
    FACT_POLICY,      /* under which it was accepted; of one that was not, came out */
    FACT_RELEASE,     /* sha256 of the release manifest that the offer names */
    FACT_WORKLOAD,    /* "root:blocks" */
    FACT_MODEL,       /* the same, or "none" */
    FACT_MEASUREMENT, /* launch digest */
    FACT_TCB,         /* REPORTED_TCB, in memory order */
    FACT_CHIP,        /* CHIP_ID; "unknown": masked, or not proven */
    FACT_MESSAGES,    /* that a receipt counts: "3 to the guest, 2 back"; "no receipt" */
    FACT_OPEN,        /* ids of what is not PASS and counts, by commas; "none" */
    FACT_COUNT,
};
#define FACT_TEXT 1600 /* of FACT_OPEN, the longest */

struct facts {
    uint8_t provider[32];
    int64_t when; /* Unix seconds of the verdict */
    bool simulated;
    uint8_t chip[64]; /* for telling machines apart; chip_len 0: masked or unread */
    size_t chip_len;
    char text[FACT_COUNT][FACT_TEXT];
};

/* Of a verdict over this bundle. */
void facts_of(const struct bundle *b, const struct verdict *v, struct facts *out);

const char *fact_name(enum fact f);  /* "launch digest" */
const char *fact_key(enum fact f);   /* "measurement": in files and JSON */
const char *fact_check(enum fact f); /* id of the line of the tree that it belongs to */
bool fact_same(const struct facts *a, const struct facts *b, enum fact f);
size_t facts_differ(const struct facts *a, const struct facts *b); /* how many */

#endif
