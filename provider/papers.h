/* What AMD signs about this machine's processor, for customers to verify a guest's report with:
 * certificate of the chip at its firmware level, the two above it, the revocation list. From the
 * cache that fetch-collateral.sh fills (kds.h); AMD's server is asked only for what is not there,
 * and again each day, since lists end and firmware changes. */
#ifndef CDVM_PAPERS_H
#define CDVM_PAPERS_H

#include "kds.h"

struct papers;
/* said: a sentence why something is not at hand. Borrows loop and http, copies the rest. NULL:
 * the cache cannot be opened. */
typedef void papers_fn(void *arg, const char *said);
struct papers *papers_new(struct loop *l, struct http *h, const struct kds_key *key,
                          const struct kds_opts *o, papers_fn *said, void *arg, struct err *e);
void papers_free(struct papers *p); /* NULL legal */
/* Copies of what is there by now. False when the chip's certificate is not; p may be NULL. */
bool papers_add(const struct papers *p, struct collateral *to);

#endif
