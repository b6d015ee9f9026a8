/* The workload "table": CSV, Parquet and JSON files in; questions in SQL, or the words `summary`
 * and `columns`; a table and a CSV or Parquet file out. It speaks "cdvm-workload/1" on its standard
 * input and output (cdvm-protocol(7), "Workload contract" and "Workload table") and has no other
 * way in or out. The engine is DuckDB, or SQLite in the lean build (table_engine.h).
 *
 * usage: table [OUT [IN]]     folders of result files and of the job's files: /out and /in */
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>
#include "core/text.h"
#include "guest/workloads/lib/inbox.h"
#include "guest/workloads/lib/result.h"
#include "guest/workloads/lib/say.h"
#include "guest/workloads/lib/table_engine.h"

#define MEMORY_DEFAULT ((uint64_t)1 << 30)
#define MEMORY_RESERVE ((uint64_t)64 << 20)
#define THREADS_MAX 8
#define THREADS_OWN 4 /* this one, its watch, and a reading one of each instance */
#define ASK_MS_DEFAULT (600 * 1000)
#define PROGRESS_MS 250
#define JOB_MAX ((size_t)65536)

#ifdef TABLE_DUCKDB
static const struct table_engine *const engine = &engine_duckdb;
#else
static const struct table_engine *const engine = &engine_sqlite;
#endif

static const struct {
    const char *word, *ending, *mime;
} formats[] = {
    [RESULT_CSV] = {"csv", "csv", "text/csv"},
    [RESULT_PARQUET] = {"parquet", "parquet", "application/vnd.apache.parquet"},
};

struct table {
    struct lines *lines;
    struct inbox *inbox;
    struct table_db *db;
    const char *out;
    char *format; /* the job's parameter; NULL = none */
    unsigned n_results;
    /* while a message is being worked on; the watch has them while the engine works */
    const char *id;
    int64_t last_progress;
    bool ended;
};

static int64_t now_ms(void) {
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what is said --- */

/* When nobody reads any more, the agent's end of input follows. */
static void send(struct table *t, struct say *s, const char *type) {
    (void)!say_send(s, t->lines, type);
}

static void say_done(struct table *t, uint64_t rows, int64_t ms) {
    struct say r;

    say_begin(&r, t->id);
    jw_key(&r.w, "usage");
    jw_obj(&r.w);
    jw_kint(&r.w, "rows", (int64_t)rows);
    jw_kint(&r.w, "ms", ms);
    jw_end_obj(&r.w);
    send(t, &r, "done");
}

static void say_ready(struct table *t) {
    struct say r;

    say_begin(&r, NULL);
    jw_kstr(&r.w, "name", "table");
    jw_key(&r.w, "caps");
    jw_arr(&r.w);
    for (const char *const *c = engine->caps; *c; c++)
        jw_str(&r.w, *c);
    jw_end_arr(&r.w);
    send(t, &r, "ready");
}

/* --- while it works --- */

static bool must_stop(void *arg) {
    return inbox_stop(((struct table *)arg)->inbox);
}

static bool progress_due(struct table *t) {
    if (now_ms() - t->last_progress < PROGRESS_MS)
        return false;
    t->last_progress = now_ms();
    return true;
}

static void on_load_progress(void *arg, uint64_t done, uint64_t total, uint64_t rows) {
    struct table *t = arg;
    cleanup_free char *note = NULL;

    if (!progress_due(t))
        return;
    note =
        mem_fmt(done * 2 < total ? "reading: %" PRIu64 " rows" : "loading: %" PRIu64 " rows", rows);
    say_progress(t->lines, t->id, done, total, "bytes", note);
}

static void on_ask_progress(void *arg, uint64_t done, uint64_t total, uint64_t rows) {
    struct table *t = arg;
    cleanup_free char *note = NULL;

    if (!progress_due(t))
        return;
    note = mem_fmt("working: %" PRIu64 " rows", rows);
    say_progress(t->lines, t->id, done * 100 / total, 100, "percent", note);
}

/* Nothing else ends a single step of the engine that takes too long. */
static void on_stuck(void *arg, const struct err *why) {
    struct table *t = arg;
    struct err e = *why;

    if (!err_wrap(&e, "the engine does not stop, so the program ends"))
        _exit(1);
    say_error(t->lines, t->id, &e);
    _exit(1);
}

/* --- files --- */

static void say_loaded(struct table *t, int64_t ms) {
    const struct table_info *last = engine->table(t->db, engine->tables(t->db) - 1);
    cleanup_free char *note =
        mem_fmt("table %s: %" PRIu64 " row%s, %zu column%s", last->name, last->rows,
                last->rows == 1 ? "" : "s", last->n_columns, last->n_columns == 1 ? "" : "s");

    say_progress(t->lines, t->id, last->rows, last->rows, "rows", note);
    say_done(t, last->rows, ms);
}

static int load(struct table *t, const cJSON *o, struct err *e) {
    const char *name = json_str(o, "name", e), *path = name ? json_str(o, "path", e) : NULL;
    const struct table_watch w = {
        .stop = must_stop, .progress = on_load_progress, .stuck = on_stuck, .arg = t};
    int64_t start = now_ms();

    if (!path)
        return -1;
    if (engine->load(t->db, name, path, &w, e))
        return err_wrap(e, "%s", name);
    say_loaded(t, now_ms() - start);
    return 0;
}

static void on_file(struct table *t, const cJSON *o) {
    struct err e;

    if (load(t, o, &e))
        say_error(t->lines, t->id, &e);
}

/* --- questions --- */

struct question {
    struct table *t;
    struct result *r;
    const struct table_watch *w;
    const char *text;
};

static int ask_sql(const struct question *q, struct err *e) {
    return engine->ask(q->t->db, q->text, q->r, q->w, e);
}

static int ask_columns(const struct question *q, struct err *e) {
    const struct view names[] = {view_str("table"), view_str("column"), view_str("type"),
                                 view_str("rows")};
    const struct table_db *db = q->t->db;
    bool ok = result_names(q->r, names, COUNT(names));

    for (size_t i = 0; i < engine->tables(db); i++) {
        const struct table_info *t = engine->table(db, i);
        cleanup_free char *rows = mem_fmt("%" PRIu64, t->rows);

        for (size_t k = 0; ok && k < t->n_columns; k++)
            ok = result_cells(q->r,
                              (const struct view[]){view_str(t->name), view_str(t->column[k].name),
                                                    view_str(t->column[k].type), view_str(rows)},
                              4);
    }
    (void)e; /* a failed write is told by result_close */
    return 0;
}

static int ask_summary(const struct question *q, struct err *e) {
    const struct table_db *db = q->t->db;

    for (size_t i = 0; i < engine->tables(db); i++)
        for (size_t k = 0; k < engine->table(db, i)->n_columns; k++) {
            cleanup_free char *sql = engine->summary(engine->table(db, i), k);

            if (engine->ask(q->t->db, sql, q->r, q->w, e))
                return -1;
        }
    return 0;
}

/* The words are tables of a few lines: CSV whatever was asked for. */
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
    if (!engine->tables(q->t->db))
        return err_set(e, "no-data", "no table is loaded yet: attach a file first");
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

    say_text(t->lines, t->id, view_str(text));
}

static void say_result(struct table *t, const struct result *r, int64_t ms) {
    enum result_format format = result_format(r);
    cleanup_free char *name = mem_fmt("result-%u.%s", t->n_results, formats[format].ending);
    struct say table, file;

    say_sentence(t, r);
    say_begin(&table, t->id);
    result_table(r, &table.w);
    send(t, &table, "table");
    say_begin(&file, t->id);
    jw_kstr(&file.w, "path", result_path(r));
    jw_kstr(&file.w, "name", name);
    jw_kstr(&file.w, "mime", formats[format].mime);
    send(t, &file, "file");
    say_done(t, result_rows(r), ms);
}

static void answer(struct table *t, const char *text, enum result_format format) {
    const struct table_watch w = {.stop = must_stop,
                                  .progress = on_ask_progress,
                                  .stuck = on_stuck,
                                  .arg = t,
                                  .deadline = now_ms() + ASK_MS_DEFAULT};
    cleanup_free char *path =
        mem_fmt("%s/result-%u.%s", t->out, ++t->n_results, formats[format].ending);
    int64_t start = now_ms();
    struct err e;
    struct result *r = result_new(path, format, &e);
    struct question q = {t, r, &w, text};
    bool good = r && !ask(&q, &e);

    if (r && good)
        good = result_close(r, &e);
    if (good)
        say_result(t, r, now_ms() - start);
    else
        say_error(t->lines, t->id, &e);
    if (r && !good)
        unlink(path);
    result_free(r);
}

static bool format_of(const char *word, size_t n, enum result_format *out) {
    for (size_t i = 0; i < COUNT(formats); i++)
        if (n == strlen(formats[i].word) && !strncasecmp(word, formats[i].word, n)) {
            *out = (enum result_format)i;
            return true;
        }
    return false;
}

static bool is_word(const char *text) {
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strcasecmp(text, words[i].word))
            return true;
    return false;
}

/* The job's parameter `format`, or, stronger, a first word: "parquet SELECT ...". */
static int choose_format(const struct table *t, const char **text, enum result_format *out,
                         struct err *e) {
    size_t n = strcspn(*text, " \t\r\n");

    *out = RESULT_CSV;
    if ((*text)[n] && format_of(*text, n, out))
        *text += n + strspn(*text + n, " \t\r\n");
    else if (t->format && !format_of(t->format, strlen(t->format), out))
        return err_set(e, "unsupported", "the job's parameter format is '%s': csv or parquet",
                       t->format);
    if (is_word(*text))
        *out = RESULT_CSV;
    if (*out == RESULT_PARQUET && !engine->parquet)
        return err_set(e, "unsupported", "this program answers in CSV only: it is the lean build");
    return 0;
}

static int on_question(struct table *t, const cJSON *o, struct err *e) {
    const char *given = json_str(o, "text", e), *rest;
    cleanup_free char *text = given ? trimmed(given) : NULL;
    enum result_format format;

    if (!(rest = text) || choose_format(t, &rest, &format, e))
        return -1;
    answer(t, rest, format);
    return 0;
}

static void on_ask(struct table *t, const cJSON *o) {
    struct err e;

    if (on_question(t, o, &e))
        say_error(t->lines, t->id, &e);
}

/* --- messages --- */

static void on_start(struct table *t, const cJSON *o) {
    const char *format = json_opt(cJSON_GetObjectItemCaseSensitive(o, "params"), "format");

    if (format && !t->format)
        t->format = mem_str(format);
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
    inbox_work(t->inbox, t->id);
    t->last_progress = now_ms();
    for (size_t i = 0; type && i < COUNT(messages); i++)
        if (!strcmp(type, messages[i].type) && (t->id || !messages[i].needs_id))
            messages[i].run(t, o);
}

static void serve(struct table *t) {
    cJSON *o;

    while (!t->ended && (o = inbox_next(t->inbox))) {
        dispatch(t, o);
        inbox_work(t->inbox, NULL);
        json_wipe(o);
    }
}

/* The limits that the sandbox goes by (contract.h): the job file is in the image's own root. Where
 * there is none, as in tests, the defaults. */
static void read_limits(uint64_t *memory, uint64_t *processes) {
    cleanup_buf struct buf text = {0};
    cJSON *o = file_read("/cdvm/job.json", JOB_MAX, &text, NULL)
                   ? NULL
                   : json_parse(buf_view(&text), JOB_MAX, NULL);
    const cJSON *limits = cJSON_GetObjectItemCaseSensitive(o, "limits");
    uint64_t mib;

    *memory = json_u64(limits, "memory_mib", &mib, NULL) ? mib << 20 : MEMORY_DEFAULT;
    if (!json_u64(limits, "processes", processes, NULL))
        *processes = THREADS_MAX + THREADS_OWN;
    cJSON_Delete(o);
}

/* Never more than three quarters of what the machine has free, beside what the sandbox keeps back:
 * the rest is for the customer's files. */
static uint64_t memory_left(uint64_t most) {
    struct sysinfo s;
    uint64_t left;

    if (sysinfo(&s))
        return most;
    left = (uint64_t)s.freeram * s.mem_unit / 4 * 3;
    left = left > MEMORY_RESERVE ? left - MEMORY_RESERVE : 0;
    return left < most ? left : most;
}

/* What an engine takes beside its own count (one huge text, say) fails as an allocation, and with
 * it the question, before the sandbox has to end the program. */
static void bound_data(uint64_t memory) {
    const struct rlimit r = {memory - memory / 8, memory - memory / 8};

    (void)!setrlimit(RLIMIT_DATA, &r); /* the sandbox's own limit stands in any case */
}

/* As many as there are processors, if the sandbox allows so many. */
static unsigned threads(uint64_t allowed) {
    uint64_t n = 1;
    cpu_set_t set;

    if (!sched_getaffinity(0, sizeof set, &set))
        n = (uint64_t)CPU_COUNT(&set);
    if (n + THREADS_OWN > allowed)
        n = allowed > THREADS_OWN ? allowed - THREADS_OWN : 1;
    return (unsigned)(n < THREADS_MAX ? n : THREADS_MAX);
}

int main(int argc, char **argv) {
    struct table t = {.out = argc > 1 ? argv[1] : "/out"};
    struct table_limits limits = {.in = argc > 2 ? argv[2] : "/in", .out = t.out};
    uint64_t memory, processes;
    struct err e;
    bool good;

    read_limits(&memory, &processes);
    limits.memory = memory_left(memory);
    limits.threads = threads(processes);
    bound_data(limits.memory);
    t.lines = lines_new(STDIN_FILENO, STDOUT_FILENO);
    t.inbox = inbox_new(t.lines);
    t.db = engine->open(&limits, &e);
    good = t.db != NULL;
    if (good)
        serve(&t);
    else
        say_error(t.lines, NULL, &e);
    engine->close(t.db);
    inbox_free(t.inbox);
    lines_free(t.lines);
    free(t.format);
    return good ? 0 : 1;
}
