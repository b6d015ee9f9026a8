/* Inside of the relay's store: shared by relay_store.c (writing) and relay_query.c (reading). */
#ifndef CDVM_RELAY_STORE_PRIV_H
#define CDVM_RELAY_STORE_PRIV_H

#include <sqlite3.h>

#include "relay_store.h"

enum stmt {
    ST_BEGIN,
    ST_COMMIT,
    ST_SAVE,
    ST_UNDO,
    ST_RELEASE,
    ST_INSERT,
    ST_TAG,
    ST_BY_ID,
    ST_BY_SLOT,
    ST_DROP,
    ST_DROP_TAGS,
    ST_JSON,
    ST_GONE,
    ST_GONE_ADD,
    ST_GONE_SLOT,
    ST_GONE_SLOT_ADD,
    ST_ADDRESSED,
    ST_EXPIRED,
    ST_COUNT
};

struct relay_store {
    sqlite3 *db;
    sqlite3_stmt *st[ST_COUNT];
    bool open;            /* a transaction is */
    int64_t search_until; /* loop_now at which a running search is cut off; 0 = no search */
};

int relay_store_err(struct relay_store *s, struct err *e, const char *what); /* -1 */

#endif
