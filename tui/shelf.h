/* All offers that are known, and the list that is shown of them: filtered, sorted, beside what this
 * machine verified before and what the person has marked.
 *
 * The shelf is bounded. When it is full, room is made among the offers that only one relay sends,
 * of the relay that sends the most of them: the oldest, those without a heartbeat first; what was
 * proven here or is a favourite stays. So no relay can push out what the others have. */
#ifndef CDVM_SHELF_H
#define CDVM_SHELF_H

#include "core/offer.h"
#include "tui/marks.h"
#include "tui/proven.h"

#define SHELF_MAX 12000                    /* offers */
#define SHELF_BYTES ((size_t)16 << 20)     /* of their rows and events */
#define SHELF_OFFER_MAX ((size_t)16 << 10) /* of one, as it is kept; larger ones are refused */
#define SHELF_RELAYS 32

/* Somebody with another key whose name looks the same. */
enum twin { TWIN_NONE, TWIN_OFFER, TWIN_HISTORY, TWIN_FAVOURITE };

/* Texts are copies of what the seller claims, sanitised by offer_parse. */
struct shelf_row {
    uint8_t pubkey[32], id[32];
    const char *d, *task, *what; /* task: "chat", "table" ...; what: the model or tool */
    const char *claims, *provider, *price;
    const char *name, *runs; /* runs: workload, model with its size, machine: one line */
    uint64_t price_msat;
    int64_t created_at, expiration; /* expiration 0: none */
    uint32_t relays;                /* bit per relay that sent it */
    bool simulated;
    uint8_t flags; /* enum name_flag of provider and model */
    /* as of the last view */
    bool alive;
    int64_t seen; /* newest heartbeat, 0 none */
    uint32_t free_slots, queue;
    struct proof proof;
    enum mark mark;
    enum twin twin;
    uint8_t twin_key[32];
};

enum shelf_sort {
    SORT_PROVEN,
    SORT_PRICE,
    SORT_NAME,
    SORT_PROVIDER,
    SORT_SEEN,
    SORT_AGE,
    SORT_COUNT,
};

struct shelf;
struct shelf *shelf_new(void);
void shelf_free(struct shelf *s); /* NULL legal */

/* False when it is not news: a newer one is there, or it is too large, or there is no room (the
 * last two are counted). An offer that is there already as it is only gets `relay` added. */
bool shelf_put(struct shelf *s, const struct offer *o, const struct event *ev, const char *relay);
/* Another relay has this event too. */
void shelf_again(struct shelf *s, const uint8_t id[static 32], const char *relay);
/* False when it is not news. */
bool shelf_beat(struct shelf *s, const struct heartbeat *h);

/* What the list is made of; all borrowed. The filter's words may stand anywhere, case ignored. */
struct shelf_ask {
    const char *filter;
    enum shelf_sort by;
    bool muted; /* show those too */
    const struct proven *proven;
    const struct marks *marks;
    int64_t now; /* Unix seconds */
};
/* Makes the list anew. Rows of the list before are not valid after it, and only then. */
void shelf_view(struct shelf *s, const struct shelf_ask *ask);
bool shelf_stale(const struct shelf *s);   /* time for that: much has gone since */
size_t shelf_count(const struct shelf *s); /* all */
size_t shelf_shown(const struct shelf *s);
size_t shelf_muted(const struct shelf *s); /* hidden because they are muted */
const struct shelf_row *shelf_at(const struct shelf *s, size_t i); /* of the list; NULL beyond */
const char *shelf_sort_name(enum shelf_sort by);
const char *shelf_twin_word(enum twin t); /* "favourite", "earlier job", "other offer" */

/* Offers that were not kept, altogether; *relay gets the one that sent the most of them. */
uint64_t shelf_dropped(const struct shelf *s, const char **relay);

/* By "d", "name:d", "npub...:d" or "hexkey:d", among those that have not expired.
 * "unknown-offer", or "ambiguous-offer" when several fit. */
const struct shelf_row *shelf_find(const struct shelf *s, const char *word, int64_t now,
                                   struct err *e);
/* The one that is alive; "unknown-offer", "ambiguous-offer". */
const struct shelf_row *shelf_only(const struct shelf *s, int64_t now, struct err *e);
/* The whole offer, as it was signed; owned. */
struct offer *shelf_offer(const struct shelf_row *r, struct err *e);

void shelf_claims(const struct offer *o, char *out, size_t n); /* "SNP + H100 CC" */
/* "chat with SmolLM2-135M-Instruct, 92 MB; 2 vcpu, 2048 MiB; job kind 5050". */
void shelf_runs(const struct offer *o, char *out, size_t n);
/* "free", "210 sat/job", "5 sat/min". */
void shelf_price(const struct offer *o, char *out, size_t n);

#endif
