#include "tui/table.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "core/enc.h"
#include "tui/flow.h"

struct column {
    int width;
    bool number;
};

struct table {
    size_t columns, n, cap;
    char **cell; /* sanitised, one line each */
    struct column *column;
    bool measured;
    size_t *order; /* rows as sorted; NULL: as they came */
};

struct table *table_new(size_t columns) {
    struct table *t = mem_new(sizeof *t);

    t->columns = columns < 1 ? 1 : columns > TABLE_COLUMNS_MAX ? TABLE_COLUMNS_MAX : columns;
    t->column = mem_new(t->columns * sizeof *t->column);
    return t;
}

void table_free(struct table *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++) {
        explicit_bzero(t->cell[i], strlen(t->cell[i]));
        free(t->cell[i]);
    }
    free(t->cell);
    free(t->column);
    free(t->order);
    free(t);
}

void table_cell(struct table *t, struct view text) {
    if (t->n == t->columns * (TABLE_ROWS_MAX + 1))
        return;
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cell = mem_grow(t->cell, t->cap * sizeof *t->cell);
    }
    t->cell[t->n++] = text_safe_new(text, TEXT_LINE, TABLE_TEXT_MAX);
    t->measured = false;
}

/* --- what it holds --- */

size_t table_rows(const struct table *t) {
    size_t all = (t->n + t->columns - 1) / t->columns;

    return all > 0 ? all - 1 : 0;
}

size_t table_columns(const struct table *t) {
    return t->columns;
}

/* Row 0 is the titles. */
static const char *cell_at(const struct table *t, size_t row, size_t column) {
    size_t i = row * t->columns + column;

    return column < t->columns && i < t->n ? t->cell[i] : "";
}

const char *table_title(const struct table *t, size_t column) {
    return cell_at(t, 0, column);
}

const char *table_at(const struct table *t, size_t row, size_t column) {
    if (row >= table_rows(t))
        return "";
    return cell_at(t, 1 + (t->order ? t->order[row] : row), column);
}

static bool looks_numeric(const char *s) {
    size_t digits = 0;

    for (; *s; s++) {
        if (*s >= '0' && *s <= '9')
            digits++;
        else if (!strchr("+-.,eE%' ", *s))
            return false;
    }
    return digits > 0;
}

static struct column measure(const struct table *t, size_t c) {
    struct column col = {1, table_rows(t) > 0};

    for (size_t i = c; i < t->n; i += t->columns) {
        const char *s = t->cell[i];
        int w = text_width(view_str(s));

        col.width = w > col.width ? w : col.width;
        if (i >= t->columns && *s && !looks_numeric(s))
            col.number = false;
    }
    col.width = col.width > TABLE_CELL_MAX ? TABLE_CELL_MAX : col.width;
    return col;
}

static const struct column *column_of(const struct table *t, size_t c) {
    struct table *kept = (struct table *)t; /* what is measured is no part of what it says */

    if (!t->measured)
        for (size_t i = 0; i < t->columns; i++)
            kept->column[i] = measure(t, i);
    kept->measured = true;
    return &t->column[c < t->columns ? c : t->columns - 1];
}

int table_width(const struct table *t, size_t column) {
    return column_of(t, column)->width;
}

bool table_number(const struct table *t, size_t column) {
    return column_of(t, column)->number;
}

/* --- order --- */

/* "1,204.50", "1'204", "12 %", "-3e5"; a single comma with no point and not three digits behind it
 * is a decimal one. */
static double number_of(const char *s) {
    char plain[64];
    const char *comma = strchr(s, ',');
    bool decimal =
        comma && !strchr(comma + 1, ',') && !strchr(s, '.') && strspn(comma + 1, "0123456789") != 3;
    size_t n = 0;

    for (; *s && n + 1 < sizeof plain; s++) {
        if (*s == ',' && decimal)
            plain[n++] = '.';
        else if (!strchr(",' %", *s))
            plain[n++] = *s;
    }
    plain[n] = 0;
    return strtod(plain, NULL);
}

static uint32_t next_folded(const char **s) {
    uint32_t cp;
    size_t n = utf8_next(view_str(*s), &cp);

    *s += n;
    return n ? (uint32_t)towlower((wint_t)cp) : 0;
}

static int compare_text(const char *a, const char *b) {
    uint32_t x, y;

    do {
        x = next_folded(&a);
        y = next_folded(&b);
    } while (x == y && x != 0);
    return x < y ? -1 : x > y;
}

static int compare_numbers(const char *a, const char *b) {
    double x = number_of(a), y = number_of(b);

    return x < y ? -1 : x > y;
}

struct sorting {
    const struct table *t;
    size_t column;
    bool number, down;
};

static int compare_rows(const void *a, const void *b, void *arg) {
    const struct sorting *by = arg;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    const char *x = cell_at(by->t, 1 + i, by->column), *y = cell_at(by->t, 1 + k, by->column);
    int order = 0;

    if (!*x != !*y)
        return *x ? -1 : 1;
    if (*x)
        order = by->number ? compare_numbers(x, y) : compare_text(x, y);
    if (order == 0)
        return i < k ? -1 : i > k;
    return by->down ? -order : order;
}

void table_sort(struct table *t, size_t column, enum table_order order) {
    struct sorting by = {t, column, table_number(t, column), order == ORDER_DOWN};
    size_t n = table_rows(t);

    free(t->order);
    t->order = NULL;
    if (order == ORDER_NONE || n == 0)
        return;
    t->order = mem_new(n * sizeof *t->order);
    for (size_t i = 0; i < n; i++)
        t->order[i] = i;
    qsort_r(t->order, n, sizeof *t->order, compare_rows, &by);
}

/* --- as text --- */

static void put_signs(struct buf *out, const char *sign, int n) {
    while (n-- > 0)
        buf_str(out, sign);
}

static void put_cell(const char *s, const struct column *col, bool last, bool ascii,
                     struct buf *out) {
    struct view v = view_str(s);
    int w = text_width(v);
    bool cut = w > col->width;

    if (cut) {
        v.n = flow_fit(v, col->width - 1);
        w = text_width(v) + 1;
    }
    if (col->number)
        put_signs(out, " ", col->width - w);
    buf_add(out, v.p, v.n);
    if (cut)
        buf_str(out, ascii ? "~" : "\u2026");
    if (!col->number && !last)
        put_signs(out, " ", col->width - w);
}

static void put_row(const struct table *t, size_t row, bool ascii, struct buf *out) {
    for (size_t c = 0; c < t->columns; c++) {
        put_cell(cell_at(t, row, c), column_of(t, c), c + 1 == t->columns, ascii, out);
        if (c + 1 < t->columns)
            put_signs(out, " ", TABLE_GAP);
    }
}

static void put_rule(const struct table *t, struct buf *out) {
    for (size_t c = 0; c < t->columns; c++) {
        put_signs(out, "-", column_of(t, c)->width);
        if (c + 1 < t->columns)
            put_signs(out, " ", TABLE_GAP);
    }
}

void table_begin(const struct table *t, size_t rows, bool ascii, struct buf *out) {
    size_t n = table_rows(t) < rows ? table_rows(t) : rows;

    if (t->n == 0)
        return;
    put_row(t, 0, ascii, out);
    for (size_t i = 1; i <= n; i++) {
        buf_str(out, "\n");
        if (i == 1) {
            put_rule(t, out);
            buf_str(out, "\n");
        }
        put_row(t, i, ascii, out);
    }
}

void table_text(const struct table *t, bool ascii, struct buf *out) {
    table_begin(t, SIZE_MAX, ascii, out);
}

/* --- a guest's --- */

static void cell_of(struct table *t, const cJSON *v) {
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    if (cJSON_IsString(v)) {
        table_cell(t, view_str(v->valuestring));
    } else if (cJSON_IsNumber(v)) {
        buf_fmt(&b, "%.15g", v->valuedouble);
        table_cell(t, buf_view(&b));
    } else if (!v || cJSON_IsNull(v)) {
        table_cell(t, view_str(""));
    } else {
        jw_json(&w, v);
        table_cell(t, buf_view(&b));
    }
}

static void row_of(struct table *t, const cJSON *cells, size_t n) {
    const cJSON *v = cJSON_IsArray(cells) ? cells->child : NULL;

    for (size_t i = 0; i < n; i++) {
        cell_of(t, v);
        v = v ? v->next : NULL;
    }
}

struct table *table_of_json(const cJSON *o) {
    const cJSON *columns = json_arr(o, "columns", NULL), *rows = json_arr(o, "rows", NULL), *r;
    struct table *t = table_new((size_t)cJSON_GetArraySize(columns));

    row_of(t, columns, t->columns);
    cJSON_ArrayForEach(r, rows) {
        row_of(t, r, t->columns);
    }
    return t;
}

struct table *table_read(const cJSON *o, uint64_t *total, uint8_t xid[static 16]) {
    struct table *t = table_of_json(o);
    int64_t all = 0;

    if (!hex_decode_str(json_opt(o, "file"), xid, 16))
        memset(xid, 0, 16);
    if (!json_int_of(cJSON_GetObjectItemCaseSensitive(o, "total"), &all) || all < 0)
        all = 0;
    *total = (uint64_t)all > table_rows(t) ? (uint64_t)all : table_rows(t);
    return t;
}
