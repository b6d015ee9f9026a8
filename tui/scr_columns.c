#include "tui/scr_columns.h"

#include "tui/draw.h"

static int width(const struct app *a, const struct scr_column *col) {
    return col->width[a->cols < 80 ? 0 : a->cols < 100 ? 1 : a->cols < 120 ? 2 : 3];
}

void scr_columns_titles(const struct app *a, const struct scr_column *col, size_t n, int y) {
    int x = 1;

    for (size_t i = 0; i < n; i++) {
        int w = width(a, &col[i]);

        if (w)
            draw_fmt(y, x, w, ROLE_TITLE, "%s", col[i].title);
        x += w;
    }
}

void scr_columns_row(const struct app *a, const struct scr_column *col, size_t n, int y,
                     const void *row, enum role role, bool cursor) {
    int x = 1;

    if (cursor)
        draw_text(y, 0, 1, ROLE_ACCENT, safe_lit(">"));
    for (size_t i = 0; i < n; i++) {
        struct scr_cell c = {.role = role};
        int w = width(a, &col[i]);

        col[i].fill(a, row, &c);
        if (w)
            draw_fmt(y, x, w > 1 && i + 1 < n ? w - 1 : w, c.role, "%s", c.text);
        x += w;
    }
    if (cursor)
        draw_look(y, 0, a->cols, ROLE_CURSOR);
}
