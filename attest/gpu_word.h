/* What is said of one certificate of NVIDIA's, by an OCSP answer or a revocation list. */
#ifndef CDVM_GPU_WORD_H
#define CDVM_GPU_WORD_H

#include <openssl/x509.h>
#include "core/bytes.h"

/* From least to most: of several words on one certificate the last here counts. */
enum gpu_word {
    WORD_NONE,     /* speaks of another certificate */
    WORD_UNUSABLE, /* stale, not yet valid, by the wrong signer, malformed: as if there were none */
    WORD_HELD,     /* was on hold, by a word that is stale: one that is fresh may have lifted it */
    WORD_GOOD,
    WORD_HOLD,    /* revoked for now (certificateHold) */
    WORD_UNKNOWN, /* the authority does not know it */
    WORD_REVOKED, /* counts even when the word itself is stale */
};

struct gpu_said {
    enum gpu_word word;
    int64_t as_of, until; /* Unix seconds: thisUpdate and nextUpdate */
    char text[200];       /* why it is unusable, or since when it is revoked; one sentence */
};

/* How far the customer's clock may be behind NVIDIA's. */
#define WORD_SKEW 300

/* Judges the dates of a word by the customer's clock: fills as_of and until, and where they are not
 * good the text. next NULL: none is said, which is not good. */
bool gpu_word_fresh(struct gpu_said *s, const ASN1_TIME *from, const ASN1_TIME *next, int64_t now);
/* The word of a revocation for this reason (RFC 5280, 5.3.1; -1: none given). */
void gpu_word_revoked(struct gpu_said *s, bool fresh, int reason, const ASN1_TIME *since);

#endif
