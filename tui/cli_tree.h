/* A verdict as text and as JSON: what `cdvm verify` and `cdvm ask` print. */
#ifndef CDVM_CLI_TREE_H
#define CDVM_CLI_TREE_H

#include "attest/compare.h"
#include "attest/verdict.h"
#include "core/json.h"

/* One line per check, indented; what is not PASS says what was expected, what came and why. Every
 * line says SIMULATED when the verdict is. Ends with a newline. */
void verdict_text(const struct verdict *v, struct buf *out);
void checks_text(const struct check *top, bool simulated, struct buf *out); /* the lines alone */
/* {"verdict","simulated","product","as_of","checks":[{"id","title","state","required","source",
 * "expected","got","why","do","accepted","remembered","checks":[...]}]}, one line, no newline.
 * as_of is RFC 3339; do: what a person can do about it. */
void verdict_json(const struct verdict *v, struct buf *out);
/* The same members into an object that is open. */
void verdict_members(const struct verdict *v, struct jw *w);
/* "2026-11-22T10:00:00Z" */
void time_rfc3339(int64_t t, char out[static 32]);

#endif
