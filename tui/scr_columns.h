/* A list in columns: its titles, and a row of it. A column is left out where the window is too
 * narrow for it. */
#ifndef CDVM_SCR_COLUMNS_H
#define CDVM_SCR_COLUMNS_H

#include "tui/app.h"

struct scr_cell {
    char text[80];
    enum role role;
};

struct scr_column {
    const char *title;
    int width[4]; /* under 80 columns, under 100, under 120, and from there on; 0: not shown */
    void (*fill)(const struct app *a, const void *row, struct scr_cell *c);
};

void scr_columns_titles(const struct app *a, const struct scr_column *col, size_t n, int y);
/* role: of what no column says otherwise. */
void scr_columns_row(const struct app *a, const struct scr_column *col, size_t n, int y,
                     const void *row, enum role role, bool cursor);

#endif
