#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/text.h"

#define CELLS_MAX 2000

struct result {
    FILE *file;
    int error;                /* errno of the first failed write */
    struct buf columns, rows; /* JSON arrays without their brackets */
    size_t n_columns, n_preview;
    uint64_t total;
    char *first_name, *first_cell;
};

struct result *result_new(const char *path, struct err *e) {
    struct result *r = mem_new(sizeof *r);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0 && (r->file = fdopen(fd, "w")))
        return r;
    err_sys(e, errno, "cannot make the result file");
    result_free(r);
    return NULL;
}

bool result_close(struct result *r, struct err *e) {
    if (r->file && fclose(r->file) && !r->error)
        r->error = errno;
    r->file = NULL;
    if (r->error == ENOSPC || r->error == EFBIG)
        err_set(e, "too-large", "the result does not fit: ask for fewer rows");
    else if (r->error)
        err_sys(e, r->error, "cannot write the result file");
    return !r->error;
}

void result_free(struct result *r) {
    if (!r)
        return;
    if (r->file)
        fclose(r->file);
    buf_wipe(&r->columns);
    buf_wipe(&r->rows);
    free(r->first_name);
    free(r->first_cell);
    free(r);
}

/* --- the file --- */

static bool needs_quotes(const char *s) {
    size_t n = strlen(s);

    return !n || strpbrk(s, ",;\t\"\r\n") || s[0] == ' ' || s[n - 1] == ' ';
}

static void put(struct result *r, const char *s, size_t n) {
    if (!r->error && fwrite(s, 1, n, r->file) != n)
        r->error = errno ? errno : EIO;
}

static void put_quoted(struct result *r, const char *s) {
    put(r, "\"", 1);
    for (; *s; s++) {
        if (*s == '"')
            put(r, "\"", 1);
        put(r, s, 1);
    }
    put(r, "\"", 1);
}

/* An empty text is quoted, so that it is not taken for NULL when the file is read again. */
static void put_line(struct result *r, const char *const *cells, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i)
            put(r, ",", 1);
        if (cells[i] && needs_quotes(cells[i]))
            put_quoted(r, cells[i]);
        else if (cells[i])
            put(r, cells[i], strlen(cells[i]));
    }
    put(r, "\n", 1);
}

/* --- the preview --- */

static void add_cell(struct buf *out, const char *cell) {
    cleanup_free char *cut = cell ? text_safe_new(view_str(cell), TEXT_LINE, PREVIEW_CELL) : NULL;

    if (cut)
        json_escape(view_str(cut), out);
    else
        buf_str(out, "null");
}

static void add_cells(struct buf *out, const char *const *cells, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_u8(out, ',');
        add_cell(out, cells[i]);
    }
}

static void preview_row(struct result *r, const char *const *cells, size_t n) {
    cleanup_buf struct buf row = {0};

    if (r->n_preview == PREVIEW_ROWS || r->n_preview < r->total)
        return;
    buf_str(&row, "[");
    add_cells(&row, cells, n);
    buf_str(&row, "]");
    if (r->rows.n + row.n + 1 > PREVIEW_BYTES)
        return;
    if (r->rows.n)
        buf_u8(&r->rows, ',');
    buf_add(&r->rows, row.p, row.n);
    r->n_preview++;
}

bool result_names(struct result *r, const char *const *names, size_t n) {
    if (r->n_columns)
        return true;
    r->n_columns = n;
    add_cells(&r->columns, names, n);
    if (n)
        r->first_name = mem_str(names[0]);
    put_line(r, names, n);
    return !r->error;
}

bool result_cells(struct result *r, const char *const *cells, size_t n) {
    put_line(r, cells, n);
    preview_row(r, cells, n);
    if (!r->total++ && n && cells[0])
        r->first_cell = mem_str(cells[0]);
    return !r->error;
}

/* --- from SQLite --- */

bool result_statement_names(void *arg, sqlite3_stmt *s) {
    const char *names[CELLS_MAX] = {NULL};
    int n = sqlite3_column_count(s);

    for (int i = 0; i < n && i < CELLS_MAX; i++)
        names[i] = sqlite3_column_name(s, i);
    return result_names(arg, names, (size_t)(n < CELLS_MAX ? n : CELLS_MAX));
}

/* A text may hold a NUL (char(0)): it ends there for us. A blob is shown as its size. */
static const char *cell_text(sqlite3_stmt *s, int i, char **owned) {
    if (sqlite3_column_type(s, i) != SQLITE_BLOB)
        return (const char *)sqlite3_column_text(s, i);
    return *owned = mem_fmt("(%d bytes)", sqlite3_column_bytes(s, i));
}

bool result_statement_row(void *arg, sqlite3_stmt *s) {
    const char *cells[CELLS_MAX] = {NULL};
    char *owned[CELLS_MAX] = {NULL};
    int n = sqlite3_column_count(s);
    bool ok;

    n = n < CELLS_MAX ? n : CELLS_MAX;
    for (int i = 0; i < n; i++)
        cells[i] = cell_text(s, i, &owned[i]);
    ok = result_cells(arg, cells, (size_t)n);
    for (int i = 0; i < n; i++)
        free(owned[i]);
    return ok;
}

/* --- what the caller says about it --- */

uint64_t result_rows(const struct result *r) {
    return r->total;
}

size_t result_columns(const struct result *r) {
    return r->n_columns;
}

const char *result_single(const struct result *r, const char **name) {
    *name = r->first_name;
    return r->total == 1 && r->n_columns == 1 ? r->first_cell : NULL;
}

static void put_array(struct jw *w, const char *key, const struct buf *inside) {
    cleanup_buf struct buf array = {0};

    buf_str(&array, "[");
    buf_add(&array, inside->p, inside->n);
    buf_str(&array, "]");
    jw_key(w, key);
    jw_raw(w, buf_view(&array));
}

void result_table(const struct result *r, struct jw *w) {
    put_array(w, "columns", &r->columns);
    put_array(w, "rows", &r->rows);
    jw_kint(w, "total", (int64_t)r->total);
}
