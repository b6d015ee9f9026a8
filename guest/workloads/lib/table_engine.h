/* An engine that holds the customer's tables and answers questions about them: DuckDB in the guest
 * image, SQLite in the lean build of the same program. Which one it is was decided when the program
 * was built.
 *
 * What both keep to: files come only from the folder of the job's files; a question is one SELECT
 * and changes nothing; SQL reaches no file, no network, no extension and no setting; memory and
 * time are bounded; a question can be given up at any time. */
#ifndef CDVM_WORKLOAD_TABLE_ENGINE_H
#define CDVM_WORKLOAD_TABLE_ENGINE_H

#include "result.h"

#define TABLES_MAX 64

struct table_column {
    char *name, *type; /* the type in the engine's own words */
    bool number;
};
struct table_info {
    char *name;
    struct table_column *column;
    size_t n_columns;
    uint64_t rows;
};

struct table_limits {
    uint64_t memory;      /* bytes that the whole process may use */
    unsigned threads;     /* at least 1 */
    const char *in, *out; /* folders of the job's files and of results; no others are touched */
};

/* While an engine works. The callbacks come from one thread at a time, which need not be the
 * caller's. */
struct table_watch {
    bool (*stop)(void *arg); /* asked every few milliseconds; true = give up. NULL = never */
    /* Part of the work that is done (bytes of a file; of a question, as far as the engine can tell)
     * and rows so far. NULL = not told */
    void (*progress)(void *arg, uint64_t done, uint64_t total, uint64_t rows);
    /* The engine was told to stop and does not: ends the process. NULL = wait for ever */
    void (*stuck)(void *arg, const struct err *why);
    void *arg;
    int64_t deadline; /* CLOCK_MONOTONIC milliseconds; 0 = none */
};

struct table_db; /* each engine has its own */
struct table_engine {
    const char *name;
    const char *const *caps; /* what it takes, NULL-terminated: "csv", "parquet", ... */
    bool parquet;            /* results as Parquet, too */
    struct table_db *(*open)(const struct table_limits *l, struct err *e);
    void (*close)(struct table_db *d); /* NULL legal */
    /* A file becomes a table named after it. Codes "bad-csv", "bad-json", "bad-parquet",
     * "unsupported", "too-large", "cancelled", "timeout". */
    int (*load)(struct table_db *d, const char *file, const char *path, const struct table_watch *w,
                struct err *e);
    size_t (*tables)(const struct table_db *d);
    const struct table_info *(*table)(const struct table_db *d, size_t i);
    /* One question; its rows go into the result, or, with RESULT_PARQUET, the first ones into it
     * and all of them into the file at its path. Codes "bad-sql", "denied", "too-large",
     * "unsupported", "timeout", "cancelled". */
    int (*ask)(struct table_db *d, const char *sql, struct result *r, const struct table_watch *w,
               struct err *e);
    /* A question for one row about column k: what a person looks at first. Owned. */
    char *(*summary)(const struct table_info *t, size_t k);
};

extern const struct table_engine engine_duckdb, engine_sqlite;

/* --- what engines share --- */

struct table_list {
    struct table_info table[TABLES_MAX];
    size_t n;
};
/* A name for the file's table that no other has. Owned. NULL with "too-large" when there are
 * TABLES_MAX already. */
char *table_list_name(const struct table_list *l, const char *file, struct err *e);
void table_list_add(struct table_list *l, struct table_info *t); /* takes what it holds */
void table_list_free(struct table_list *l);
void table_info_free(struct table_info *t); /* leaves {0} */

/* NULL, or the code "timeout" or "cancelled": asks the watch once. */
const char *table_watch_ask(const struct table_watch *w);
int table_stopped(const char *code, struct err *e); /* says it: -1 */

/* `name` with doubled quotes between quotes, as SQL writes names ('"') and texts ('\''). Owned. */
char *sql_quoted(const char *name, char quote);

#endif
