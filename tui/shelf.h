/* The offers as the list shows them: filtered, sorted, with what this machine verified before. Rows
 * are copies of what the seller claims, sanitised by offer_parse. */
#ifndef CDVM_SHELF_H
#define CDVM_SHELF_H

#include "core/offer.h"
#include "tui/proven.h"

struct shelf_row {
    uint8_t pubkey[32], id[32];
    char d[64];
    char task[16], what[64]; /* "chat", "table" ... and the model or tool */
    char claims[32], provider[32], price[32];
    char runs[240]; /* workload, model with its size, machine, kind: one line */
    uint64_t price_msat;
    int64_t created_at, seen; /* seen: newest heartbeat, 0 none */
    uint32_t free_slots;
    bool alive, simulated;
    struct proof proof;
};

enum shelf_sort { SORT_PROVEN, SORT_PRICE, SORT_NAME, SORT_AGE, SORT_COUNT };

struct shelf;
struct shelf *shelf_new(void);
void shelf_free(struct shelf *s); /* NULL legal */
void shelf_clear(struct shelf *s);
void shelf_put(struct shelf *s, const struct offer *o, bool alive, uint32_t free_slots,
               int64_t seen);

/* Makes the view anew: rows that hold every word of `filter` (case ignored). */
void shelf_view(struct shelf *s, const char *filter, enum shelf_sort by,
                const struct proven *proven);
size_t shelf_count(const struct shelf *s); /* all */
size_t shelf_shown(const struct shelf *s);
const struct shelf_row *shelf_at(const struct shelf *s, size_t i); /* of the view; NULL beyond */
const char *shelf_sort_name(enum shelf_sort by);

void shelf_claims(const struct offer *o, char *out, size_t n); /* "SNP + H100 CC" */
/* "chat with SmolLM2-135M-Instruct, 92 MB; 2 vcpu, 2048 MiB; job kind 5050". */
void shelf_runs(const struct offer *o, char *out, size_t n);
/* "free", "210 sat/job", "5 sat/min". */
void shelf_price(const struct offer *o, char *out, size_t n);

#endif
