/* The lean engine: an SQLite database that exists in memory only. An authorizer denies writing,
 * ATTACH, VACUUM INTO, pragmas but the few that describe tables, and loading of extensions. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "table_csv.h"

#define PROGRESS_OPS 20000 /* virtual machine steps between two looks at stop and clock */
#define CELLS_MAX 2000

struct table_db {
    sqlite3 *db;
    struct table_list tables;
    bool loading; /* our own statements, not the customer's */
    bool denied;  /* by the authorizer, in this question */
    const struct table_watch *watch;
    const char *stopped; /* "timeout" or "cancelled" once the watch has said so */
};

static bool must_stop(struct table_db *d) {
    if (!d->stopped)
        d->stopped = table_watch_ask(d->watch);
    return d->stopped != NULL;
}

static int on_steps(void *arg) {
    return must_stop(arg);
}

/* Describing pragmas only; they take a table's name and change nothing. */
static bool pragma_ok(const char *name) {
    static const char *const safe[] = {"table_info", "table_xinfo",   "table_list",    "index_list",
                                       "index_info", "function_list", "collation_list"};

    for (size_t i = 0; i < COUNT(safe); i++)
        if (!strcasecmp(name, safe[i]))
            return true;
    return false;
}

static bool action_ok(int action, const char *a, const char *b) {
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
        return true;
    case SQLITE_FUNCTION:
        return !b || strcasecmp(b, "load_extension");
    case SQLITE_PRAGMA:
        return a && pragma_ok(a);
    }
    return false;
}

static int on_authorize(void *arg, int action, const char *a, const char *b, const char *db,
                        const char *trigger) {
    struct table_db *d = arg;

    (void)db, (void)trigger;
    if (d->loading || action_ok(action, a, b))
        return SQLITE_OK;
    d->denied = true;
    return SQLITE_DENY;
}

static const struct {
    int what, value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 16 << 20},
    {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
    {SQLITE_LIMIT_COLUMN, 2000},
    {SQLITE_LIMIT_EXPR_DEPTH, 200},
    {SQLITE_LIMIT_COMPOUND_SELECT, 100},
    {SQLITE_LIMIT_VDBE_OP, 100000},
    {SQLITE_LIMIT_FUNCTION_ARG, 100},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 10},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

static int run(struct table_db *d, const char *sql) {
    return sqlite3_exec(d->db, sql, NULL, NULL, NULL);
}

static void configure(struct table_db *d) {
    for (size_t i = 0; i < COUNT(limits); i++)
        sqlite3_limit(d->db, limits[i].what, limits[i].value);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_set_authorizer(d->db, on_authorize, d);
    sqlite3_progress_handler(d->db, PROGRESS_OPS, on_steps, d);
}

static void close_sqlite(struct table_db *d) {
    if (!d)
        return;
    table_list_free(&d->tables);
    sqlite3_close(d->db);
    free(d);
}

/* Three quarters of the memory: the rest is for the mapped file and the program. */
static struct table_db *open_sqlite(const struct table_limits *l, struct err *e) {
    struct table_db *d = mem_new(sizeof *d);

    sqlite3_hard_heap_limit64((sqlite3_int64)(l->memory / 4 * 3));
    d->loading = true;
    if (sqlite3_open_v2(":memory:", &d->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK) {
        configure(d);
        if (run(d, "PRAGMA temp_store=memory; PRAGMA mmap_size=0") == SQLITE_OK) {
            d->loading = false;
            return d;
        }
    }
    err_set(e, "system", "SQLite does not start: %s", sqlite3_errmsg(d->db));
    close_sqlite(d);
    return NULL;
}

static size_t tables(const struct table_db *d) {
    return d->tables.n;
}

static const struct table_info *table(const struct table_db *d, size_t i) {
    return &d->tables.table[i];
}

/* SQLite's outcome as one of our codes. */
static int fail(struct table_db *d, int rc, struct err *e) {
    if (d->stopped)
        return table_stopped(d->stopped, e);
    if (rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG || rc == SQLITE_FULL)
        return err_set(e, "too-large", "this needs more memory than the guest gives to tables");
    if (d->denied)
        return err_set(e, "denied", "only questions are allowed (SELECT): %s",
                       sqlite3_errmsg(d->db));
    return err_set(e, "bad-sql", "%s", sqlite3_errmsg(d->db));
}

/* --- loading --- */

static const char *sql_type(enum column_type t) {
    return t == COLUMN_INT ? "INTEGER" : t == COLUMN_REAL ? "REAL" : "TEXT";
}

static void name_types(struct table_info *t, const struct column_scan *scan) {
    for (size_t i = 0; i < t->n_columns; i++) {
        t->column[i].type = mem_str(sql_type(scan[i].type));
        t->column[i].number = scan[i].type == COLUMN_INT || scan[i].type == COLUMN_REAL;
    }
}

static char *create_sql(const struct table_info *t) {
    cleanup_buf struct buf sql = {0};
    cleanup_free char *name = sql_quoted(t->name, '"');

    buf_str(&sql, "CREATE TABLE ");
    buf_str(&sql, name);
    for (size_t i = 0; i < t->n_columns; i++) {
        cleanup_free char *column = sql_quoted(t->column[i].name, '"');

        buf_str(&sql, i ? ", " : " (");
        buf_str(&sql, column);
        buf_str(&sql, " ");
        buf_str(&sql, t->column[i].type);
    }
    buf_str(&sql, ")");
    return buf_take(&sql);
}

static char *insert_sql(const struct table_info *t) {
    cleanup_buf struct buf sql = {0};
    cleanup_free char *name = sql_quoted(t->name, '"');

    buf_str(&sql, "INSERT INTO ");
    buf_str(&sql, name);
    buf_str(&sql, " VALUES (");
    for (size_t i = 0; i < t->n_columns; i++)
        buf_str(&sql, i ? ",?" : "?");
    buf_str(&sql, ")");
    return buf_take(&sql);
}

/* Numbers are short (columns.c), so a copy with a NUL is cheap. */
static void bind(sqlite3_stmt *s, int i, enum column_type type, const struct csv_field *f) {
    char number[72];

    if (!f->text.n && !(f->quoted && type >= COLUMN_DATE)) {
        sqlite3_bind_null(s, i);
        return;
    }
    if (type >= COLUMN_DATE || f->text.n >= sizeof number) {
        sqlite3_bind_text(s, i, f->text.n ? (const char *)f->text.p : "", (int)f->text.n,
                          SQLITE_STATIC);
        return;
    }
    memcpy(number, f->text.p, f->text.n);
    number[f->text.n] = '\0';
    if (type == COLUMN_INT)
        sqlite3_bind_int64(s, i, strtoll(number, NULL, 10));
    else
        sqlite3_bind_double(s, i, strtod(number, NULL));
}

static int look(struct table_db *d, const struct table_csv *c, uint64_t rows, struct err *e) {
    const struct table_watch *w = d->watch;

    if (must_stop(d))
        return table_stopped(d->stopped, e);
    if (w && w->progress)
        w->progress(w->arg, c->bytes.n + csv_offset(c->csv), table_csv_total(c), rows);
    return 0;
}

static int insert_rows(struct table_db *d, struct table_csv *c, sqlite3_stmt *s, struct err *e) {
    struct csv_row row;
    uint64_t rows = 0;
    int rc;

    while ((rc = csv_next(c->csv, &row, e)) == 1) {
        for (size_t i = 0; i < row.n; i++)
            bind(s, (int)i + 1, c->scan[i].type, &row.field[i]);
        rc = sqlite3_step(s);
        sqlite3_reset(s);
        if (rc != SQLITE_DONE)
            return fail(d, rc, e);
        if (++rows % TABLE_CSV_ROWS == 0 && look(d, c, rows, e))
            return -1;
    }
    return rc;
}

static int fill(struct table_db *d, struct table_csv *c, const struct table_info *t,
                struct err *e) {
    cleanup_free char *create = create_sql(t);
    cleanup_free char *insert = insert_sql(t);
    sqlite3_stmt *s = NULL;
    int rc = run(d, "BEGIN");

    if (rc == SQLITE_OK)
        rc = run(d, create);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(d->db, insert, -1, &s, NULL);
    rc = rc == SQLITE_OK ? insert_rows(d, c, s, e) : fail(d, rc, e);
    sqlite3_finalize(s);
    if (!rc && run(d, "COMMIT") != SQLITE_OK)
        rc = fail(d, sqlite3_errcode(d->db), e);
    if (rc)
        run(d, "ROLLBACK");
    return rc;
}

static int load_csv(struct table_db *d, const char *path, struct table_info *t, struct err *e) {
    struct table_csv c;
    int rc;

    if (table_csv_open(&c, path, t, d->watch, e))
        return -1;
    name_types(t, c.scan);
    d->loading = true;
    rc = fill(d, &c, t, e);
    d->loading = false;
    table_csv_close(&c);
    return rc;
}

static void begin(struct table_db *d, const struct table_watch *w) {
    d->watch = w;
    d->stopped = NULL;
    d->denied = false;
}

static int load(struct table_db *d, const char *file, const char *path, const struct table_watch *w,
                struct err *e) {
    struct table_info t = {.name = table_list_name(&d->tables, file, e)};
    int rc;

    begin(d, w);
    rc = !t.name ? -1
         : table_kind(file, path) == TABLE_FILE_CSV
             ? load_csv(d, path, &t, e)
             : err_set(e, "unsupported", "this program reads CSV only: it is the lean build");
    if (!rc)
        table_list_add(&d->tables, &t);
    table_info_free(&t);
    return rc;
}

/* --- answers --- */

static bool put_names(struct result *r, sqlite3_stmt *s) {
    struct view names[CELLS_MAX];
    int n = sqlite3_column_count(s);

    for (int i = 0; i < n && i < CELLS_MAX; i++)
        names[i] = view_str(sqlite3_column_name(s, i));
    return result_names(r, names, (size_t)(n < CELLS_MAX ? n : CELLS_MAX));
}

/* A blob is shown as its size. */
static struct view cell(sqlite3_stmt *s, int i, char **owned) {
    const void *text;

    switch (sqlite3_column_type(s, i)) {
    case SQLITE_NULL:
        return (struct view){0};
    case SQLITE_BLOB:
        return view_str(*owned = mem_fmt("(%d bytes)", sqlite3_column_bytes(s, i)));
    }
    text = sqlite3_column_text(s, i);
    return view_of(text, (size_t)sqlite3_column_bytes(s, i));
}

static bool put_row(struct result *r, sqlite3_stmt *s) {
    struct view cells[CELLS_MAX];
    char *owned[CELLS_MAX] = {NULL};
    int n = sqlite3_column_count(s);
    bool ok;

    n = n < CELLS_MAX ? n : CELLS_MAX;
    for (int i = 0; i < n; i++)
        cells[i] = cell(s, i, &owned[i]);
    ok = result_cells(r, cells, (size_t)n);
    for (int i = 0; i < n; i++)
        free(owned[i]);
    return ok;
}

/* --- questions --- */

static bool only_space(const char *sql) {
    return sql[strspn(sql, " \t\r\n;")] == '\0';
}

static int prepare(struct table_db *d, const char *sql, sqlite3_stmt **s, struct err *e) {
    const char *rest;
    int rc = sqlite3_prepare_v3(d->db, sql, -1, 0, s, &rest);

    if (rc != SQLITE_OK)
        return fail(d, rc, e);
    if (!*s)
        return err_set(e, "bad-sql", "there is no statement in this question");
    if (!only_space(rest))
        return err_set(e, "denied", "one statement per question");
    return 0;
}

static int ask(struct table_db *d, const char *sql, struct result *r, const struct table_watch *w,
               struct err *e) {
    sqlite3_stmt *s = NULL;
    int rc;

    begin(d, w);
    rc = prepare(d, sql, &s, e);
    if (!rc && put_names(r, s)) {
        while ((rc = sqlite3_step(s)) == SQLITE_ROW && put_row(r, s))
            ;
        rc = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : fail(d, rc, e);
    }
    sqlite3_finalize(s);
    return rc;
}

/* --- the word summary --- */

/* What only numbers have. A sum of integers may leave 64 bits: total() does not mind. */
static char *number_sql(const struct table_column *c) {
    const char *name = c->name;

    if (!c->number)
        return sqlite3_mprintf("NULL AS \"mean\", NULL AS \"sum\"");
    if (!strcmp(c->type, "REAL"))
        return sqlite3_mprintf("avg(\"%w\") AS \"mean\", total(\"%w\") AS \"sum\"", name, name);
    return sqlite3_mprintf("avg(\"%w\") AS \"mean\", CASE WHEN abs(total(\"%w\")) < 9e15 THEN "
                           "CAST(total(\"%w\") AS INTEGER) ELSE total(\"%w\") END AS \"sum\"",
                           name, name, name, name);
}

static char *summary(const struct table_info *t, size_t k) {
    const char *c = t->column[k].name;
    char *number = number_sql(&t->column[k]);
    char *sql = sqlite3_mprintf(
        "SELECT %Q AS \"table\", %Q AS \"column\", %Q AS \"type\", count(*) AS \"rows\", "
        "count(*) - count(\"%w\") AS \"empty\", count(DISTINCT \"%w\") AS \"distinct\", "
        "min(\"%w\") AS \"min\", max(\"%w\") AS \"max\", %s FROM \"%w\"",
        t->name, c, t->column[k].type, c, c, c, c, number ? number : "NULL", t->name);
    char *out = mem_str(sql ? sql : "");

    sqlite3_free(number);
    sqlite3_free(sql);
    return out;
}

static const char *const caps[] = {"csv", "sql", "summary", "columns", NULL};

const struct table_engine engine_sqlite = {.name = "SQLite",
                                           .caps = caps,
                                           .open = open_sqlite,
                                           .close = close_sqlite,
                                           .load = load,
                                           .tables = tables,
                                           .table = table,
                                           .ask = ask,
                                           .summary = summary};
