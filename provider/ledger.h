/* The provider's ledger: which jobs were seen and how each ended, and the offers that stand
 * (SQLite, WAL, one transaction per step). No content, no keys of ours, nothing a customer said.
 *
 * A job id is written before anything is done for it, so a request can be served at most once,
 * however often a relay replays it and whenever the provider restarts. */
#ifndef CDVM_LEDGER_H
#define CDVM_LEDGER_H

#include "core/dvm.h"
#include "core/event.h"

struct ledger;
struct ledger *ledger_open(const char *path, struct err *e);
void ledger_free(struct ledger *l); /* NULL legal */

/* 1 = new and now recorded as received; 0 = seen before; -1 = error. */
int ledger_take(struct ledger *l, const struct job_request *q, int64_t now,
                struct err *e) WARN_UNUSED;
/* step: job_step_name; code: "" or the failure's; over: no further step follows. */
int ledger_step(struct ledger *l, const uint8_t job[static 32], const char *step, const char *code,
                bool over, int64_t now, struct err *e) WARN_UNUSED;

struct ledger_job {
    uint8_t job[32], customer[32];
    char step[16], code[32];
    bool over;
};
/* Jobs that an earlier run left unfinished, oldest first; they are marked over with `code` in the
 * same transaction. fn is called for each. Returns how many, or -1. */
typedef void ledger_fn(void *arg, const struct ledger_job *j);
int ledger_close_leftovers(struct ledger *l, const char *code, int64_t now, ledger_fn *fn,
                           void *arg, struct err *e) WARN_UNUSED;
/* Forgets what is over and can come no more: jobs whose request expired, and offers made, over 30
 * days before now. */
int ledger_prune(struct ledger *l, int64_t now, struct err *e) WARN_UNUSED;
bool ledger_find(struct ledger *l, const uint8_t job[static 32], struct ledger_job *out);

/* Offers by id: what a request may name. d tells offers of one workload apart; terms is a digest of
 * everything in the offer but its dates. */
int ledger_offer_put(struct ledger *l, const struct event *offer, const char *d,
                     const uint8_t terms[static 32], struct err *e) WARN_UNUSED;
/* The newest offer of d, or of any when id names it: owned JSON, NULL when there is none. */
char *ledger_offer_newest(struct ledger *l, const char *d, uint8_t terms[static 32]);
bool ledger_offer_find(struct ledger *l, const uint8_t id[static 32], char d[static 64],
                       uint8_t terms[static 32]);

/* This machine's measured boots in ms (spawn to hello), the newest 20 kept. */
int ledger_boot_add(struct ledger *l, int64_t ms, struct err *e) WARN_UNUSED;
int64_t ledger_boot_median(struct ledger *l); /* -1: none yet */

#endif
