/* How many keys have left the house, for each row and machine: one SQLite file. A key is counted,
 * and the count is on the disk, before it is sent. */
#ifndef CDVM_BROKER_BOOK_H
#define CDVM_BROKER_BOOK_H

#include "broker_list.h"

struct broker_book;
struct broker_book *broker_book_open(const char *path, struct err *e); /* NULL: "book" */
void broker_book_free(struct broker_book *b);                          /* NULL legal */

/* Counts one key for this row on the machine with this CHIP_ID (64 bytes, or as the report has it).
 * count (may be NULL): how many that makes on this machine. "count-exhausted" when the row's max or
 * total is reached, "book" when nothing could be written: no key may leave then. */
int broker_book_take(struct broker_book *b, const struct broker_row *row, struct view chip,
                     int64_t now, uint64_t *count, struct err *e) WARN_UNUSED;

#endif
