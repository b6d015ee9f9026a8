/* A table of an answer: read from the guest's JSON, as aligned text for the chat, and cell by cell
 * for its screen. Columns of numbers stand to the right. No curses.
 *
 * All text passes the sanitiser on the way in. */
#ifndef CDVM_TABLE_H
#define CDVM_TABLE_H

#include "core/json.h"
#include "core/text.h"

#define TABLE_COLUMNS_MAX 64
#define TABLE_ROWS_MAX 10000 /* a guest sends 200 */
#define TABLE_CELL_MAX 40    /* cells of the widest column; longer text ends in an ellipsis */
#define TABLE_TEXT_MAX 4096  /* code points kept of one cell */
#define TABLE_CHAT_ROWS 20   /* of one in the chat */
#define TABLE_GAP 2          /* cells between columns */

struct table;
struct table *table_new(size_t columns); /* at most TABLE_COLUMNS_MAX are kept */
void table_free(struct table *t);        /* wipes; NULL legal */
/* Next cell, row by row; the first row is the titles. Any text from outside. */
void table_cell(struct table *t, struct view text);
/* {columns, rows} of a guest's message `table`: rows of other lengths are cut or filled. Owned. */
struct table *table_of_json(const cJSON *o);
/* The same with its {total, file}: *total is at least the rows that are there; xid zero without a
 * file. */
struct table *table_read(const cJSON *o, uint64_t *total, uint8_t xid[static 16]);

size_t table_rows(const struct table *t); /* without the titles */
size_t table_columns(const struct table *t);
int table_width(const struct table *t, size_t column); /* 1 to TABLE_CELL_MAX */
bool table_number(const struct table *t, size_t column);
const char *table_title(const struct table *t, size_t column);
/* In the order of the last sort; "" where there is none. */
const char *table_at(const struct table *t, size_t row, size_t column);

/* Numbers by value, other text by letters whatever their case; empty cells last both ways, equal
 * ones as they came. */
enum table_order { ORDER_NONE, ORDER_UP, ORDER_DOWN };
void table_sort(struct table *t, size_t column, enum table_order order);

/* Appends titles, a rule and the rows as they came, as lines of UTF-8 (sanitised), each but the
 * last ending in a newline: all of them, or the first ones. */
void table_text(const struct table *t, bool ascii, struct buf *out);
void table_begin(const struct table *t, size_t rows, bool ascii, struct buf *out);

#endif
