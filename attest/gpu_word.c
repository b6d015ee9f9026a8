#include "gpu_word.h"

#include <stdio.h>
#include <time.h>

#include <openssl/x509v3.h>

static void when_text(int64_t t, char out[static 24]) {
    const time_t at = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&at, &tm) || !strftime(out, 24, "%Y-%m-%d %H:%M", &tm))
        snprintf(out, 24, "?");
}

int64_t gpu_word_time(const ASN1_TIME *t) {
    struct tm tm;

    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

bool gpu_word_fresh(struct gpu_said *s, const ASN1_TIME *from, const ASN1_TIME *next, int64_t now) {
    char when[24];

    s->as_of = gpu_word_time(from);
    s->until = gpu_word_time(next);
    if (!s->as_of || !s->until) {
        snprintf(s->text, sizeof s->text, "it does not say from when and until when it counts");
        return false;
    }
    if (s->as_of > now + WORD_SKEW) {
        when_text(s->as_of, when);
        snprintf(s->text, sizeof s->text, "it is not yet valid: it counts from %s UTC", when);
        return false;
    }
    if (s->until <= now) {
        when_text(s->until, when);
        snprintf(s->text, sizeof s->text, "it is stale: it counted until %s UTC", when);
        return false;
    }
    return true;
}

void gpu_word_revoked(struct gpu_said *s, int reason, const ASN1_TIME *since) {
    char when[24];

    when_text(gpu_word_time(since), when);
    s->word = reason == CRL_REASON_CERTIFICATE_HOLD ? WORD_HOLD : WORD_REVOKED;
    snprintf(s->text, sizeof s->text, "%s since %s UTC",
             s->word == WORD_HOLD ? "on hold" : "revoked", when);
}
