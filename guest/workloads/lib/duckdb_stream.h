/* A result that is still being computed, read chunk by chunk: as the source of another instance's
 * query, and as the answer to a question. */
#ifndef CDVM_WORKLOAD_DUCKDB_STREAM_H
#define CDVM_WORKLOAD_DUCKDB_STREAM_H

#include "duckdb_side.h"
#include "result.h"

#define STREAM_COLUMNS_MAX 2000 /* of an answer (cdvm-protocol(7), "Workload contract") */

struct duckdb_stream;
/* Borrows the result of side_stream. `code` as there. */
struct duckdb_stream *stream_new(duckdb_result *r, const char *code);
void stream_free(struct duckdb_stream *s);
size_t stream_columns(const struct duckdb_stream *s);
const char *stream_name(const struct duckdb_stream *s, size_t i);
/* All that is left of it; the columns get these names. */
struct duckdb_source stream_source(struct duckdb_stream *s, const char *const *names);

/* All of it into the result, through `files`, which turns values into text, or writes Parquet. */
int stream_answer(struct duckdb_stream *s, struct duckdb_side *files, struct result *out,
                  struct err *e) WARN_UNUSED;

#endif
