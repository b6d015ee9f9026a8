/* One DuckDB instance, with a table function cdvm_rows() through which this program hands rows to
 * its queries.
 *
 * The workload has two of them. The question side holds the tables and runs the customer's SQL; it
 * is made with no folder at all, so from its first moment nothing it is asked can touch a file. The
 * file side runs only this program's own statements and may touch the folders of job files and of
 * results: it reads Parquet and JSON, turns values into text, and writes Parquet. Rows cross from
 * one to the other as data chunks; SQL never does. In both, settings are locked, extensions are off
 * and there is no temporary folder. */
#ifndef CDVM_WORKLOAD_DUCKDB_SIDE_H
#define CDVM_WORKLOAD_DUCKDB_SIDE_H

#include <duckdb.h>
#include "core/bytes.h"

/* Where the rows of cdvm_rows() come from. */
struct duckdb_source {
    size_t n; /* columns */
    const char *const *name;
    const duckdb_logical_type *type;
    /* Fills `out`, which is empty and has those columns; leaving it empty is the end. */
    bool (*next)(void *arg, duckdb_data_chunk out, struct err *e);
    void *arg;
    bool failed; /* by next; `why` says how */
    struct err why;
};

struct duckdb_side {
    duckdb_database db;
    duckdb_connection con;
    struct duckdb_source *source; /* of the statement that runs; NULL = none */
};
/* memory: bytes its tables and queries may use. folders: what it may read and write, n of them. */
int side_open(struct duckdb_side *s, uint64_t memory, unsigned threads, const char *const *folders,
              size_t n, struct err *e) WARN_UNUSED;
void side_close(struct duckdb_side *s); /* legal on {0} */

/* Runs one of our statements, with the rows of `from` (NULL = none). `code` is that of an error
 * that is the rows' own fault. */
int side_run(struct duckdb_side *s, const char *sql, struct duckdb_source *from, const char *code,
             struct err *e) WARN_UNUSED;
/* The same with an answer that is fetched chunk by chunk while the statement runs. On success the
 * caller destroys `out`, and sets s->source to NULL after that. */
int side_stream(struct duckdb_side *s, const char *sql, struct duckdb_source *from,
                const char *code, duckdb_result *out, struct err *e) WARN_UNUSED;

/* DuckDB's words as one of our errors: "denied", "too-large", "unsupported" or `code`. -1. */
int side_fail(const char *words, const char *code, struct err *e);

#endif
