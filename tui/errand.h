/* An errand to a remote signer (core/nip46.h): to meet it, or to have it sign for who starts a job.
 *
 * It has one deadline, which a signer that wants its person to say yes somewhere moves once and no
 * further. What the signer says decides nothing but whether there is a signature: core/nip46 takes
 * none over anything but the draft, under the key it was met with, and opening_introduce looks
 * again. */
#ifndef CDVM_ERRAND_H
#define CDVM_ERRAND_H

#include "tui/opening.h"

struct errand_handler {
    /* Waiting, at most until then (loop_now). visit: where the person is to say yes, sanitised, to
     * be shown only; NULL before there is any. */
    void (*waits)(void *arg, int64_t until, const char *visit);
    /* The three ends; nothing follows, and the errand may be freed in them. */
    void (*met)(void *arg, const uint8_t user[static 32]);
    /* op is taken over; the offer is a copy, and the errand's. */
    void (*introduced)(void *arg, struct opening *op, const struct offer *offer);
    /* "signer-silent", "signer-refused", "bad-signer" */
    void (*failed)(void *arg, const struct err *why);
};

struct errand;
/* Meets the signer for the first time, as `client`, which is copied. NULL on error. */
struct errand *errand_meet(struct ws_net *net, const struct signer_url *at,
                           const struct keypair *client, const struct errand_handler *h, void *arg,
                           struct err *e);
/* The chosen identity's key is with a signer: its word for a job takes an errand. */
bool errand_wanted(const struct identities *l); /* l NULL: no */
/* For a job at this offer by the chosen identity of l, of which all is copied that is needed. */
struct errand *errand_introduce(struct ws_net *net, const struct identities *l,
                                const struct offer *offer, const struct errand_handler *h,
                                void *arg, struct err *e);
void errand_free(struct errand *x); /* nothing of it follows; NULL legal */

#endif
