/* Endorsements (kind 31880): k of the keys that the user pinned must agree on one digest, and any
 * one of them can revoke (cdvm-protocol(7), "Public events"). */
#include "advice.h"
#include "reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/hash.h"

struct subject {
    const char *type; /* tag "type" of the event */
    char d[160];      /* name/version */
    struct view content;
    uint8_t digest[32];
};

static const char *const type_words[] = {"guest", "workload", "model"};

/* Higher seq; where that is equal, later. */
static bool newer(const struct event *a, const struct event *b) {
    if (event_seq(a) != event_seq(b))
        return event_seq(a) > event_seq(b);
    return a->f.created_at > b->f.created_at;
}

static bool tag_is(const struct event *ev, const char *tag, const char *value) {
    const char *s = fields_get(&ev->f, tag, 1);

    return s && !strcmp(s, value);
}

/* A revocation need not repeat the type: `d` names what it takes back. */
static bool type_fits(const struct event *ev, const char *type) {
    return tag_is(ev, "type", type) || (!ev->f.content_len && !fields_find(&ev->f, "type", 0));
}

/* The endorser's newest word on this subject. */
static const struct event *newest_by(const struct pins *p, const uint8_t *key,
                                     const struct subject *s) {
    const struct event *best = NULL;

    for (size_t i = 0; i < p->n_endorsements; i++) {
        const struct event *ev = p->endorsement[i];

        if (ev->f.kind != KIND_ENDORSEMENT || memcmp(ev->f.pubkey, key, 32) != 0 ||
            !tag_is(ev, "d", s->d) || !type_fits(ev, s->type) || !event_counts(p, ev))
            continue;
        if (!best || newer(ev, best))
            best = ev;
    }
    return best;
}

static bool event_agrees(const struct event *ev, const struct subject *s, int64_t now) {
    const char *x = fields_get(&ev->f, "x", 1);
    uint8_t claimed[32];

    return !fields_expired(&ev->f, now) && hex_decode_str(x, claimed, 32) &&
           !memcmp(claimed, s->digest, 32) &&
           view_eq(view_of(ev->f.content, ev->f.content_len), s->content);
}

static bool pinned(const struct pins *p, const uint8_t digest[static 32]) {
    for (size_t i = 0; i < p->n_digests; i++)
        if (!memcmp(p->digest[i], digest, 32))
            return true;
    return false;
}

/* Words of pinned keys on this subject that are older than what they said before. */
static size_t held_back(const struct pins *p, const struct subject *s) {
    size_t n = 0;

    for (size_t i = 0; i < p->n_endorsements; i++) {
        const struct event *ev = p->endorsement[i];

        n += ev->f.kind == KIND_ENDORSEMENT && tag_is(ev, "d", s->d) &&
             event_seq(ev) < memory_seq(p->memory, KIND_ENDORSEMENT, ev->f.pubkey, s->d);
    }
    return n;
}

/* The key's newest word is empty; or it was when last seen, and nothing newer is at hand. */
static bool taken_back(const struct pins *p, const struct event *newest, uint32_t kind,
                       const uint8_t *key, const char *d) {
    if (newest && !newest->f.content_len)
        return true;
    return memory_gone(p->memory, kind, key, d) &&
           (!newest || event_seq(newest) <= memory_seq(p->memory, kind, key, d));
}

/* Counts who agrees; true when somebody revoked. */
static bool votes(const struct pins *p, const struct subject *s, int64_t now, size_t *agree) {
    *agree = 0;
    for (size_t i = 0; i < p->n_endorsers; i++) {
        const struct event *ev = newest_by(p, p->endorser[i], s);

        if (taken_back(p, ev, KIND_ENDORSEMENT, p->endorser[i], s->d))
            return true;
        if (!ev)
            continue;
        *agree += event_agrees(ev, s, now);
    }
    return false;
}

static void verdict_of_votes(const struct pins *p, const struct advice *advice,
                             const struct subject *s, int64_t now, struct finding *f) {
    const size_t need = p->k ? p->k : 1;
    size_t agree;

    if (p->n_endorsers)
        finding_expected(f, "pinned, or %zu of %zu endorsers", need, p->n_endorsers);
    else
        finding_expected(f, "pinned");
    if (votes(p, s, now, &agree)) {
        f->outcome = OUT_FATAL;
        finding_got(f, "revoked");
        finding_why(f, "A key that you trust has revoked %s.", s->d);
    } else if (advice && advice_revokes(advice, s->digest)) {
        f->outcome = OUT_FATAL;
        finding_got(f, "revoked by an advisory");
        finding_why(f, "An advisory by a key that you trust revokes %s.", s->d);
    } else if (pinned(p, s->digest)) {
        f->outcome = OUT_GOOD;
        finding_got(f, "pinned");
    } else if (agree >= need && p->n_endorsers) {
        f->outcome = OUT_GOOD;
        finding_got(f, "%zu endorsers", agree);
    } else {
        finding_got(f, "%zu endorsers, not pinned", agree);
        if (held_back(p, s))
            finding_why(f,
                        "Only an older word on %s came than one that you have seen: it is not "
                        "taken.",
                        s->d);
        else
            finding_why(f, "Nobody whom you chose to trust vouches for %s.", s->d);
    }
}

void endorsement_check(const struct pins *pins, const struct advice *advice,
                       enum manifest_kind kind, struct view content, const char *name,
                       const char *version, int64_t now, struct finding *f) {
    struct subject s = {.type = type_words[kind], .content = content};

    if (!content.n) {
        finding_why(f, "Its manifest is not at hand, so nobody can vouch for it.");
        return;
    }
    snprintf(s.d, sizeof s.d, "%s/%s", name, version);
    sha256(content, s.digest);
    verdict_of_votes(pins, advice, &s, now, f);
}

/* Chip endorsements (kind 31882): d is the chip id in hex, the content names the operator and place
 * in words. An empty one withdraws; one without an end proves nothing for long and is not counted.
 */
static const struct event *newest_on_chip(const struct pins *p, const uint8_t *key,
                                          const char *chip) {
    const struct event *best = NULL;

    for (size_t i = 0; i < p->n_endorsements; i++) {
        const struct event *ev = p->endorsement[i];

        if (ev->f.kind == KIND_CHIP && !memcmp(ev->f.pubkey, key, 32) && tag_is(ev, "d", chip) &&
            event_counts(p, ev) && (!best || newer(ev, best)))
            best = ev;
    }
    return best;
}

static bool chip_votes(const struct pins *p, const char *chip, int64_t now, size_t *agree) {
    *agree = 0;
    for (size_t i = 0; i < p->n_endorsers; i++) {
        const struct event *ev = newest_on_chip(p, p->endorser[i], chip);

        if (taken_back(p, ev, KIND_CHIP, p->endorser[i], chip))
            return true;
        if (!ev)
            continue;
        *agree += fields_get(&ev->f, "expiration", 1) && !fields_expired(&ev->f, now);
    }
    return false;
}

void chip_check(const struct pins *pins, struct view chip, int64_t now, struct finding *f) {
    const size_t need = pins->k ? pins->k : 1;
    char hex[2 * 64 + 1];
    size_t agree = 0;

    hex_encode(view_of(chip.p, chip.n < 64 ? chip.n : 64), hex);
    if (chip.n && chip_votes(pins, hex, now, &agree)) {
        f->outcome = OUT_FATAL;
        finding_why(f, "A key that you trust has withdrawn its word for this machine.");
        return;
    }
    finding_expected(f, "%zu of %zu endorsers", need, pins->n_endorsers);
    if (agree >= need && pins->n_endorsers) {
        f->outcome = OUT_GOOD;
        finding_got(f, "%zu endorsers", agree);
    } else
        finding_absent(f, "Nobody you trust vouches for physical access to this machine.");
}
