/* What the columns of a CSV are: their types, and names that SQL takes. */
#ifndef CDVM_WORKLOAD_COLUMNS_H
#define CDVM_WORKLOAD_COLUMNS_H

#include "csv.h"

enum column_type { COLUMN_EMPTY, COLUMN_INT, COLUMN_REAL, COLUMN_TEXT };

/* The narrowest type that holds both the values seen so far and this one. Integers have at most 18
 * digits and no leading zero: "007" is a name for something, not the number seven. */
enum column_type column_widen(enum column_type so_far, const struct csv_field *f);
const char *column_sql_type(enum column_type t); /* "INTEGER", "REAL", "TEXT" */

/* Name i of the header row: sanitised, never empty ("column_3"), distinct from names[0..i-1]
 * without regard to case ("total", "total_2"). Owned. */
char *column_name(const struct csv_field *f, char *const *names, size_t i);
/* The table's name from a file name: "Q1 Sales.csv" gives "q1_sales". Owned; not yet distinct. */
char *table_name(const char *file);
/* `name` or `name_2`, ... so that it is none of the others; consumes name. */
char *name_distinct(char *name, char *const *others, size_t n);

#endif
