/* The customer's tables in an SQLite database that exists in memory only, and questions to it.
 *
 * While files are loaded the database is ours; after database_lock it answers SELECT and nothing
 * else: an authorizer denies writing, ATTACH, VACUUM INTO, pragmas but the few that describe
 * tables, and loading of extensions; lengths, depths, memory and time are limited; a question can
 * be given up at any time. */
#ifndef CDVM_WORKLOAD_DATABASE_H
#define CDVM_WORKLOAD_DATABASE_H

#include <sqlite3.h>
#include "columns.h"

#define TABLES_MAX 64

struct database;
/* memory: bytes that SQLite may use. */
struct database *database_new(uint64_t memory, struct err *e);
void database_free(struct database *d);

/* Asked every few milliseconds of long work; true = give up. */
typedef bool database_stop_fn(void *arg);
/* While loading: rows so far, and the part of the bytes that is done. */
typedef void database_progress_fn(void *arg, uint64_t done, uint64_t total, uint64_t rows);
struct database_watch {
    database_stop_fn *stop;
    database_progress_fn *progress; /* NULL = none */
    void *arg;
    int64_t deadline; /* CLOCK_MONOTONIC milliseconds; 0 = none */
};

/* A CSV becomes a table named after its file. Codes "bad-csv", "too-large", "cancelled", "timeout".
 */
struct database_table {
    char *name;
    char **column;
    enum column_type *type;
    size_t n_columns;
    uint64_t rows;
};
int database_load(struct database *d, const char *file, struct view bytes,
                  const struct database_watch *w, struct err *e) WARN_UNUSED;
size_t database_tables(const struct database *d);
const struct database_table *database_table(const struct database *d, size_t i);

/* One question. Rows are given to the callback as SQLite has them; false from it ends the question.
 * Codes "bad-sql", "denied", "too-large", "timeout", "cancelled". */
struct database_sink {
    bool (*columns)(void *arg, sqlite3_stmt *s);
    bool (*row)(void *arg, sqlite3_stmt *s);
    void *arg;
};
int database_ask(struct database *d, const char *sql, const struct database_sink *sink,
                 const struct database_watch *w, struct err *e) WARN_UNUSED;

#endif
