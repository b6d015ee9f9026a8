/* What the columns of a CSV are: their types, and names that SQL takes. */
#ifndef CDVM_WORKLOAD_COLUMNS_H
#define CDVM_WORKLOAD_COLUMNS_H

#include "csv.h"

enum column_type { COLUMN_EMPTY, COLUMN_INT, COLUMN_REAL, COLUMN_DATE, COLUMN_TIME, COLUMN_TEXT };

/* What the values of one column have in common; starts as {0}. */
struct column_scan {
    enum column_type type;
    unsigned whole, frac; /* most digits before and behind the point, of numbers */
    bool power;           /* one of them is written with an exponent */
};
/* Widens the scan by a value: the narrowest type that holds all of them. Integers have at most 18
 * digits and no leading zero: "007" is a name for something, not the number seven. Dates are
 * 2024-02-29, times 2024-02-29 13:00, with seconds and up to six decimals if wanted, or a T instead
 * of the space: days that do not exist make a text of the column. */
void column_scan_add(struct column_scan *s, const struct csv_field *f);

/* Microseconds since 1970-01-01 of a value that is COLUMN_DATE or COLUMN_TIME; false when it is
 * neither. */
bool column_time(struct view text, int64_t *micros);

/* Name i of the header row: sanitised, never empty ("column_3"), distinct from names[0..i-1]
 * without regard to case ("total", "total_2"). Owned. */
char *column_name(const struct csv_field *f, char *const *names, size_t i);
/* The table's name from a file name: "Q1 Sales.csv" gives "q1_sales". Owned; not yet distinct. */
char *table_name(const char *file);
/* `name` or `name_2`, ... so that it is none of the others; consumes name. */
char *name_distinct(char *name, char *const *others, size_t n);

#endif
