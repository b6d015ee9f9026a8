#include "duckdb_side.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- errors --- */

static const struct {
    const char *start, *code, *sentence; /* of DuckDB's words; NULL = its own words */
} errors[] = {
    {"Permission Error: ", "denied",
     "only questions about the tables are allowed (SELECT): files, network and extensions are "
     "closed"},
    {"Missing Extension Error: ", "denied", "extensions are closed"},
    {"Invalid Input Error: Cannot change configuration", "denied", "settings are locked"},
    {"Invalid Input Error: Secret ", "denied", "secrets are closed"},
    {"Invalid Input Error: Cannot execute statement of type", "denied",
     "only questions are allowed (SELECT): this one would change something"},
    {"TransactionContext Error: Cannot ", "denied",
     "only questions are allowed (SELECT): this one would change something"},
    {"Out of Memory Error: ", "too-large", "this needs more memory than the guest gives to tables"},
    {"IO Error: Could not write ", "too-large", "the result does not fit: ask for fewer rows"},
    {"Not implemented Error: ", "unsupported", NULL},
};

static bool starts_with(const char *s, const char *start) {
    return !strncmp(s, start, strlen(start));
}

/* The first paragraph: behind it DuckDB draws the statement again with an arrow below. */
int side_fail(const char *words, const char *code, struct err *e) {
    const char *end;

    words = words && *words ? words : "the engine failed without a word";
    for (size_t i = 0; i < COUNT(errors); i++)
        if (starts_with(words, errors[i].start)) {
            code = errors[i].code;
            words = errors[i].sentence ? errors[i].sentence : words;
        }
    end = strstr(words, "\n\n");
    return err_set(e, code, "%.*s", (int)(end ? (size_t)(end - words) : strlen(words)), words);
}

/* --- cdvm_rows() --- */

static void rows_bind(duckdb_bind_info info) {
    struct duckdb_source **slot = duckdb_bind_get_extra_info(info);

    if (!*slot) {
        duckdb_bind_set_error(info, "cdvm_rows() is not for questions");
        return;
    }
    for (size_t i = 0; i < (*slot)->n; i++)
        duckdb_bind_add_result_column(info, (*slot)->name[i], (*slot)->type[i]);
}

static void rows_init(duckdb_init_info info) {
    duckdb_init_set_max_threads(info, 1); /* in order, and next() is not to be shared */
}

static void rows_next(duckdb_function_info info, duckdb_data_chunk out) {
    struct duckdb_source **slot = duckdb_function_get_extra_info(info), *s = *slot;

    if (!s || s->failed || s->next(s->arg, out, &s->why))
        return;
    s->failed = true;
    duckdb_function_set_error(info, s->why.text);
}

static bool register_rows(struct duckdb_side *s) {
    duckdb_table_function f = duckdb_create_table_function();
    bool done;

    duckdb_table_function_set_name(f, "cdvm_rows");
    duckdb_table_function_set_extra_info(f, &s->source, NULL);
    duckdb_table_function_set_bind(f, rows_bind);
    duckdb_table_function_set_init(f, rows_init);
    duckdb_table_function_set_function(f, rows_next);
    done = duckdb_register_table_function(s->con, f) == DuckDBSuccess;
    duckdb_destroy_table_function(&f);
    return done;
}

/* --- opening --- */

static char *folder_list(const char *const *folders, size_t n) {
    cleanup_buf struct buf b = {0};

    buf_str(&b, "[");
    for (size_t i = 0; i < n; i++) {
        buf_str(&b, i ? ",'" : "'");
        buf_str(&b, folders[i]);
        buf_str(&b, "/'");
    }
    buf_str(&b, "]");
    return buf_take(&b);
}

static bool configure(duckdb_config c, uint64_t memory, unsigned threads) {
    cleanup_free char *bytes = mem_fmt("%" PRIu64 "B", memory), *n = mem_fmt("%u", threads);
    const struct {
        const char *name, *value;
    } options[] = {
        {"threads", n},
        {"async_threads", "1"}, /* no file is read that is not in memory already */
        {"memory_limit", bytes},
        {"temp_directory", ""},
        {"autoload_known_extensions", "false"},
        {"autoinstall_known_extensions", "false"},
        {"allow_community_extensions", "false"},
        {"allow_unsigned_extensions", "false"},
        {"allow_persistent_secrets", "false"},
    };

    for (size_t i = 0; i < COUNT(options); i++)
        if (duckdb_set_config(c, options[i].name, options[i].value) != DuckDBSuccess)
            return false;
    return true;
}

/* The last statements that may set anything. Progress is counted, never printed. */
static int lock(struct duckdb_side *s, const char *const *folders, size_t n, struct err *e) {
    cleanup_free char *list = folder_list(folders, n);
    cleanup_free char *allow = mem_fmt("SET allowed_directories=%s", list);
    const char *const statements[] = {
        "SET TimeZone='UTC'",
        "SET enable_progress_bar_print=false",
        "SET enable_progress_bar=true",
        "SET progress_bar_time=0",
        allow,
        "SET enable_external_access=false",
        "SET lock_configuration=true",
    };

    for (size_t i = 0; i < COUNT(statements); i++)
        if (side_run(s, statements[i], NULL, "system", e))
            return -1;
    return 0;
}

int side_open(struct duckdb_side *s, uint64_t memory, unsigned threads, const char *const *folders,
              size_t n, struct err *e) {
    duckdb_config c = NULL;
    char *why = NULL;
    bool open;

    *s = (struct duckdb_side){0};
    open = duckdb_create_config(&c) == DuckDBSuccess && configure(c, memory, threads) &&
           duckdb_open_ext(NULL, &s->db, c, &why) == DuckDBSuccess &&
           duckdb_connect(s->db, &s->con) == DuckDBSuccess && register_rows(s);
    duckdb_destroy_config(&c);
    if (!open)
        err_set(e, "system", "DuckDB does not start: %s", why ? why : "no reason given");
    duckdb_free(why);
    if (open && !lock(s, folders, n, e))
        return 0;
    side_close(s);
    return -1;
}

void side_close(struct duckdb_side *s) {
    if (s->con)
        duckdb_disconnect(&s->con);
    if (s->db)
        duckdb_close(&s->db);
    *s = (struct duckdb_side){0};
}

/* --- running --- */

static int fail(const struct duckdb_source *from, const char *words, const char *code,
                struct err *e) {
    if (!from || !from->failed)
        return side_fail(words, code, e);
    *e = from->why;
    return -1;
}

int side_run(struct duckdb_side *s, const char *sql, struct duckdb_source *from, const char *code,
             struct err *e) {
    duckdb_result r;
    int rc = 0;

    s->source = from;
    if (duckdb_query(s->con, sql, &r) != DuckDBSuccess)
        rc = fail(from, duckdb_result_error(&r), code, e);
    duckdb_destroy_result(&r);
    s->source = NULL;
    return rc;
}

int side_stream(struct duckdb_side *s, const char *sql, struct duckdb_source *from,
                const char *code, duckdb_result *out, struct err *e) {
    duckdb_prepared_statement p = NULL;
    int rc = 0;

    s->source = from;
    if (duckdb_prepare(s->con, sql, &p) != DuckDBSuccess)
        rc = fail(from, duckdb_prepare_error(p), code, e);
    else if (duckdb_execute_prepared_streaming(p, out) != DuckDBSuccess) {
        rc = fail(from, duckdb_result_error(out), code, e);
        duckdb_destroy_result(out);
    }
    duckdb_destroy_prepare(&p);
    if (rc)
        s->source = NULL;
    return rc;
}
