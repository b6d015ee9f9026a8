/* A table as aligned text: one line of titles, one rule, one line a row. Columns of numbers stand
 * to the right. No curses. */
#ifndef CDVM_TABLE_H
#define CDVM_TABLE_H

#include "core/json.h"
#include "core/text.h"

#define TABLE_COLUMNS_MAX 64
#define TABLE_CELL_MAX 40 /* cells of the widest column; longer text ends in an ellipsis */

struct table;
struct table *table_new(size_t columns); /* at most TABLE_COLUMNS_MAX are kept */
void table_free(struct table *t);        /* NULL legal */
/* Next cell, row by row; the first row is the titles. Any text from outside. */
void table_cell(struct table *t, struct view text);
/* {columns, rows} of a guest's message `table`: rows of other lengths are cut or filled. Owned. */
struct table *table_of_json(const cJSON *o);
size_t table_rows(const struct table *t); /* without the titles */
/* Appends the whole as lines of UTF-8 (sanitised), each but the last ending in a newline. */
void table_text(const struct table *t, bool ascii, struct buf *out);

#endif
