/* How fast a relay lets us publish: found by trying, from its "rate-limited" answers (NIP-01). Free
 * until the first of them; then a gap between events that grows by half with each refusal, shrinks
 * with each event taken, and is forgotten after a while without one. No clock: `now` is loop_now.
 */
#ifndef CDVM_THROTTLE_H
#define CDVM_THROTTLE_H

#include <stdint.h>

struct throttle {       /* {0} to begin with */
    int64_t gap;        /* milliseconds between two events; 0: no limit is known */
    int64_t next;       /* the earliest for the next event */
    int64_t refused_at; /* what was sent before it is refused with it, and teaches nothing more */
};
int64_t throttle_wait(const struct throttle *t, int64_t now); /* milliseconds; 0: send */
void throttle_sent(struct throttle *t, int64_t now);
void throttle_refused(struct throttle *t, int64_t sent_at, int64_t now);
void throttle_taken(struct throttle *t, int64_t now);

#endif
