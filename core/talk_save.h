/* A conversation put down and taken up again by the same end (a customer's program that died): the
 * numbers and ids of both directions, and of the texts only those of ours that the peer has not
 * counted, for they may have to be sent again. What was delivered is not delivered again. */
#ifndef CDVM_TALK_SAVE_H
#define CDVM_TALK_SAVE_H

#include "talk.h"

/* Members of a JSON object (jw_k*). Of the incoming side as far as `n_in`: what came after that
 * comes anew, from a relay or because it is asked for. */
void talk_save(const struct talk *t, uint64_t n_in, struct jw *w);
/* From that object. h, arg, me: as for talk_new. Its first talk_tick sends what is unacknowledged.
 * NULL: "bad-message". Byte counts (talk_sum) begin anew. */
struct talk *talk_restore(enum talk_role role, const struct keypair *me,
                          const uint8_t peer[static 32], const uint8_t job[static 32],
                          const cJSON *o, const struct talk_handler *h, void *arg, struct err *e);
/* One message more of ours, the next one, which went out after talk_save. */
int talk_restore_sent(struct talk *t, const struct rumor *r, struct err *e) WARN_UNUSED;

#endif
