#include "tui/table.h"

#include <stdlib.h>
#include <string.h>

#include "tui/flow.h"

struct table {
    size_t columns, n, cap;
    char **cell; /* sanitised, one line each */
};

struct table *table_new(size_t columns) {
    struct table *t = mem_new(sizeof *t);

    t->columns = columns < 1 ? 1 : columns > TABLE_COLUMNS_MAX ? TABLE_COLUMNS_MAX : columns;
    return t;
}

void table_free(struct table *t) {
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->cell[i]);
    free(t->cell);
    free(t);
}

void table_cell(struct table *t, struct view text) {
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cell = mem_grow(t->cell, t->cap * sizeof *t->cell);
    }
    t->cell[t->n++] = text_safe_new(text, TEXT_LINE, 512);
}

size_t table_rows(const struct table *t) {
    size_t all = (t->n + t->columns - 1) / t->columns;

    return all > 0 ? all - 1 : 0;
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

struct column {
    int width;
    bool number;
};

static struct column column_of(const struct table *t, size_t c) {
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

static void put_spaces(struct buf *out, int n) {
    while (n-- > 0)
        buf_str(out, " ");
}

static void put_cell(const char *s, struct column col, bool last, bool ascii, struct buf *out) {
    struct view v = view_str(s);
    int w = text_width(v);
    bool cut = w > col.width;

    if (cut) {
        v.n = flow_fit(v, col.width - 1);
        w = text_width(v) + 1;
    }
    if (col.number)
        put_spaces(out, col.width - w);
    buf_add(out, v.p, v.n);
    if (cut)
        buf_str(out, ascii ? "~" : "\u2026");
    if (!col.number && !last)
        put_spaces(out, col.width - w);
}

void table_text(const struct table *t, bool ascii, struct buf *out) {
    struct column col[TABLE_COLUMNS_MAX];

    for (size_t c = 0; c < t->columns; c++)
        col[c] = column_of(t, c);
    for (size_t i = 0; i < t->n; i++) {
        size_t c = i % t->columns;

        if (c == 0 && i > 0)
            buf_str(out, "\n");
        if (i == t->columns) {
            for (size_t k = 0; k < t->columns; k++) {
                for (int w = 0; w < col[k].width; w++)
                    buf_str(out, "-");
                buf_str(out, k + 1 < t->columns ? "  " : "\n");
            }
        }
        put_cell(t->cell[i], col[c], c + 1 == t->columns, ascii, out);
        if (c + 1 < t->columns)
            buf_str(out, "  ");
    }
}

/* --- a guest's --- */

static void cell_of(struct table *t, const cJSON *v) {
    cleanup_buf struct buf b = {0};
    struct jw w = jw_new(&b);

    if (cJSON_IsString(v)) {
        table_cell(t, view_str(v->valuestring));
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
