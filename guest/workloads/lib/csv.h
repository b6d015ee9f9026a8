/* CSV as people's programs write it (RFC 4180 and its relatives), over bytes in memory.
 *
 * Understood: an UTF-8 byte order mark; LF, CRLF and CR line ends; quoted fields with doubled
 * quotes and line ends inside; comma, semicolon, tab or bar as separator, whichever the first line
 * has most of. Refused, with code "bad-csv" and the line: bytes that are not UTF-8 text, an open
 * quote at the end, text behind a closing quote, more or fewer fields than the first line. */
#ifndef CDVM_WORKLOAD_CSV_H
#define CDVM_WORKLOAD_CSV_H

#include "core/bytes.h"

#define CSV_COLUMNS_MAX 1000
#define CSV_FIELD_MAX ((size_t)1 << 20)

struct csv_field {
    struct view text; /* unquoted; borrowed until the next csv_next */
    bool quoted;
};
struct csv_row {
    const struct csv_field *field;
    size_t n;
    uint64_t line; /* the row's first line, from 1 */
};

struct csv;
/* Borrows the bytes. NULL when they cannot be CSV at all (binary, UTF-16, empty). */
struct csv *csv_new(struct view bytes, struct err *e);
void csv_free(struct csv *c);
/* 1 = a row, 0 = the end, -1 = error. The first row is the header and sets the number of fields.
 * Lines without any character are skipped. */
int csv_next(struct csv *c, struct csv_row *row, struct err *e) WARN_UNUSED;
/* Back to the first row. */
void csv_rewind(struct csv *c);
size_t csv_offset(const struct csv *c); /* bytes consumed */

#endif
