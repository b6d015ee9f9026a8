/* The answer to one question: all rows into a file, the first ones kept for the screen. */
#ifndef CDVM_WORKLOAD_RESULT_H
#define CDVM_WORKLOAD_RESULT_H

#include "core/json.h"

#define PREVIEW_ROWS 200
#define PREVIEW_BYTES ((size_t)16384) /* of the rows as JSON: they travel in one message */
#define PREVIEW_CELL 120              /* characters of one cell; the file has all of them */

enum result_format { RESULT_CSV, RESULT_PARQUET };

struct result;
/* A CSV file is made at once (it must not exist); a Parquet file is made at result_path by the
 * engine. NULL on error. */
struct result *result_new(const char *path, enum result_format format, struct err *e);
enum result_format result_format(const struct result *r);
const char *result_path(const struct result *r);
/* Closes. False when something could not be written ("too-large"). */
bool result_close(struct result *r, struct err *e);
void result_free(struct result *r); /* NULL legal */

/* Cells as text; one without bytes at all (p = NULL) is SQL's NULL. The first call names the
 * columns. False ends the work: result_close says why. */
bool result_names(struct result *r, const struct view *names, size_t n);
bool result_cells(struct result *r, const struct view *cells, size_t n);
/* Parquet: how many rows the file has; result_cells was given the first ones. */
void result_count(struct result *r, uint64_t rows);

uint64_t result_rows(const struct result *r);
size_t result_columns(const struct result *r);
/* The only cell's text when there is exactly one row of one column, with its column's name; else
 * NULL. */
const char *result_single(const struct result *r, const char **name);
/* "columns": [...], "rows": [...], "total": n */
void result_table(const struct result *r, struct jw *w);

#endif
