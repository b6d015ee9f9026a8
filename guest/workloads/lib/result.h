/* The answer to one question: all rows into a CSV file, the first ones kept for the screen. */
#ifndef CDVM_WORKLOAD_RESULT_H
#define CDVM_WORKLOAD_RESULT_H

#include <sqlite3.h>
#include "core/json.h"

#define PREVIEW_ROWS 200
#define PREVIEW_BYTES ((size_t)16384) /* of the rows as JSON: they travel in one message */
#define PREVIEW_CELL 120              /* characters of one cell; the file has all of them */

struct result;
/* Creates the file (it must not exist). NULL on error. */
struct result *result_new(const char *path, struct err *e);
/* Closes. False when something could not be written ("too-large"). */
bool result_close(struct result *r, struct err *e);
void result_free(struct result *r); /* NULL legal */

/* Cells as text; NULL is SQL's NULL. The first call names the columns. */
bool result_names(struct result *r, const char *const *names, size_t n);
bool result_cells(struct result *r, const char *const *cells, size_t n);
/* The same from a statement: for struct database_sink. arg is the result. */
bool result_statement_names(void *arg, sqlite3_stmt *s);
bool result_statement_row(void *arg, sqlite3_stmt *s);

uint64_t result_rows(const struct result *r);
size_t result_columns(const struct result *r);
/* The only cell's text when there is exactly one row of one column, with its column's name; else
 * NULL. */
const char *result_single(const struct result *r, const char **name);
/* "columns": [...], "rows": [...], "total": n */
void result_table(const struct result *r, struct jw *w);

#endif
