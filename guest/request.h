/* The JOB frame: the customer's request as the host passes it on (cdvm-protocol(7), "Channel", type
 * 1).
 */
#ifndef CDVM_REQUEST_H
#define CDVM_REQUEST_H

#include "core/dvm.h"

/* {rumor, relays, time}: exactly these; the rumor's id is recomputed; relays must be its relay
 * tags. Time is the host's word and may be anything. Code "bad-request". */
int request_parse(struct view frame, struct job_request *out, int64_t *time,
                  struct err *e) WARN_UNUSED;

#endif
