#include "duckdb_csv.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_SMALL 18 /* fit into 64 bits */
#define DIGITS_MAX 38   /* fit into 128 bits */

__extension__ typedef __int128 int128;

struct column {
    const struct column_scan *scan;
    bool wide;     /* 128 bits of storage */
    unsigned frac; /* digits behind the point */
    duckdb_type type;
    duckdb_vector v; /* of the chunk being filled */
    void *data;
};

struct duckdb_csv {
    struct table_csv *file;
    struct duckdb_watch *watch;
    size_t n;
    struct column *column;
    const char **name;
    duckdb_logical_type *type;
    uint64_t rows;
};

/* --- types --- */

static duckdb_type number_type(const struct column_scan *s) {
    if (s->power || s->whole + s->frac > DIGITS_MAX)
        return DUCKDB_TYPE_DOUBLE;
    if (s->frac)
        return DUCKDB_TYPE_DECIMAL;
    return s->whole > DIGITS_SMALL ? DUCKDB_TYPE_HUGEINT : DUCKDB_TYPE_BIGINT;
}

static duckdb_type column_type(const struct column_scan *s) {
    switch (s->type) {
    case COLUMN_INT:
    case COLUMN_REAL:
        return number_type(s);
    case COLUMN_DATE:
        return DUCKDB_TYPE_DATE;
    case COLUMN_TIME:
        return DUCKDB_TYPE_TIMESTAMP;
    case COLUMN_EMPTY:
    case COLUMN_TEXT:
        break;
    }
    return DUCKDB_TYPE_VARCHAR;
}

static struct column column_of(const struct column_scan *s) {
    struct column c = {.scan = s, .type = column_type(s)};

    c.wide = c.type == DUCKDB_TYPE_HUGEINT ||
             (c.type == DUCKDB_TYPE_DECIMAL && s->whole + s->frac > DIGITS_SMALL);
    c.frac = c.type == DUCKDB_TYPE_DECIMAL ? s->frac : 0;
    return c;
}

static duckdb_logical_type logical_type(const struct column *c) {
    return c->type == DUCKDB_TYPE_DECIMAL
               ? duckdb_create_decimal_type(c->wide ? DIGITS_MAX : DIGITS_SMALL, (uint8_t)c->frac)
               : duckdb_create_logical_type(c->type);
}

struct duckdb_csv *duckdb_csv_new(struct table_csv *file, const struct table_info *t,
                                  struct duckdb_watch *w) {
    struct duckdb_csv *c = mem_new(sizeof *c);

    c->file = file;
    c->watch = w;
    c->n = t->n_columns;
    c->column = mem_new(c->n * sizeof *c->column);
    c->name = mem_new(c->n * sizeof *c->name);
    c->type = mem_new(c->n * sizeof *c->type);
    for (size_t i = 0; i < c->n; i++) {
        c->column[i] = column_of(&file->scan[i]);
        c->name[i] = t->column[i].name;
        c->type[i] = logical_type(&c->column[i]);
    }
    return c;
}

void duckdb_csv_free(struct duckdb_csv *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        duckdb_destroy_logical_type(&c->type[i]);
    free(c->type);
    free(c->name);
    free(c->column);
    free(c);
}

/* --- values --- */

/* The digits of a number that column_scan_add took, without its point, as if it had `frac` digits
 * behind it. */
static int128 scaled(struct view v, unsigned frac) {
    bool minus = v.p[0] == '-', behind = false;
    int128 out = 0;

    for (size_t i = 0; i < v.n; i++) {
        behind |= v.p[i] == '.';
        if (v.p[i] < '0' || v.p[i] > '9')
            continue;
        out = out * 10 + (v.p[i] - '0');
        frac -= behind;
    }
    while (frac--)
        out *= 10;
    return minus ? -out : out;
}

static void put_number(struct column *c, idx_t row, struct view v) {
    int128 n = scaled(v, c->frac);

    if (c->wide)
        ((duckdb_hugeint *)c->data)[row] = (duckdb_hugeint){(uint64_t)n, (int64_t)(n >> 64)};
    else
        ((int64_t *)c->data)[row] = (int64_t)n;
}

static void put_double(struct column *c, idx_t row, struct view v) {
    char text[72]; /* numbers are short (columns.c) */
    size_t n = v.n < sizeof text ? v.n : sizeof text - 1;

    memcpy(text, v.p, n);
    text[n] = '\0';
    ((double *)c->data)[row] = strtod(text, NULL);
}

static void put_time(struct column *c, idx_t row, struct view v) {
    int64_t micros = 0;

    column_time(v, &micros); /* which took it before */
    if (c->type == DUCKDB_TYPE_TIMESTAMP)
        ((int64_t *)c->data)[row] = micros;
    else
        ((int32_t *)c->data)[row] = (int32_t)(micros / 86400000000);
}

static void put_null(struct column *c, idx_t row) {
    duckdb_vector_ensure_validity_writable(c->v);
    duckdb_validity_set_row_invalid(duckdb_vector_get_validity(c->v), row);
}

static void put(struct column *c, idx_t row, const struct csv_field *f) {
    bool text = c->scan->type == COLUMN_TEXT;

    if (!f->text.n && !(f->quoted && text))
        put_null(c, row);
    else if (text) /* csv.c has seen that it is UTF-8 */
        duckdb_unsafe_vector_assign_string_element_len(c->v, row, (const char *)f->text.p,
                                                       f->text.n);
    else if (c->type == DUCKDB_TYPE_DOUBLE)
        put_double(c, row, f->text);
    else if (c->scan->type == COLUMN_DATE || c->scan->type == COLUMN_TIME)
        put_time(c, row, f->text);
    else
        put_number(c, row, f->text);
}

/* --- rows --- */

static void use_chunk(struct duckdb_csv *c, duckdb_data_chunk out) {
    for (size_t i = 0; i < c->n; i++) {
        c->column[i].v = duckdb_data_chunk_get_vector(out, i);
        c->column[i].data = duckdb_vector_get_data(c->column[i].v);
    }
}

static bool next(void *arg, duckdb_data_chunk out, struct err *e) {
    struct duckdb_csv *c = arg;
    struct csv_row row;
    idx_t n = 0;
    int rc = 1;

    use_chunk(c, out);
    while (n < duckdb_vector_size() && (rc = csv_next(c->file->csv, &row, e)) == 1) {
        for (size_t i = 0; i < row.n; i++)
            put(&c->column[i], n, &row.field[i]);
        n++;
    }
    duckdb_data_chunk_set_size(out, n);
    c->rows += n;
    atomic_store(&c->watch->rows, c->rows);
    atomic_store(&c->watch->done, c->file->bytes.n + csv_offset(c->file->csv));
    return rc >= 0;
}

struct duckdb_source duckdb_csv_source(struct duckdb_csv *c) {
    atomic_store(&c->watch->total, table_csv_total(c->file));
    return (struct duckdb_source){
        .n = c->n, .name = c->name, .type = c->type, .next = next, .arg = c};
}
