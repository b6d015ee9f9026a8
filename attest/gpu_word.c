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

/* 0: cannot be read. */
static int64_t time_of(const ASN1_TIME *t) {
    struct tm tm;

    return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

bool gpu_word_fresh(struct gpu_said *s, const ASN1_TIME *from, const ASN1_TIME *next, int64_t now) {
    char when[24];

    s->as_of = time_of(from);
    s->until = time_of(next);
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

void gpu_word_revoked(struct gpu_said *s, bool fresh, int reason, const ASN1_TIME *since) {
    const bool hold = reason == CRL_REASON_CERTIFICATE_HOLD;
    char when[24];

    when_text(time_of(since), when);
    s->word = !hold ? WORD_REVOKED : fresh ? WORD_HOLD : WORD_HELD;
    snprintf(s->text, sizeof s->text, "%s since %s UTC%s", hold ? "on hold" : "revoked", when,
             s->word == WORD_HELD ? ", by a word that is stale" : "");
}
