#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "core/text.h"

struct result {
    enum result_format format;
    char *path;
    FILE *file;               /* of CSV */
    int error;                /* errno of the first failed write */
    struct buf columns, rows; /* JSON arrays without their brackets */
    size_t n_columns, n_preview;
    uint64_t total;
    char *first_name, *first_cell;
};

struct result *result_new(const char *path, enum result_format format, struct err *e) {
    struct result *r = mem_new(sizeof *r);
    int fd;

    r->format = format;
    r->path = mem_str(path);
    if (format == RESULT_PARQUET)
        return r;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 && (r->file = fdopen(fd, "w")))
        return r;
    err_sys(e, errno, "cannot make the result file");
    result_free(r);
    return NULL;
}

enum result_format result_format(const struct result *r) {
    return r->format;
}

const char *result_path(const struct result *r) {
    return r->path;
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
    free(r->path);
    free(r->first_name);
    free(r->first_cell);
    free(r);
}

/* --- the file --- */

static bool needs_quotes(struct view v) {
    if (!v.n || v.p[0] == ' ' || v.p[v.n - 1] == ' ')
        return true;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] && strchr(",;\t\"\r\n", v.p[i]))
            return true;
    return false;
}

static void put(struct result *r, const void *p, size_t n) {
    if (r->file && !r->error && fwrite(p, 1, n, r->file) != n)
        r->error = errno ? errno : EIO;
}

static void put_quoted(struct result *r, struct view v) {
    put(r, "\"", 1);
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '"')
            put(r, "\"", 1);
        put(r, v.p + i, 1);
    }
    put(r, "\"", 1);
}

/* An empty text is quoted, so that it is not taken for NULL when the file is read again. */
static void put_line(struct result *r, const struct view *cells, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i)
            put(r, ",", 1);
        if (cells[i].p && needs_quotes(cells[i]))
            put_quoted(r, cells[i]);
        else if (cells[i].p)
            put(r, cells[i].p, cells[i].n);
    }
    put(r, "\n", 1);
}

/* --- the preview --- */

static void add_cell(struct buf *out, struct view cell) {
    cleanup_free char *cut = cell.p ? text_safe_new(cell, TEXT_LINE, PREVIEW_CELL) : NULL;

    if (cut)
        json_escape(view_str(cut), out);
    else
        buf_str(out, "null");
}

static void add_cells(struct buf *out, const struct view *cells, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_u8(out, ',');
        add_cell(out, cells[i]);
    }
}

static void preview_row(struct result *r, const struct view *cells, size_t n) {
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

bool result_names(struct result *r, const struct view *names, size_t n) {
    if (r->n_columns)
        return true;
    r->n_columns = n;
    add_cells(&r->columns, names, n);
    if (n)
        r->first_name = mem_strn((const char *)names[0].p, names[0].n);
    put_line(r, names, n);
    return !r->error;
}

bool result_cells(struct result *r, const struct view *cells, size_t n) {
    put_line(r, cells, n);
    preview_row(r, cells, n);
    if (!r->total++ && n && cells[0].p)
        r->first_cell = mem_strn((const char *)cells[0].p, cells[0].n);
    return !r->error;
}

void result_count(struct result *r, uint64_t rows) {
    r->total = rows;
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
