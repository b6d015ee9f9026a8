#include "database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "core/text.h"

#define PROGRESS_OPS 20000 /* virtual machine steps between two looks at stop and clock */
#define PROGRESS_ROWS 4096

struct database {
    sqlite3 *db;
    struct database_table table[TABLES_MAX];
    size_t n;
    bool loading; /* our own statements, not the customer's */
    bool denied;  /* by the authorizer, in this question */
    const struct database_watch *watch;
    const char *stopped; /* "timeout" or "cancelled" once the watch has said so */
};

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool must_stop(struct database *d) {
    const struct database_watch *w = d->watch;

    if (d->stopped || !w)
        return d->stopped != NULL;
    if (w->deadline && now_ms() > w->deadline)
        d->stopped = "timeout";
    else if (w->stop && w->stop(w->arg))
        d->stopped = "cancelled";
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
    struct database *d = arg;

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

static int run(struct database *d, const char *sql) {
    return sqlite3_exec(d->db, sql, NULL, NULL, NULL);
}

static void configure(struct database *d) {
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

struct database *database_new(uint64_t memory, struct err *e) {
    struct database *d = mem_new(sizeof *d);

    sqlite3_hard_heap_limit64((sqlite3_int64)memory);
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
    database_free(d);
    return NULL;
}

static void table_free(struct database_table *t) {
    for (size_t i = 0; i < t->n_columns; i++)
        free(t->column[i]);
    free(t->column);
    free(t->type);
    free(t->name);
    *t = (struct database_table){0};
}

void database_free(struct database *d) {
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++)
        table_free(&d->table[i]);
    sqlite3_close(d->db);
    free(d);
}

size_t database_tables(const struct database *d) {
    return d->n;
}

const struct database_table *database_table(const struct database *d, size_t i) {
    return &d->table[i];
}

/* SQLite's outcome as one of our codes. */
static int fail(struct database *d, int rc, struct err *e) {
    if (d->stopped)
        return err_set(e, d->stopped,
                       !strcmp(d->stopped, "timeout") ? "the time limit has passed"
                                                      : "stopped as asked");
    if (rc == SQLITE_NOMEM || rc == SQLITE_TOOBIG || rc == SQLITE_FULL)
        return err_set(e, "too-large", "this needs more memory than the guest gives to tables");
    if (d->denied)
        return err_set(e, "denied", "only questions are allowed (SELECT): %s",
                       sqlite3_errmsg(d->db));
    return err_set(e, "bad-sql", "%s", sqlite3_errmsg(d->db));
}

/* --- loading --- */

static void report(const struct database *d, const struct csv *c, size_t all, bool second,
                   uint64_t rows) {
    const struct database_watch *w = d->watch;

    if (w && w->progress && rows % PROGRESS_ROWS == 0)
        w->progress(w->arg, (second ? all : 0) + csv_offset(c), 2 * (uint64_t)all, rows);
}

static void read_header(struct database_table *t, const struct csv_row *row) {
    t->n_columns = row->n;
    t->column = mem_new(row->n * sizeof *t->column);
    t->type = mem_new(row->n * sizeof *t->type);
    for (size_t i = 0; i < row->n; i++)
        t->column[i] = column_name(&row->field[i], t->column, i);
}

/* First pass: header, types, number of rows. */
static int survey(struct database *d, struct csv *c, size_t all, struct database_table *t,
                  struct err *e) {
    struct csv_row row;
    int rc = csv_next(c, &row, e);

    if (rc < 0)
        return -1;
    if (!rc)
        return err_set(e, "bad-csv", "the file has no header line");
    read_header(t, &row);
    while ((rc = csv_next(c, &row, e)) == 1) {
        for (size_t i = 0; i < row.n; i++)
            t->type[i] = column_widen(t->type[i], &row.field[i]);
        report(d, c, all, false, ++t->rows);
        if (t->rows % PROGRESS_ROWS == 0 && must_stop(d))
            return fail(d, SQLITE_INTERRUPT, e);
    }
    return rc;
}

static char *create_sql(const struct database_table *t) {
    cleanup_buf struct buf sql = {0};
    char *name = sqlite3_mprintf("CREATE TABLE \"%w\" (", t->name);

    buf_str(&sql, name);
    sqlite3_free(name);
    for (size_t i = 0; i < t->n_columns; i++) {
        char *column = sqlite3_mprintf("%s\"%w\" %s", i ? ", " : "", t->column[i],
                                       column_sql_type(t->type[i]));

        buf_str(&sql, column);
        sqlite3_free(column);
    }
    buf_str(&sql, ")");
    return buf_take(&sql);
}

static char *insert_sql(const struct database_table *t) {
    cleanup_buf struct buf sql = {0};
    char *name = sqlite3_mprintf("INSERT INTO \"%w\" VALUES (", t->name);

    buf_str(&sql, name);
    sqlite3_free(name);
    for (size_t i = 0; i < t->n_columns; i++)
        buf_str(&sql, i ? ",?" : "?");
    buf_str(&sql, ")");
    return buf_take(&sql);
}

/* Numbers are short (columns.c), so a copy with a NUL is cheap. */
static void bind(sqlite3_stmt *s, int i, enum column_type type, const struct csv_field *f) {
    char number[72];

    if (!f->text.n && !(f->quoted && type == COLUMN_TEXT)) {
        sqlite3_bind_null(s, i);
        return;
    }
    if (type == COLUMN_TEXT || f->text.n >= sizeof number) {
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

static int insert_rows(struct database *d, struct csv *c, size_t all,
                       const struct database_table *t, sqlite3_stmt *s, struct err *e) {
    struct csv_row row;
    uint64_t rows = 0;
    int rc = csv_next(c, &row, e); /* the header */

    while (rc == 1 && (rc = csv_next(c, &row, e)) == 1) {
        for (size_t i = 0; i < row.n; i++)
            bind(s, (int)i + 1, t->type[i], &row.field[i]);
        rc = sqlite3_step(s);
        sqlite3_reset(s);
        if (rc != SQLITE_DONE)
            return fail(d, rc, e);
        report(d, c, all, true, ++rows);
        if (rows % PROGRESS_ROWS == 0 && must_stop(d))
            return fail(d, SQLITE_INTERRUPT, e);
        rc = 1;
    }
    return rc;
}

static int fill(struct database *d, struct csv *c, size_t all, const struct database_table *t,
                struct err *e) {
    cleanup_free char *create = create_sql(t);
    cleanup_free char *insert = insert_sql(t);
    sqlite3_stmt *s = NULL;
    int rc = run(d, "BEGIN");

    if (rc == SQLITE_OK)
        rc = run(d, create);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(d->db, insert, -1, &s, NULL);
    csv_rewind(c);
    rc = rc == SQLITE_OK ? insert_rows(d, c, all, t, s, e) : fail(d, rc, e);
    sqlite3_finalize(s);
    if (!rc && run(d, "COMMIT") != SQLITE_OK)
        return fail(d, sqlite3_errcode(d->db), e);
    return rc;
}

static char *choose_name(const struct database *d, const char *file) {
    char *names[TABLES_MAX];

    for (size_t i = 0; i < d->n; i++)
        names[i] = d->table[i].name;
    return name_distinct(table_name(file), names, d->n);
}

static int load_csv(struct database *d, struct csv *c, size_t all, struct database_table *t,
                    struct err *e) {
    if (survey(d, c, all, t, e))
        return -1;
    if (!fill(d, c, all, t, e))
        return 0;
    run(d, "ROLLBACK");
    return -1;
}

int database_load(struct database *d, const char *file, struct view bytes,
                  const struct database_watch *w, struct err *e) {
    struct database_table t = {0};
    struct csv *c;
    int rc;

    if (d->n == TABLES_MAX)
        return err_set(e, "too-large", "more than %d tables", TABLES_MAX);
    if (!(c = csv_new(bytes, e)))
        return err_wrap(e, "%s", file);
    d->watch = w;
    d->stopped = NULL;
    d->denied = false;
    d->loading = true;
    t.name = choose_name(d, file);
    rc = load_csv(d, c, bytes.n, &t, e);
    d->loading = false;
    csv_free(c);
    if (!rc) {
        d->table[d->n++] = t;
        return 0;
    }
    table_free(&t);
    return err_wrap(e, "%s", file);
}

/* --- questions --- */

static bool only_space(const char *sql) {
    return sql[strspn(sql, " \t\r\n;")] == '\0';
}

static int prepare(struct database *d, const char *sql, sqlite3_stmt **s, struct err *e) {
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

int database_ask(struct database *d, const char *sql, const struct database_sink *sink,
                 const struct database_watch *w, struct err *e) {
    sqlite3_stmt *s = NULL;
    int rc;

    d->watch = w;
    d->stopped = NULL;
    d->denied = false;
    rc = prepare(d, sql, &s, e);
    if (!rc && sink->columns(sink->arg, s)) {
        while ((rc = sqlite3_step(s)) == SQLITE_ROW && sink->row(sink->arg, s))
            ;
        rc = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : fail(d, rc, e);
    }
    sqlite3_finalize(s);
    return rc;
}
