/* The screen of keys and settings as data: rows made of the settings and of what is known about
 * relays and policy, and a cursor among those that can be chosen. No curses. */
#ifndef CDVM_OPTIONS_H
#define CDVM_OPTIONS_H

#include "core/relay.h"
#include "tui/identity.h"
#include "tui/list.h"
#include "tui/settings.h"
#include "tui/theme.h"

#define OPTION_ROWS 160
#define OPTION_RELAYS 32
#define OPTION_ENDORSERS 4

/* A relay that is in use. */
struct option_relay {
    char url[256];
    enum relay_state state;
    int64_t ping, retry; /* milliseconds; -1 unknown */
    uint64_t events;
};
/* A relay that was tried on its own. */
struct option_try {
    char url[256];
    bool running;
    int64_t ms; /* -1: it did not answer, and why */
    char why[160];
};
/* What the policy of the next job rests on. */
struct option_policy {
    struct policy policy;
    size_t endorsers, agree, digests, floors; /* pinned keys, how many must agree, pinned manifests,
                                                 floors that endorsers gave */
    char endorser[OPTION_ENDORSERS][20];      /* short keys of the first ones */
    int64_t collateral;                       /* Unix seconds, of the newest kept; 0 none */
};

enum option_kind {
    OPTION_HEAD,  /* of a group */
    OPTION_NOTE,  /* only read */
    OPTION_KEY,   /* a key and its value */
    OPTION_ENTRY, /* one entry of a list key, switched on or off */
    OPTION_ADD,   /* one more entry */
    OPTION_WHO,   /* an identity, or one-time keys */
    OPTION_MAKE,  /* an identity to be made */
    OPTION_IMPORT,
    OPTION_SIGNER, /* an identity whose key is elsewhere */
};
struct option_row {
    enum option_kind kind;
    const struct conf_key *key; /* of KEY, ENTRY and ADD */
    const char *who;            /* WHO: borrowed; NULL: one-time keys */
    bool on;                    /* ENTRY, WHO */
    enum role role;
    char label[256], value[160], note[160];
};

struct options {
    struct option_row row[OPTION_ROWS];
    size_t n, right; /* rows from `right` on stand in the right column, where there are two */
    size_t cur, top[2];
    struct option_relay relay[OPTION_RELAYS];
    size_t n_relays;
    struct option_try tries[OPTION_RELAYS];
    size_t n_tries;
    struct option_policy policy;
};

/* Where things lie, as it is shown. */
struct option_places {
    const char *config, *state, *receipts, *folder;
};
/* l: NULL: no identities are kept. now: Unix seconds. given: the policy of this run's command line,
 * or NULL. */
void options_fill(struct options *o, struct settings *s, const struct identities *l,
                  const struct option_places *p, const char *given, int64_t now);
void options_move(struct options *o, enum list_move m, size_t page);
void options_side(struct options *o, bool right); /* to the other column */
/* Keeps the cursor in sight of columns of `height` rows. */
void options_show(struct options *o, size_t height, bool two);
const struct option_row *options_at(const struct options *o); /* under the cursor; NULL: none */

struct option_try *options_try(struct options *o, const char *url); /* made when it is new */
/* "up", "retry 8 s"; of one that is not in use, how its trial went: "ok 41 ms". numbers: ping in
 * milliseconds and events, in columns of 5 and 6, of one that is in use. */
enum role options_relay_words(const struct options *o, const char *url, bool used,
                              char state[static 160], char numbers[static 64]);

#endif
