#include "duckdb_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "table_engine.h"

#define AS_TEXT "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM cdvm_rows()"

struct duckdb_stream {
    duckdb_result *from;
    const char *code;
    size_t n;
    duckdb_logical_type *type;
    uint64_t rows;
    /* the first chunks, kept so that they can be read twice */
    duckdb_data_chunk head[PREVIEW_ROWS];
    size_t n_head, at;
    bool head_only;
    duckdb_data_chunk last; /* in use by the reader */
};

struct duckdb_stream *stream_new(duckdb_result *r, const char *code) {
    struct duckdb_stream *s = mem_new(sizeof *s);

    s->from = r;
    s->code = code;
    s->n = duckdb_column_count(r);
    s->type = mem_new(s->n * sizeof *s->type);
    for (size_t i = 0; i < s->n; i++)
        s->type[i] = duckdb_column_logical_type(r, i);
    return s;
}

void stream_free(struct duckdb_stream *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        duckdb_destroy_logical_type(&s->type[i]);
    for (size_t i = 0; i < s->n_head; i++)
        duckdb_destroy_data_chunk(&s->head[i]);
    duckdb_destroy_data_chunk(&s->last);
    free(s->type);
    free(s);
}

size_t stream_columns(const struct duckdb_stream *s) {
    return s->n;
}

const char *stream_name(const struct duckdb_stream *s, size_t i) {
    return duckdb_column_name(s->from, i);
}

/* --- reading --- */

/* NULL at the end, and with *e set when it is an error. */
static duckdb_data_chunk fetch(struct duckdb_stream *s, bool *failed, struct err *e) {
    duckdb_data_chunk c = duckdb_fetch_chunk(*s->from);
    const char *words = c ? NULL : duckdb_result_error(s->from);

    *failed = words && *words;
    if (*failed)
        side_fail(words, s->code, e);
    return c;
}

static bool fill_head(struct duckdb_stream *s, struct err *e) {
    idx_t rows = 0;
    bool failed = false;
    duckdb_data_chunk c;

    while (rows < PREVIEW_ROWS && s->n_head < COUNT(s->head) && (c = fetch(s, &failed, e))) {
        rows += duckdb_data_chunk_get_size(c);
        s->head[s->n_head++] = c;
    }
    return !failed;
}

static duckdb_data_chunk next_chunk(struct duckdb_stream *s, bool *failed, struct err *e) {
    *failed = false;
    if (s->at < s->n_head)
        return s->head[s->at++];
    if (s->head_only)
        return NULL;
    duckdb_destroy_data_chunk(&s->last);
    return s->last = fetch(s, failed, e);
}

/* The reader sees the very vectors of the chunk: they are counted by whoever uses them. */
static bool next(void *arg, duckdb_data_chunk out, struct err *e) {
    struct duckdb_stream *s = arg;
    bool failed;
    duckdb_data_chunk c = next_chunk(s, &failed, e);

    if (!c)
        return !failed;
    for (size_t i = 0; i < s->n; i++)
        duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(out, i),
                                       duckdb_data_chunk_get_vector(c, i));
    duckdb_data_chunk_set_size(out, duckdb_data_chunk_get_size(c));
    s->rows += duckdb_data_chunk_get_size(c);
    return true;
}

struct duckdb_source stream_source(struct duckdb_stream *s, const char *const *names) {
    return (struct duckdb_source){
        .n = s->n, .name = names, .type = s->type, .next = next, .arg = s};
}

/* --- as text --- */

static struct view cell(duckdb_vector v, idx_t row) {
    duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(v) + row;
    uint64_t *valid = duckdb_vector_get_validity(v);

    if (valid && !duckdb_validity_row_is_valid(valid, row))
        return (struct view){0};
    return view_of(duckdb_string_t_data(s), duckdb_string_t_length(*s));
}

static bool put_chunk(struct result *out, duckdb_data_chunk c, size_t n) {
    idx_t rows = duckdb_data_chunk_get_size(c);
    struct view cells[STREAM_COLUMNS_MAX];
    bool ok = true;

    for (idx_t y = 0; ok && y < rows; y++) {
        for (size_t x = 0; x < n; x++)
            cells[x] = cell(duckdb_data_chunk_get_vector(c, x), y);
        ok = result_cells(out, cells, n);
    }
    return ok;
}

static int put_text(struct duckdb_stream *s, duckdb_result *text, struct duckdb_source *from,
                    struct result *out, struct err *e) {
    struct duckdb_stream *t = stream_new(text, s->code);
    bool failed = false;
    duckdb_data_chunk c;

    while ((c = next_chunk(t, &failed, e)) && put_chunk(out, c, s->n))
        ;
    stream_free(t);
    if (failed && from->failed)
        *e = from->why;
    return failed ? -1 : 0;
}

/* The columns have plain names here: COLUMNS(*) wants them distinct. */
static int answer_text(struct duckdb_stream *s, struct duckdb_side *files, struct result *out,
                       struct err *e) {
    cleanup_free char *plain = mem_new(s->n * 8 + 1);
    cleanup_free const char **names = mem_new(s->n * sizeof *names);
    struct duckdb_source from = stream_source(s, names);
    duckdb_result text;
    int rc;

    for (size_t i = 0; i < s->n; i++) {
        snprintf(plain + 8 * i, 8, "c%u", (unsigned)i);
        names[i] = plain + 8 * i;
    }
    if (side_stream(files, AS_TEXT, &from, s->code, &text, e))
        return -1;
    rc = put_text(s, &text, &from, out, e);
    duckdb_destroy_result(&text);
    files->source = NULL;
    return rc;
}

/* --- as Parquet --- */

/* Parquet has no 128-bit integers; a decimal of 38 digits holds them exactly. */
static void add_column(struct buf *sql, const char *name, duckdb_type type) {
    cleanup_free char *quoted = sql_quoted(name, '"');

    if (type == DUCKDB_TYPE_HUGEINT || type == DUCKDB_TYPE_UHUGEINT) {
        buf_str(sql, "CAST(");
        buf_str(sql, quoted);
        buf_str(sql, " AS DECIMAL(38,0)) AS ");
    }
    buf_str(sql, quoted);
}

static char *parquet_sql(const struct duckdb_stream *s, const char *const *names,
                         const char *path) {
    cleanup_free char *to = sql_quoted(path, '\'');
    cleanup_buf struct buf sql = {0};

    buf_str(&sql, "COPY (SELECT ");
    for (size_t i = 0; i < s->n; i++) {
        if (i)
            buf_str(&sql, ", ");
        add_column(&sql, names[i], duckdb_get_type_id(s->type[i]));
    }
    buf_str(&sql, " FROM cdvm_rows()) TO ");
    buf_str(&sql, to);
    buf_str(&sql, " (FORMAT parquet)");
    return buf_take(&sql);
}

static int write_parquet(struct duckdb_stream *s, struct duckdb_side *files, const char *path,
                         struct err *e) {
    char **names = mem_new(s->n * sizeof *names);
    struct duckdb_source from = stream_source(s, (const char *const *)names);
    cleanup_free char *sql = NULL;
    int rc;

    for (size_t i = 0; i < s->n; i++)
        names[i] = name_distinct(mem_str(stream_name(s, i)), names, i);
    sql = parquet_sql(s, (const char *const *)names, path);
    rc = side_run(files, sql, &from, s->code, e);
    for (size_t i = 0; i < s->n; i++)
        free(names[i]);
    free(names);
    return rc;
}

static int answer_parquet(struct duckdb_stream *s, struct duckdb_side *files, struct result *out,
                          struct err *e) {
    if (!fill_head(s, e))
        return -1;
    s->head_only = true;
    if (answer_text(s, files, out, e))
        return -1;
    s->head_only = false;
    s->at = 0;
    s->rows = 0;
    if (write_parquet(s, files, result_path(out), e))
        return -1;
    result_count(out, s->rows);
    return 0;
}

int stream_answer(struct duckdb_stream *s, struct duckdb_side *files, struct result *out,
                  struct err *e) {
    struct view names[STREAM_COLUMNS_MAX];

    if (s->n > STREAM_COLUMNS_MAX)
        return err_set(e, "too-large", "an answer has at most %d columns", STREAM_COLUMNS_MAX);
    for (size_t i = 0; i < s->n; i++)
        names[i] = view_str(stream_name(s, i));
    if (!result_names(out, names, s->n))
        return 0; /* result_close tells */
    return result_format(out) == RESULT_PARQUET ? answer_parquet(s, files, out, e)
                                                : answer_text(s, files, out, e);
}
