#include "broker_book.h"

#include <sqlite3.h>

struct broker_book {
    sqlite3 *db;
};

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS given("
    " release BLOB NOT NULL, work BLOB NOT NULL, model BLOB NOT NULL, chip BLOB NOT NULL,"
    " n INT NOT NULL, last INT NOT NULL,"
    " PRIMARY KEY(release,work,model,chip)) WITHOUT ROWID;";

struct broker_book *broker_book_open(const char *path, struct err *e) {
    struct broker_book *b = mem_new(sizeof *b);

    if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
            SQLITE_OK &&
        sqlite3_busy_timeout(b->db, 2000) == SQLITE_OK &&
        sqlite3_exec(b->db, schema, NULL, NULL, NULL) == SQLITE_OK)
        return b;
    err_set(e, "book", "cannot open the book '%s': %s", path, sqlite3_errmsg(b->db));
    broker_book_free(b);
    return NULL;
}

void broker_book_free(struct broker_book *b) {
    if (!b)
        return;
    sqlite3_close(b->db);
    cleanup_free_fn(&b);
}

/* One statement, so one transaction: nothing is counted past either bound, whoever else writes. */
static const char take[] =
    "INSERT INTO given(release,work,model,chip,n,last) SELECT ?1,?2,?3,?4,1,?5"
    " WHERE ?7=0 OR ?7>(SELECT coalesce(sum(n),0) FROM given"
    "  WHERE release=?1 AND work=?2 AND model=?3)"
    " ON CONFLICT DO UPDATE SET n=n+1,last=excluded.last WHERE n<?6 RETURNING n";

static void bind(sqlite3_stmt *s, int i, struct view v) {
    sqlite3_bind_blob(s, i, v.n ? v.p : (const void *)"", (int)v.n, SQLITE_STATIC);
}

static int step(struct broker_book *b, sqlite3_stmt *s, const struct broker_row *row,
                uint64_t *count, struct err *e) {
    int rc = s ? sqlite3_step(s) : SQLITE_ERROR;

    if (rc == SQLITE_ROW) {
        if (count)
            *count = (uint64_t)sqlite3_column_int64(s, 0);
        rc = sqlite3_step(s);
        if (rc == SQLITE_DONE)
            return 0;
    } else if (rc == SQLITE_DONE)
        return err_set(e, "count-exhausted",
                       "the row of line %u has given all its keys (max %llu, total %llu)",
                       row->line, (unsigned long long)row->max, (unsigned long long)row->total);
    return err_set(e, "book", "the book cannot be written: %s", sqlite3_errmsg(b->db));
}

int broker_book_take(struct broker_book *b, const struct broker_row *row, struct view chip,
                     int64_t now, uint64_t *count, struct err *e) {
    sqlite3_stmt *s = NULL;
    int rc;

    if (sqlite3_prepare_v2(b->db, take, -1, &s, NULL) == SQLITE_OK) {
        bind(s, 1, view_of(row->release, 32));
        bind(s, 2, view_of(row->work.root, 32));
        bind(s, 3, view_of(row->model.root, 32));
        bind(s, 4, chip);
        sqlite3_bind_int64(s, 5, now);
        sqlite3_bind_int64(s, 6, (int64_t)row->max);
        sqlite3_bind_int64(s, 7, (int64_t)row->total);
    }
    rc = step(b, s, row, count, e);
    sqlite3_finalize(s);
    return rc;
}
