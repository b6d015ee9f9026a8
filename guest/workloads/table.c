/* The workload "table": CSV files in; questions in SQL, or the words `summary` and `columns`; a
 * table and a CSV file out. It speaks "cdvm-workload/1" on its standard input and output
 * (cdvm-protocol(7), "Workload contract") and has no other way in or out.
 *
 * usage: table [OUT]     OUT: folder of result files, /out unless told otherwise */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "core/text.h"
#include "guest/workloads/lib/database.h"
#include "guest/workloads/lib/lines.h"
#include "guest/workloads/lib/result.h"

#define MEMORY_DEFAULT ((uint64_t)1 << 30)
#define ASK_MS_DEFAULT (600 * 1000)
#define PROGRESS_MS 250
#define WAITING_MAX 64

struct table {
    struct lines *lines;
    struct database *db;
    const char *out;
    unsigned n_results;
    /* while a message is being worked on */
    const char *id;
    int64_t last_progress;
    bool cancelled, ended;
    cJSON *waiting[WAITING_MAX]; /* what came in meanwhile */
    size_t n_waiting;
};

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what is said --- */

struct reply {
    struct buf body;
    struct jw w;
};

static void reply_start(struct reply *r, const char *id) {
    r->body = (struct buf){0};
    r->w = jw_new(&r->body);
    if (id)
        jw_kstr(&r->w, "id", id);
}

static void reply_send(struct table *t, struct reply *r, const char *type) {
    if (!lines_say(t->lines, type, buf_view(&r->body)))
        t->ended = true;
    buf_wipe(&r->body);
}

static void say_error(struct table *t, const char *id, const struct err *e) {
    cleanup_free char *message = text_safe_new(view_str(e->text), TEXT_LINE, 400);
    struct reply r;

    reply_start(&r, id);
    jw_kstr(&r.w, "code", e->code);
    jw_kstr(&r.w, "message", message);
    reply_send(t, &r, "error");
}

static void say_progress(struct table *t, uint64_t done, uint64_t total, const char *note) {
    struct reply r;

    reply_start(&r, t->id);
    jw_kint(&r.w, "done", (int64_t)done);
    jw_kint(&r.w, "total", (int64_t)total);
    jw_kstr(&r.w, "unit", "bytes");
    jw_kstr(&r.w, "note", note);
    reply_send(t, &r, "progress");
}

static void say_done(struct table *t, uint64_t rows, int64_t ms) {
    struct reply r;

    reply_start(&r, t->id);
    jw_key(&r.w, "usage");
    jw_obj(&r.w);
    jw_kint(&r.w, "rows", (int64_t)rows);
    jw_kint(&r.w, "ms", ms);
    jw_end_obj(&r.w);
    reply_send(t, &r, "done");
}

static void say_text(struct table *t, const char *text) {
    struct reply r;

    reply_start(&r, t->id);
    jw_kstr(&r.w, "text", text);
    reply_send(t, &r, "delta");
}

static void say_ready(struct table *t) {
    static const char *const caps[] = {"csv", "sql", "summary", "columns"};
    struct reply r;

    reply_start(&r, NULL);
    jw_kstr(&r.w, "name", "table");
    jw_key(&r.w, "caps");
    jw_arr(&r.w);
    for (size_t i = 0; i < COUNT(caps); i++)
        jw_str(&r.w, caps[i]);
    jw_end_arr(&r.w);
    reply_send(t, &r, "ready");
}

/* --- while it works --- */

static void keep(struct table *t, cJSON *o) {
    if (t->n_waiting < WAITING_MAX)
        t->waiting[t->n_waiting++] = o;
    else
        cJSON_Delete(o);
}

/* Looks for a cancel; anything else waits its turn. */
static bool must_stop(void *arg) {
    struct table *t = arg;
    cJSON *o;
    int rc;

    while ((rc = lines_next(t->lines, 0, &o)) == 1) {
        const char *type = json_opt(o, "t"), *id = json_opt(o, "id");

        if (type && id && !strcmp(type, "cancel") && !strcmp(id, t->id)) {
            t->cancelled = true;
            cJSON_Delete(o);
        } else
            keep(t, o);
    }
    t->ended |= rc < 0;
    return t->cancelled || t->ended;
}

static void on_progress(void *arg, uint64_t done, uint64_t total, uint64_t rows) {
    struct table *t = arg;
    cleanup_free char *note = NULL;

    if (now_ms() - t->last_progress < PROGRESS_MS)
        return;
    t->last_progress = now_ms();
    note =
        mem_fmt(done * 2 < total ? "reading: %" PRIu64 " rows" : "loading: %" PRIu64 " rows", rows);
    say_progress(t, done, total, note);
}

/* --- files --- */

static int map_file(const char *path, struct view *v, struct err *e) {
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st))
        return err_sys(e, errno, "cannot open the file");
    if (!st.st_size)
        return err_set(e, "bad-csv", "the file is empty");
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_set(e, "too-large", "the file does not fit into the guest's memory");
    *v = view_of(p, (size_t)st.st_size);
    return 0;
}

static void say_loaded(struct table *t, uint64_t bytes, int64_t ms) {
    const struct database_table *last = database_table(t->db, database_tables(t->db) - 1);
    cleanup_free char *note =
        mem_fmt("table %s: %" PRIu64 " row%s, %zu column%s", last->name, last->rows,
                last->rows == 1 ? "" : "s", last->n_columns, last->n_columns == 1 ? "" : "s");

    say_progress(t, bytes, bytes, note);
    say_done(t, last->rows, ms);
}

static int load(struct table *t, const cJSON *o, struct err *e) {
    const char *name = json_str(o, "name", e), *path = name ? json_str(o, "path", e) : NULL;
    const struct database_watch w = {.stop = must_stop, .progress = on_progress, .arg = t};
    int64_t start = now_ms();
    struct view bytes;
    int rc;

    if (!path || map_file(path, &bytes, e))
        return -1;
    rc = database_load(t->db, name, bytes, &w, e);
    munmap((void *)(uintptr_t)bytes.p, bytes.n);
    if (!rc)
        say_loaded(t, bytes.n, now_ms() - start);
    return rc;
}

static void on_file(struct table *t, const cJSON *o) {
    struct err e;

    if (load(t, o, &e))
        say_error(t, t->id, &e);
}

/* --- questions --- */

struct question {
    struct table *t;
    struct result *r;
    const struct database_watch *w;
    const char *text;
};

static int ask_sql(const struct question *q, struct err *e) {
    const struct database_sink sink = {result_statement_names, result_statement_row, q->r};

    return database_ask(q->t->db, q->text, &sink, q->w, e);
}

static int ask_columns(const struct question *q, struct err *e) {
    static const char *const names[] = {"table", "column", "type", "rows"};
    const struct database *db = q->t->db;
    bool ok = result_names(q->r, names, COUNT(names));

    for (size_t i = 0; i < database_tables(db); i++) {
        const struct database_table *d = database_table(db, i);
        cleanup_free char *rows = mem_fmt("%" PRIu64, d->rows);

        for (size_t k = 0; ok && k < d->n_columns; k++)
            ok = result_cells(
                q->r,
                (const char *const[]){d->name, d->column[k], column_sql_type(d->type[k]), rows}, 4);
    }
    (void)e; /* a failed write is told by result_close */
    return 0;
}

/* What only numbers have. A sum of integers may leave 64 bits: total() does not mind. */
static char *number_sql(enum column_type type, const char *column) {
    static const char *const forms[] = {
        [COLUMN_EMPTY] = "NULL AS \"mean\", NULL AS \"sum\"",
        [COLUMN_INT] = ("avg(\"%w\") AS \"mean\", CASE WHEN abs(total(\"%w\")) < 9e15 THEN "
                        "CAST(total(\"%w\") AS INTEGER) ELSE total(\"%w\") END AS \"sum\""),
        [COLUMN_REAL] = "avg(\"%w\") AS \"mean\", total(\"%w\") AS \"sum\"",
        [COLUMN_TEXT] = "NULL AS \"mean\", NULL AS \"sum\"",
    };

    return sqlite3_mprintf(forms[type], column, column, column, column);
}

/* One row per column: what a person looks at first. */
static char *summary_sql(const struct database_table *d, size_t k) {
    const char *c = d->column[k];
    char *number = number_sql(d->type[k], c);
    char *sql = sqlite3_mprintf(
        "SELECT %Q AS \"table\", %Q AS \"column\", %Q AS \"type\", count(*) AS \"rows\", "
        "count(*) - count(\"%w\") AS \"empty\", count(DISTINCT \"%w\") AS \"distinct\", "
        "min(\"%w\") AS \"min\", max(\"%w\") AS \"max\", %s FROM \"%w\"",
        d->name, c, column_sql_type(d->type[k]), c, c, c, c, number ? number : "NULL", d->name);

    sqlite3_free(number);
    return sql;
}

static int summarize(const struct question *q, const struct database_table *d, size_t k,
                     struct err *e) {
    const struct database_sink sink = {result_statement_names, result_statement_row, q->r};
    char *sql = summary_sql(d, k);
    int rc;

    if (!sql)
        return err_set(e, "too-large", "no memory for a summary");
    rc = database_ask(q->t->db, sql, &sink, q->w, e);
    sqlite3_free(sql);
    return rc;
}

static int ask_summary(const struct question *q, struct err *e) {
    const struct database *db = q->t->db;

    for (size_t i = 0; i < database_tables(db); i++)
        for (size_t k = 0; k < database_table(db, i)->n_columns; k++)
            if (summarize(q, database_table(db, i), k, e))
                return -1;
    return 0;
}

static const struct {
    const char *word;
    int (*ask)(const struct question *q, struct err *e);
} words[] = {{"columns", ask_columns}, {"summary", ask_summary}};

static char *trimmed(const char *s) {
    size_t n;

    s += strspn(s, " \t\r\n");
    for (n = strlen(s); n && strchr(" \t\r\n;", s[n - 1]); n--)
        ;
    return mem_strn(s, n);
}

static int ask(const struct question *q, struct err *e) {
    if (!database_tables(q->t->db))
        return err_set(e, "no-data", "no table is loaded yet: attach a CSV file first");
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcasecmp(q->text, words[i].word))
            return words[i].ask(q, e);
    return ask_sql(q, e);
}

static void say_sentence(struct table *t, const struct result *r) {
    uint64_t rows = result_rows(r);
    const char *name, *cell = result_single(r, &name);
    cleanup_free char *shown = cell ? text_safe_new(view_str(cell), TEXT_LINE, 1000) : NULL;
    cleanup_free char *text =
        shown ? mem_fmt("%s = %s", name, shown)
              : mem_fmt("%" PRIu64 " row%s, %zu column%s.", rows, rows == 1 ? "" : "s",
                        result_columns(r), result_columns(r) == 1 ? "" : "s");

    say_text(t, text);
}

static void say_result(struct table *t, const struct result *r, const char *path, int64_t ms) {
    cleanup_free char *name = mem_fmt("result-%u.csv", t->n_results);
    struct reply table, file;

    say_sentence(t, r);
    reply_start(&table, t->id);
    result_table(r, &table.w);
    reply_send(t, &table, "table");
    reply_start(&file, t->id);
    jw_kstr(&file.w, "path", path);
    jw_kstr(&file.w, "name", name);
    jw_kstr(&file.w, "mime", "text/csv");
    reply_send(t, &file, "file");
    say_done(t, result_rows(r), ms);
}

static void answer(struct table *t, const char *text, const char *path) {
    const struct database_watch w = {
        .stop = must_stop, .arg = t, .deadline = now_ms() + ASK_MS_DEFAULT};
    int64_t start = now_ms();
    struct err e;
    struct result *r = result_new(path, &e);
    struct question q = {t, r, &w, text};
    bool good = r && !ask(&q, &e);

    if (r && good)
        good = result_close(r, &e);
    if (good)
        say_result(t, r, path, now_ms() - start);
    else
        say_error(t, t->id, &e);
    if (r && !good)
        unlink(path);
    result_free(r);
}

static void on_ask(struct table *t, const cJSON *o) {
    struct err e;
    const char *given = json_str(o, "text", &e);
    cleanup_free char *text = given ? trimmed(given) : NULL;
    cleanup_free char *path = mem_fmt("%s/result-%u.csv", t->out, ++t->n_results);

    if (text)
        answer(t, text, path);
    else
        say_error(t, t->id, &e);
}

/* --- messages --- */

static void on_start(struct table *t, const cJSON *o) {
    (void)o;
    say_ready(t);
}

static void on_end(struct table *t, const cJSON *o) {
    (void)o;
    t->ended = true;
}

static const struct {
    const char *type;
    bool needs_id;
    void (*run)(struct table *t, const cJSON *o);
} messages[] = {
    {"start", false, on_start},
    {"file", true, on_file},
    {"ask", true, on_ask},
    {"end", false, on_end},
};

static void dispatch(struct table *t, const cJSON *o) {
    const char *type = json_opt(o, "t");

    t->id = json_opt(o, "id");
    t->cancelled = false;
    t->last_progress = now_ms();
    for (size_t i = 0; type && i < COUNT(messages); i++)
        if (!strcmp(type, messages[i].type) && (t->id || !messages[i].needs_id))
            messages[i].run(t, o);
}

static cJSON *next(struct table *t) {
    cJSON *o;

    if (!t->n_waiting)
        return lines_next(t->lines, -1, &o) == 1 ? o : NULL;
    o = t->waiting[0];
    memmove(t->waiting, t->waiting + 1, --t->n_waiting * sizeof t->waiting[0]);
    return o;
}

static void serve(struct table *t) {
    cJSON *o;

    while (!t->ended && (o = next(t))) {
        dispatch(t, o);
        cJSON_Delete(o);
    }
    while (t->n_waiting)
        cJSON_Delete(t->waiting[--t->n_waiting]);
}

/* Three quarters of what the sandbox allows: the rest is for the mapped file and the program. */
static uint64_t memory_for_sqlite(void) {
    struct rlimit r;

    if (getrlimit(RLIMIT_AS, &r) || r.rlim_cur == RLIM_INFINITY)
        return MEMORY_DEFAULT;
    return r.rlim_cur / 4 * 3;
}

int main(int argc, char **argv) {
    struct table t = {.out = argc > 1 ? argv[1] : "/out"};
    struct err e;

    t.lines = lines_new(STDIN_FILENO, STDOUT_FILENO);
    t.db = database_new(memory_for_sqlite(), &e);
    if (t.db)
        serve(&t);
    else
        say_error(&t, NULL, &e);
    database_free(t.db);
    lines_free(t.lines);
    return t.db ? 0 : 1;
}
