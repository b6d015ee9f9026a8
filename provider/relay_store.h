/* Stored events of the embedded relay: SQLite in WAL mode, one writer, batched transactions. */
#ifndef CDVM_RELAY_STORE_H
#define CDVM_RELAY_STORE_H

#include "core/event.h"
#include "core/filter.h"

struct relay_store;
struct relay_store *relay_store_new(const char *file, struct err *e);
void relay_store_free(struct relay_store *s); /* commits; NULL legal */

enum relay_put {
    RELAY_PUT_NEW,
    RELAY_PUT_DUPLICATE, /* this very event is there */
    RELAY_PUT_OLDER,     /* a newer version of a replaceable event is there (NIP-01) */
    RELAY_PUT_DELETED,   /* its deletion was asked for earlier (NIP-09) */
    RELAY_PUT_FAILED,    /* disk full, say; sentence in e */
};
/* Stores, replaces older versions and, for kind 5, deletes. Opens a transaction when none is:
 * nothing is durable before relay_store_commit. json is the serialised event. */
enum relay_put relay_store_put(struct relay_store *s, const struct event *ev, struct view json,
                               struct err *e);
int relay_store_commit(struct relay_store *s, struct err *e) WARN_UNUSED;

/* Who asks: gift wraps (1059) are visible only to keys of this list that they are addressed to. */
struct relay_reader {
    const uint8_t (*keys)[32];
    size_t n;
};
/* Row numbers matching any filter, newest first, each once; owned. At most `max` per filter.
 * Expired events are left out. -1 with "too-broad" when the search takes too long. */
int relay_store_find(struct relay_store *s, struct filter *const f[], size_t n_f,
                     struct relay_reader who, int64_t now, int64_t max, int64_t **rows, size_t *n,
                     struct err *e) WARN_UNUSED;
/* Events matching any filter, each once, at most max per filter. */
int relay_store_count(struct relay_store *s, struct filter *const f[], size_t n_f,
                      struct relay_reader who, int64_t now, int64_t max, uint64_t *count,
                      struct err *e) WARN_UNUSED;
/* The event of a row, appended; false when it is gone by now. */
bool relay_store_json(struct relay_store *s, int64_t row, struct buf *out);
void relay_store_purge(struct relay_store *s, int64_t now); /* drops expired events */

#endif
