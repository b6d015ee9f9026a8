/* A CSV file as rows of typed values: the second reading of table_csv. */
#ifndef CDVM_WORKLOAD_DUCKDB_CSV_H
#define CDVM_WORKLOAD_DUCKDB_CSV_H

#include "duckdb_side.h"
#include "duckdb_watch.h"
#include "table_csv.h"

struct duckdb_csv;
/* Whole numbers become BIGINT, or HUGEINT above 18 digits; numbers with a point DECIMAL, so that
 * sums of money are exact; with an exponent or above 38 digits DOUBLE; dates DATE and TIMESTAMP;
 * the rest VARCHAR. Borrows all of it. */
struct duckdb_csv *duckdb_csv_new(struct table_csv *c, const struct table_info *t,
                                  struct duckdb_watch *w);
void duckdb_csv_free(struct duckdb_csv *c);
struct duckdb_source duckdb_csv_source(struct duckdb_csv *c);

#endif
