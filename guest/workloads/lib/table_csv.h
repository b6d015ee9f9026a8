/* A CSV file about to become a table: mapped, read once for its header, types and number of rows,
 * and ready to be read again for its values. */
#ifndef CDVM_WORKLOAD_TABLE_CSV_H
#define CDVM_WORKLOAD_TABLE_CSV_H

#include "columns.h"
#include "table_engine.h"

enum table_file { TABLE_FILE_CSV, TABLE_FILE_JSON, TABLE_FILE_PARQUET };
/* By its first bytes if it is Parquet, else by the ending of its name: .json, .jsonl and .ndjson
 * are JSON, everything else is taken for CSV. */
enum table_file table_kind(const char *file, const char *path);

#define TABLE_CSV_ROWS 4096 /* between two looks at stop and progress */

struct table_csv {
    struct view bytes; /* the mapped file */
    struct csv *csv;   /* at the first row behind the header */
    struct column_scan *scan;
    uint64_t rows; /* in all */
};
/* Fills the columns' names, their number and the rows of `t`. Codes "bad-csv", "too-large",
 * "system", "cancelled", "timeout". Progress counts up to half of the work. */
int table_csv_open(struct table_csv *c, const char *path, struct table_info *t,
                   const struct table_watch *w, struct err *e) WARN_UNUSED;
void table_csv_close(struct table_csv *c); /* legal on {0} */

/* Of twice the file's bytes, since it is read twice. */
uint64_t table_csv_total(const struct table_csv *c);

#endif
