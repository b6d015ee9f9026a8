/* A table of an answer: titles that stay, columns that scroll sideways, the cell under the cursor.
 */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void draw_head(const struct app *a, const struct app_table *t, int y) {
    static const char *const ORDER[] = {
        [ORDER_NONE] = "as it came", [ORDER_UP] = "up", [ORDER_DOWN] = "down"};
    const char *by = t->order == ORDER_NONE ? "" : table_title(t->table, t->sorted);
    size_t rows = table_rows(t->table);
    int x = 1;

    x += draw_fmt(y, x, a->cols - 2, ROLE_TITLE, "Table %zu of %zu", a->job->table_at + 1,
                  a->job->n_tables);
    x += draw_fmt(y, x, a->cols - x - 1, ROLE_TEXT, "   %zu of %" PRIu64 " rows, %zu columns", rows,
                  t->total, table_columns(t->table));
    draw_fmt(y, x, a->cols - x - 1, ROLE_DIM, "   sorted: %s%s%s", by, *by ? ", " : "",
             ORDER[t->order]);
}

/* Cells of the columns in sight, from the left one on; numbers to the right of theirs. */
static void draw_cells(const struct app *a, const struct app_table *t, const struct scr_sizes *s,
                       int y, size_t row, bool titles) {
    int x = s->table.x, right = s->table.x + s->table.w;
    bool here = !titles && row == t->rows.cur;

    (void)a;
    for (size_t c = t->left; c < table_columns(t->table) && x < right; c++) {
        const char *text = titles ? table_title(t->table, c) : table_at(t->table, row, c);
        int w = table_width(t->table, c), room = w < right - x ? w : right - x;
        int in = table_number(t->table, c) ? room - text_width(view_str(text)) : 0;
        enum role r = titles ? ROLE_TITLE : here ? ROLE_ACCENT : ROLE_TEXT;

        draw_fmt(y, x + (in > 0 ? in : 0), room - (in > 0 ? in : 0), r, "%s", text);
        if (here && c == t->column)
            draw_look(y, x, room, ROLE_CURSOR);
        x += w + TABLE_GAP;
    }
}

/* What lies beyond the edges. */
static void draw_edges(const struct app *a, const struct app_table *t, const struct scr_sizes *s,
                       int y) {
    int w = 0;

    for (size_t c = t->left; c < table_columns(t->table); c++)
        w += table_width(t->table, c) + TABLE_GAP;
    draw_rule(y, 0, a->cols, RULE_THIN);
    if (t->left > 0)
        draw_fmt(y, 1, 20, ROLE_ACCENT, "< %zu more ", t->left);
    if (w - TABLE_GAP > s->table.w)
        draw_right(y, a->cols - 1, 20, ROLE_ACCENT, " more >");
}

static void draw_cell_pane(const struct app *a, const struct app_table *t,
                           const struct scr_sizes *s) {
    cleanup_buf struct buf safe = {0};
    int y = s->table.y + s->table.h, x = 1;
    struct safe_text cell = text_safe(view_str(app_table_cell(a)), TEXT_LINE, 4000, &safe);
    int rows = s->body.y + s->body.h - y - 1;

    draw_rule(y++, 0, a->cols, RULE_THIN);
    x += draw_fmt(y, x, a->cols / 2, ROLE_DIM, "%s, row %zu: ", table_title(t->table, t->column),
                  t->rows.cur + 1);
    draw_wrap(y, x, a->cols - x - 1, rows, ROLE_TEXT, cell);
}

struct scr_cursor scr_table_draw(const struct app *a, const struct scr_sizes *s) {
    const struct app_table *t = app_table(a);
    int y = s->body.y;

    if (!t)
        return (struct scr_cursor){-1, 0};
    draw_head(a, t, y);
    draw_edges(a, t, s, y + 1);
    draw_cells(a, t, s, y + 2, 0, true);
    draw_rule(y + 3, s->table.x, s->table.w, RULE_THIN);
    for (size_t i = t->rows.top; i < t->rows.n && i < t->rows.top + t->rows.height; i++) {
        int row = s->table.y + (int)(i - t->rows.top);

        if (i == t->rows.cur)
            draw_text(row, 0, 1, ROLE_ACCENT, safe_lit(">"));
        draw_cells(a, t, s, row, i, false);
    }
    draw_cell_pane(a, t, s);
    return (struct scr_cursor){-1, 0};
}
