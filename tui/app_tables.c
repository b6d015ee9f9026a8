/* Tables of answers: a few lines in the chat, the whole on a screen of its own. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void app_table_free(struct app_table *t) {
    table_free(t->table);
}

static struct app_table *table_add(struct app_job *j) {
    if (j->n_tables == APP_TABLES) {
        app_table_free(&j->table[0]);
        memmove(j->table, j->table + 1, (APP_TABLES - 1) * sizeof j->table[0]);
        j->n_tables--;
        j->table_at -= j->table_at > 0;
    }
    j->table[j->n_tables] = (struct app_table){0};
    return &j->table[j->n_tables++];
}

/* In the chat a table is what fits; the rest is a key away. */
static void table_note(struct app *a, struct app_job *j, const struct app_table *t) {
    size_t rows = table_rows(t->table);

    if (t->total > rows)
        app_job_note(a, j, ROLE_DIM,
                     "%zu of %" PRIu64 " rows; the file has them all. Alt-t opens the table.", rows,
                     t->total);
    else
        app_job_note(a, j, ROLE_DIM, "%zu rows, %zu columns. Alt-t opens the table.", rows,
                     table_columns(t->table));
}

void app_on_table(struct app *a, struct app_job *j, const cJSON *o) {
    cleanup_buf struct buf text = {0};
    struct app_table *t;

    if (!cJSON_IsObject(o))
        return;
    t = table_add(j);
    t->table = table_read(o, &t->total, t->xid);
    table_begin(t->table, TABLE_CHAT_ROWS, a->conf.ascii, &text);
    app_job_chat(a, j, "table", ROLE_TEXT, true, buf_view(&text));
    table_note(a, j, t);
}

struct app_table *app_table(const struct app *a) {
    struct app_job *j = a->job;

    return j->table_at < j->n_tables ? &j->table[j->table_at] : NULL;
}

void app_table_open(struct app *a, size_t number) {
    struct app_job *j = a->job;

    if (j->n_tables == 0) {
        app_say(a, ROLE_WARN, "no answer has brought a table yet");
        return;
    }
    if (number < 1 || number > j->n_tables) {
        app_say(a, ROLE_WARN, "there are tables 1 to %zu; the newest is %zu", j->n_tables,
                j->n_tables);
        return;
    }
    j->table_at = number - 1;
    app_go(a, SCR_TABLE);
}

void app_table_step(struct app *a, int by) {
    struct app_job *j = a->job;

    if (by < 0 ? j->table_at == 0 : j->table_at + 1 >= j->n_tables)
        app_say(a, ROLE_DIM, by < 0 ? "that is the first table" : "that is the last table");
    else
        j->table_at = by < 0 ? j->table_at - 1 : j->table_at + 1;
}

void app_table_column(struct app *a, int by) {
    struct app_table *t = app_table(a);

    if (t && by < 0 && t->column > 0)
        t->column--;
    else if (t && by > 0 && t->column + 1 < table_columns(t->table))
        t->column++;
}

/* Up, down, as it came. */
void app_table_sort(struct app *a) {
    struct app_table *t = app_table(a);
    enum table_order next;

    if (!t)
        return;
    next = t->sorted != t->column || t->order == ORDER_NONE ? ORDER_UP
           : t->order == ORDER_UP                           ? ORDER_DOWN
                                                            : ORDER_NONE;
    t->sorted = t->column;
    t->order = next;
    table_sort(t->table, t->column, next);
    list_to(&t->rows, 0);
}

const char *app_table_cell(const struct app *a) {
    const struct app_table *t = app_table(a);

    return t ? table_at(t->table, t->rows.cur, t->column) : "";
}

void app_table_show_cell(struct app *a) {
    const struct app_table *t = app_table(a);

    if (!t || table_rows(t->table) == 0)
        return;
    pager_clear(a->cell_page);
    pager_line(a->cell_page, ROLE_TITLE, "%s, row %zu", table_title(t->table, t->column),
               t->rows.cur + 1);
    pager_gap(a->cell_page);
    pager_add(a->cell_page, "", ROLE_TEXT, false, view_str(app_table_cell(a)));
    pager_move(a->cell_page, LIST_TOP);
    app_go(a, SCR_CELL);
}

void app_table_save(struct app *a) {
    static const uint8_t NONE[16];
    const struct app_table *t = app_table(a);
    struct app_file *f = t && memcmp(t->xid, NONE, 16) ? app_file_xid(a->job, t->xid) : NULL;

    if (f)
        app_save_file(a, f, NULL);
    else
        app_say(a, ROLE_WARN, "the guest has sent no file of this table");
}

/* Rows and columns in sight; a column that is wider than the screen is shown from its beginning. */
void app_table_fit(struct app_table *t, int width, int height) {
    int used = 0;

    list_resize(&t->rows, table_rows(t->table), (size_t)height);
    if (t->column < t->left)
        t->left = t->column;
    for (size_t c = t->left; c <= t->column; c++)
        used += table_width(t->table, c) + TABLE_GAP;
    while (used - TABLE_GAP > width && t->left < t->column)
        used -= table_width(t->table, t->left++) + TABLE_GAP;
}
