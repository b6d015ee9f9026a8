/* A known identity in a request (cdvm-protocol(7), "Parties and keys"): an event that a long-term
 * key signed, which says "the one-time key U of this job is mine". It stands in the request's tag
 * `introduction`, so the provider alone reads it, and it names provider, offer, U and nonce: it
 * introduces nobody else, to nobody else, for nothing else. Of an ephemeral kind: a relay that is
 * shown one keeps it not. */
#ifndef CDVM_INTRODUCTION_H
#define CDVM_INTRODUCTION_H

#include "dvm.h"

#define INTRODUCTION_WINDOW 3600 /* seconds between its date and the request's */

/* What is to be signed. q: customer, provider, offer and nonce are filled in. */
struct fields introduction_draft(const struct job_request *q, int64_t now);
/* The signed event says that for this request, and by which key; anything else "bad-request". */
int introduction_check(const struct event *ev, const struct job_request *q, uint8_t who[static 32],
                       struct err *e) WARN_UNUSED;
/* Into the request before it is made. "too-large": it is none of ours. */
int introduction_put(const struct event *ev, struct job_request *q, struct err *e) WARN_UNUSED;
/* 1 and who, when the request has one; 0 without; -1 "bad-request" when it proves nothing. dated:
 * created_at of the request's rumor. */
int introduction_of(const struct job_request *q, int64_t dated, uint8_t who[static 32],
                    struct err *e) WARN_UNUSED;

#endif
