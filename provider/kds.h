/* AMD's key distribution service (cdvm-attestation(7), "Chain of trust"): the certificate of one
 * chip at one firmware level, the chain above it and the revocation list. Asked only by a provider
 * about its own machine, or when a person says --fetch; verification itself never comes here, and
 * nothing here decides what is trusted.
 *
 * Answers are kept in $XDG_CACHE_HOME/cdvm/collateral: the certificate by (product, chip, TCB), the
 * list until its next update. The service throttles its callers, so requests keep a distance of
 * KDS_SPACING_MS, between programs too, and an answer 429 doubles it. */
#ifndef CDVM_KDS_H
#define CDVM_KDS_H

#include "attest/snp_report.h"
#include "core/http.h"
#include "core/collateral.h"

#define KDS_BASE "https://kdsintf.amd.com"
#define KDS_SPACING_MS 10000

/* What a VCEK is derived for. */
struct kds_key {
    enum snp_product product;
    uint8_t chip[64];
    size_t chip_len; /* 64; Turin 8 */
    struct snp_tcb tcb;
};
/* From a report of version 3 or later. "no-vcek" when no certificate of AMD's server fits it: a
 * hidden chip id, a cloud's key (VLEK), an unknown family. */
int kds_key_of(struct view report, struct kds_key *out, struct err *e) WARN_UNUSED;

enum kds_part { KDS_VCEK, KDS_CHAIN, KDS_CRL, KDS_PARTS };
/* "/vcek/v1/Genoa/<chip>?blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84" */
void kds_path(const struct kds_key *k, enum kds_part part, struct buf *out);

/* Its name in the cache; owned. */
char *kds_file(const struct kds_key *k, enum kds_part part);
/* Adds what an answer brings to *got, as DER. -1 "bad-answer": it has not the form, is for another
 * chip, or has ended. Who signed it is the verifier's question. */
int kds_take(const struct kds_key *k, enum kds_part part, struct view body, struct collateral *got,
             struct err *e) WARN_UNUSED;

struct kds_opts {
    const char *base; /* scheme and host */
    const char *dir;  /* the cache; made when absent */
    int spacing_ms;
    bool allow_private; /* a server in a private network */
};
struct kds;
/* got: DER, parts that did not come are empty; e: NULL, or why one did not. Called once, after
 * which the request is gone. */
typedef void kds_fn(void *arg, struct collateral *got, const struct err *e);
/* NULL on error. Borrows loop and http; everything else is copied. */
struct kds *kds_start(struct loop *l, struct http *h, const struct kds_key *k,
                      const struct kds_opts *o, kds_fn *fn, void *arg, struct err *e);
void kds_cancel(struct kds *k); /* no callback; NULL legal */

/* What a provider says of its own machine, without asking anybody: the newest certificate in the
 * cache, and the chain and list of its family where they are there and in force. dir NULL: the
 * user's. False when there is no certificate; out is {0} before. */
bool kds_cached(const char *dir, struct collateral *out);

/* Both of the above with a loop of its own, AMD's server and the user's cache: blocks for as long
 * as politeness takes, 30 s where nothing is cached. collateral_free(out) in any case. -1 when
 * there is no certificate; a list that did not come is no error. */
int kds_fetch(struct view report, struct collateral *out, struct err *e) WARN_UNUSED;

#endif
