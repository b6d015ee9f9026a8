/* Questions and answers: between the customer's messages and the workload's lines.
 *
 * Questions are worked on one after the other, each after the files that came before it. While one
 * runs, a delta goes out every 250 ms with or without text, so that the rhythm tells nothing. What
 * a question yields is sent in this order: deltas, table, files, the whole text as the answer. */
#ifndef CDVM_ANSWERS_H
#define CDVM_ANSWERS_H

#include "blobs.h"
#include "core/xfer.h"
#include "workload.h"

#define ANSWERS_TICK_MS 50
#define ANSWERS_PACE_MS 250

struct answers;
/* All are borrowed. free_pace: deltas as they come (parameter pace=free). */
struct answers *answers_new(struct talk *t, struct blobs *b, bool free_pace);
void answers_free(struct answers *a);                         /* wipes; NULL legal */
void answers_workload(struct answers *a, struct workload *w); /* from now on */

/* From the customer. id: the rumor that carried it. */
void answers_ask(struct answers *a, const uint8_t id[static 32], struct view text);
void answers_cancel(struct answers *a, const uint8_t id[static 32]);
void answers_file(struct answers *a, const uint8_t id[static 32], const struct xfer_meta *m,
                  struct view data);
/* A file could not be taken: the customer is told. */
void answers_refuse(struct answers *a, const uint8_t id[static 32], const struct err *e);
/* Files are still coming in: questions wait. */
void answers_hold(struct answers *a, bool hold);

/* From the workload. */
void answers_message(struct answers *a, const struct contract_msg *m);
/* It is gone: every open question gets that as its answer. */
void answers_fail(struct answers *a, const struct err *e);
/* From the blobs. */
void answers_stored(struct answers *a, const uint8_t sha256[static 32], bool ok);

void answers_tick(struct answers *a, int64_t now_ms); /* every ANSWERS_TICK_MS */
bool answers_idle(const struct answers *a);           /* nothing is being answered */

#endif
