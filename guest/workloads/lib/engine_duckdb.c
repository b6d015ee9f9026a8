/* The engine of the guest image: DuckDB, as two instances (duckdb_side.h says why). */
#include <stdlib.h>
#include <string.h>
#include "duckdb_csv.h"
#include "duckdb_side.h"
#include "duckdb_stream.h"
#include "duckdb_watch.h"

#define MEMORY_PROGRAM ((uint64_t)128 << 20) /* the library itself, stacks, buffers */
#define MEMORY_MIN ((uint64_t)64 << 20)

struct table_db {
    struct duckdb_side tables_of, files;
    struct table_list tables;
};

/* --- opening --- */

static void close_duckdb(struct table_db *d) {
    if (!d)
        return;
    table_list_free(&d->tables);
    side_close(&d->tables_of);
    side_close(&d->files);
    free(d);
}

/* Two thirds of what is left for the tables, a quarter for reading and writing files. */
static struct table_db *open_duckdb(const struct table_limits *l, struct err *e) {
    const char *const folders[] = {l->in, l->out};
    uint64_t left = l->memory > MEMORY_PROGRAM ? l->memory - MEMORY_PROGRAM : 0;
    struct table_db *d = mem_new(sizeof *d);

    left = left < MEMORY_MIN ? MEMORY_MIN : left;
    if (!side_open(&d->tables_of, left / 3 * 2, l->threads, NULL, 0, e) &&
        !side_open(&d->files, left / 4, 1, folders, COUNT(folders), e))
        return d;
    close_duckdb(d);
    return NULL;
}

static size_t tables(const struct table_db *d) {
    return d->tables.n;
}

static const struct table_info *table(const struct table_db *d, size_t i) {
    return &d->tables.table[i];
}

/* --- loading --- */

static int create(struct table_db *d, const char *name, struct duckdb_source *from,
                  const char *code, struct err *e) {
    cleanup_free char *quoted = sql_quoted(name, '"');
    cleanup_free char *sql = mem_fmt("CREATE TABLE %s AS SELECT * FROM cdvm_rows()", quoted);

    return side_run(&d->tables_of, sql, from, code, e);
}

static int load_csv(struct table_db *d, const char *path, struct table_info *t,
                    const struct table_watch *w, struct err *e) {
    struct table_csv file;
    struct duckdb_watch watch;
    struct duckdb_source from;
    struct duckdb_csv *c;
    int rc;

    if (table_csv_open(&file, path, t, w, e))
        return -1;
    rc = watch_start(&watch, w, d->tables_of.con, d->files.con, e);
    if (!rc) {
        c = duckdb_csv_new(&file, t, &watch);
        from = duckdb_csv_source(c);
        rc = watch_end(&watch, create(d, t->name, &from, "bad-csv", e), e);
        duckdb_csv_free(c);
    }
    table_csv_close(&file);
    return rc;
}

/* Names as in CSV: clean, none empty, none twice. */
static void name_columns(struct table_info *t, const struct duckdb_stream *s, char **names) {
    t->n_columns = stream_columns(s);
    t->column = mem_new(t->n_columns * sizeof *t->column);
    for (size_t i = 0; i < t->n_columns; i++) {
        struct csv_field f = {.text = view_str(stream_name(s, i))};

        t->column[i].name = names[i] = column_name(&f, names, i);
    }
}

static int copy_in(struct table_db *d, const char *sql, const char *code, struct table_info *t,
                   struct err *e) {
    cleanup_free char **names = NULL;
    struct duckdb_source from;
    struct duckdb_stream *s;
    duckdb_result r;
    int rc;

    if (side_stream(&d->files, sql, NULL, code, &r, e))
        return -1;
    s = stream_new(&r, code);
    names = mem_new(stream_columns(s) * sizeof *names);
    name_columns(t, s, names);
    from = stream_source(s, (const char *const *)names);
    rc = create(d, t->name, &from, code, e);
    stream_free(s);
    duckdb_destroy_result(&r);
    return rc;
}

static int load_other(struct table_db *d, enum table_file kind, const char *path,
                      struct table_info *t, const struct table_watch *w, struct err *e) {
    static const struct {
        const char *sql, *code;
    } readers[] = {
        [TABLE_FILE_JSON] = {"SELECT * FROM read_json(%s, sample_size=-1)", "bad-json"},
        [TABLE_FILE_PARQUET] = {"SELECT * FROM read_parquet(%s)", "bad-parquet"},
    };
    cleanup_free char *quoted = sql_quoted(path, '\'');
    cleanup_buf struct buf sql = {0};
    struct duckdb_watch watch;
    const char *form = readers[kind].sql, *at = strstr(form, "%s");

    buf_add(&sql, form, (size_t)(at - form));
    buf_str(&sql, quoted);
    buf_str(&sql, at + 2);
    buf_u8(&sql, 0);
    if (watch_start(&watch, w, d->files.con, d->tables_of.con, e))
        return -1;
    return watch_end(&watch, copy_in(d, (const char *)sql.p, readers[kind].code, t, e), e);
}

/* --- what a table became --- */

static bool is_number(const char *type) {
    static const char *const words[] = {"TINYINT", "SMALLINT", "INTEGER",   "BIGINT",
                                        "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                        "UBIGINT", "UHUGEINT", "FLOAT",     "DOUBLE"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcmp(type, words[i]))
            return true;
    return !strncmp(type, "DECIMAL(", 8) && type[strlen(type) - 1] == ')';
}

static int ask_one(struct table_db *d, const char *sql, duckdb_result *r, struct err *e) {
    if (duckdb_query(d->tables_of.con, sql, r) == DuckDBSuccess)
        return 0;
    side_fail(duckdb_result_error(r), "system", e);
    duckdb_destroy_result(r);
    return -1;
}

static int read_types(struct table_db *d, struct table_info *t, struct err *e) {
    cleanup_free char *name = sql_quoted(t->name, '\'');
    cleanup_free char *sql = mem_fmt("SELECT data_type FROM duckdb_columns() WHERE table_name=%s "
                                     "ORDER BY column_index",
                                     name);
    duckdb_result r;

    if (ask_one(d, sql, &r, e))
        return -1;
    for (size_t i = 0; i < t->n_columns; i++) {
        char *type = duckdb_value_varchar(&r, 0, i);

        t->column[i].type = mem_str(type ? type : "");
        t->column[i].number = is_number(t->column[i].type);
        duckdb_free(type);
    }
    duckdb_destroy_result(&r);
    return 0;
}

static int read_rows(struct table_db *d, struct table_info *t, struct err *e) {
    cleanup_free char *name = sql_quoted(t->name, '"');
    cleanup_free char *sql = mem_fmt("SELECT count(*) FROM %s", name);
    duckdb_result r;

    if (ask_one(d, sql, &r, e))
        return -1;
    t->rows = (uint64_t)duckdb_value_int64(&r, 0, 0);
    duckdb_destroy_result(&r);
    return 0;
}

static int load(struct table_db *d, const char *file, const char *path, const struct table_watch *w,
                struct err *e) {
    struct table_info t = {.name = table_list_name(&d->tables, file, e)};
    enum table_file kind = table_kind(file, path);
    int rc = -1;

    if (t.name)
        rc = kind == TABLE_FILE_CSV ? load_csv(d, path, &t, w, e)
                                    : load_other(d, kind, path, &t, w, e);
    if (!rc)
        rc = read_types(d, &t, e) || read_rows(d, &t, e) ? -1 : 0;
    if (!rc)
        table_list_add(&d->tables, &t);
    table_info_free(&t);
    return rc;
}

/* --- questions --- */

/* DuckDB turns SHOW, DESCRIBE and the PRAGMAs that only tell into SELECT before this. */
static int check_kind(duckdb_prepared_statement p, struct err *e) {
    duckdb_statement_type type = duckdb_prepared_statement_type(p);

    if (type == DUCKDB_STATEMENT_TYPE_SELECT || type == DUCKDB_STATEMENT_TYPE_EXPLAIN)
        return 0;
    return err_set(e, "denied",
                   "only questions are allowed (SELECT): this one does something else");
}

static int check_one(duckdb_extracted_statements all, idx_t n, struct err *e) {
    if (n == 1)
        return 0;
    if (n)
        return err_set(e, "denied", "one statement per question: ask them one after the other");
    if (duckdb_extract_statements_error(all))
        return side_fail(duckdb_extract_statements_error(all), "bad-sql", e);
    return err_set(e, "bad-sql", "there is no statement in this question");
}

static int prepare(struct table_db *d, const char *sql, duckdb_prepared_statement *out,
                   struct err *e) {
    duckdb_extracted_statements all = NULL;
    idx_t n = duckdb_extract_statements(d->tables_of.con, sql, &all);
    int rc = check_one(all, n, e);

    if (!rc && duckdb_prepare_extracted_statement(d->tables_of.con, all, 0, out) != DuckDBSuccess)
        rc = side_fail(duckdb_prepare_error(*out), "bad-sql", e);
    if (!rc)
        rc = check_kind(*out, e);
    duckdb_destroy_extracted(&all);
    return rc;
}

static int execute(struct table_db *d, duckdb_prepared_statement p, struct result *out,
                   struct err *e) {
    struct duckdb_stream *s;
    duckdb_result r;
    int rc;

    if (duckdb_execute_prepared_streaming(p, &r) != DuckDBSuccess)
        rc = side_fail(duckdb_result_error(&r), "bad-sql", e);
    else {
        s = stream_new(&r, "bad-sql");
        rc = stream_answer(s, &d->files, out, e);
        stream_free(s);
    }
    duckdb_destroy_result(&r);
    return rc;
}

/* In a transaction that cannot write, whatever the statement turns out to be. */
static int answer(struct table_db *d, const char *sql, struct result *out, struct err *e) {
    duckdb_prepared_statement p = NULL;
    int rc = side_run(&d->tables_of, "BEGIN TRANSACTION READ ONLY", NULL, "system", e);

    if (rc)
        return -1;
    rc = prepare(d, sql, &p, e);
    if (!rc)
        rc = execute(d, p, out, e);
    duckdb_destroy_prepare(&p);
    return rc;
}

/* The transaction ends behind the watch: what stops a statement must not stop this one, or every
 * later question meets an aborted transaction. */
static int ask(struct table_db *d, const char *sql, struct result *r, const struct table_watch *w,
               struct err *e) {
    struct duckdb_watch watch;
    struct err ignored;
    int rc;

    if (watch_start(&watch, w, d->tables_of.con, d->files.con, e))
        return -1;
    rc = watch_end(&watch, answer(d, sql, r, e), e);
    if (side_run(&d->tables_of, "ROLLBACK", NULL, "system", rc ? &ignored : e))
        rc = -1;
    return rc;
}

/* --- the word summary --- */

static char *summary(const struct table_info *t, size_t k) {
    const struct table_column *c = &t->column[k];
    cleanup_free char *table = sql_quoted(t->name, '"'), *table_text = sql_quoted(t->name, '\''),
                      *name = sql_quoted(c->name, '"'), *name_text = sql_quoted(c->name, '\''),
                      *type = sql_quoted(c->type, '\'');
    cleanup_free char *number = c->number ? mem_fmt("avg(%s) AS mean, sum(%s) AS sum", name, name)
                                          : mem_str("NULL AS mean, NULL AS sum");

    return mem_fmt(
        "SELECT %s AS \"table\", %s AS \"column\", %s AS \"type\", count(*) AS \"rows\", "
        "count(*) - count(%s) AS \"empty\", count(DISTINCT %s) AS \"distinct\", "
        "min(%s) AS \"min\", max(%s) AS \"max\", %s FROM %s",
        table_text, name_text, type, name, name, name, name, number, table);
}

static const char *const caps[] = {"csv", "parquet", "json", "sql", "summary", "columns", NULL};

const struct table_engine engine_duckdb = {.name = "DuckDB",
                                           .caps = caps,
                                           .parquet = true,
                                           .open = open_duckdb,
                                           .close = close_duckdb,
                                           .load = load,
                                           .tables = tables,
                                           .table = table,
                                           .ask = ask,
                                           .summary = summary};
