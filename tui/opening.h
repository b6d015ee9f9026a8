/* What a job begins with: the one-time key U and the nonce, and the word of a known identity for
 * them where one is wanted. It is made before the session, because the signer may take its time. */
#ifndef CDVM_OPENING_H
#define CDVM_OPENING_H

#include "core/introduction.h"
#include "core/offer.h"
#include "tui/identity.h"

struct opening {
    struct keypair *u;
    uint8_t nonce[32];
    char introduction[JOB_INTRODUCTION_MAX]; /* "" none */
};
struct opening *opening_new(void);    /* fresh; nobody is introduced */
void opening_free(struct opening *o); /* wipes; NULL legal */

/* What the identity is to sign for a job at this offer. */
struct fields opening_draft(const struct opening *o, const struct offer *offer, int64_t now);
/* What came back: it must be that draft, signed by `who`; else "bad-signer". */
int opening_introduce(struct opening *o, const struct offer *offer, const struct event *ev,
                      const uint8_t who[static 32], struct err *e) WARN_UNUSED;
/* For a job at this offer by the chosen one of `l`, which may be NULL; its key must be here (one
 * that is with a signer takes an errand, errand.h). *out is NULL when nobody is
 * to be introduced. -1: nobody can be, and nothing is left to free. */
int opening_by(const struct identities *l, const struct offer *offer, struct opening **out,
               struct err *e) WARN_UNUSED;

#endif
