/* The rules over what NVIDIA says of a device: its reference values, and who was revoked. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gpu_crl.h"
#include "gpu_measure.h"
#include "gpu_ocsp.h"
#include "gpu_rules.h"
#include "snp_cert.h"

static bool proven(const struct gpu_device *d, struct finding *f) {
    if (!d->authentic)
        finding_absent(f, "The report is not authentic, so which values count is not known.");
    return d->authentic;
}

/* id "": the report does not say enough. */
static void rim_rule(const struct gpu_rim *r, const struct err *reason, const char *id,
                     struct finding *f) {
    f->outcome = OUT_ABSENT;
    if (!*id) {
        finding_why(f, "The report does not name all that chooses NVIDIA's reference values.");
        return;
    }
    finding_expected(f, "%.120s, signed by NVIDIA", id);
    if (r) {
        f->outcome = OUT_GOOD;
        finding_got(f, "version %s for %s, %u values", r->version, r->product, r->n_active);
    } else if (!strcmp(reason->code, "unreadable-rim")) {
        finding_why(f,
                    "NVIDIA's reference values are missing, and a document that was given in "
                    "their place cannot be read: %.200s.",
                    reason->text);
    } else if (reason->code[0]) {
        f->outcome = OUT_BAD;
        finding_why(f, "NVIDIA's reference values as given do not stand: %.300s.", reason->text);
    } else
        finding_why(f, "NVIDIA's reference values are missing: nothing says how it ought to "
                       "measure. They are public, under this name.");
}

void gpu_rule_rim_driver(const struct gpu_input *in, const struct gpu_device *d,
                         struct finding *f) {
    char id[RIM_ID];

    (void)in;
    if (!proven(d, f))
        return;
    if (gpu_device_is_switch(d)) {
        finding_got(f, "a switch has no driver");
        f->outcome = OUT_GOOD;
        return;
    }
    (void)!gpu_rim_driver_id(&d->report, gpu_device_chip(d), id);
    rim_rule(d->driver, &d->driver_error, id, f);
}

void gpu_rule_rim_vbios(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    char id[RIM_ID];

    (void)in;
    if (!proven(d, f))
        return;
    (void)!gpu_rim_vbios_id(&d->report, gpu_device_chip(d), id);
    rim_rule(d->vbios, &d->vbios_error, id, f);
}

/* Those that are at hand. */
static size_t rims_of(const struct gpu_device *d, const struct gpu_rim *out[static 2]) {
    size_t n = 0;

    if (d->driver)
        out[n++] = d->driver;
    if (d->vbios)
        out[n++] = d->vbios;
    return n;
}

static bool rims_complete(const struct gpu_device *d) {
    return d->vbios && (d->driver || gpu_device_is_switch(d));
}

static void mismatch(const struct gpu_measure *m, struct finding *f) {
    char which[100];

    gpu_measure_text(m, which, sizeof which);
    if (m->conflict)
        finding_why(f, "Driver and VBIOS both claim measurement %u: neither can be judged.",
                    m->conflict_index);
    else if (m->n_wrong)
        finding_why(f, "Firmware, driver or settings are not what NVIDIA signed: measurement %s.",
                    which);
    else
        finding_why(f, "The report lacks measurements that NVIDIA demands: %s.", which);
}

/* What already differs is bad, whatever else is missing. */
void gpu_rule_measurements(const struct gpu_input *in, const struct gpu_device *d,
                           struct finding *f) {
    const struct gpu_rim *rim[2];
    const size_t n = proven(d, f) ? rims_of(d, rim) : 0;
    struct gpu_measure m;

    (void)in;
    if (!d->authentic)
        return;
    if (!n) {
        finding_absent(f, "There are no reference values to compare with.");
        return;
    }
    gpu_measure_compare(&d->report, rim, n, &m);
    finding_expected(f, "%u values as NVIDIA signed them", m.golden);
    finding_got(f, "%u alike%s", m.matched,
                m.skipped ? ", 1 of the video decoder not judged: it is off" : "");
    if (!gpu_measure_good(&m))
        mismatch(&m, f);
    else if (!rims_complete(d))
        finding_absent(f, "Only a part could be compared: reference values are missing.");
    else
        f->outcome = OUT_GOOD;
}

/* --- revocation --- */

/* What all that came says of one certificate: the worst counts, and of good words the newest. */
static struct gpu_said word_on(const struct gpu_input *in, X509 *x, X509 *issuer) {
    const struct gpu_collateral *c = in->collateral;
    struct gpu_said best = {.word = WORD_NONE}, one;

    for (size_t i = 0; i < c->n_ocsps + c->n_crls; i++) {
        if (i < c->n_ocsps)
            gpu_ocsp_check(c->ocsp[i], x, issuer, in->now, &one);
        else
            gpu_crl_check(c->crl[i - c->n_ocsps], x, issuer, in->now, &one);
        if (one.word > best.word || (one.word == best.word && one.as_of > best.as_of))
            best = one;
    }
    return best;
}

#define ASKED_MAX (GPU_CERTS - 2 + 2 * (RIM_CERTS - 1))

struct tally {
    unsigned n, good;
    X509 *asked[ASKED_MAX];
    int64_t as_of;         /* of the oldest good word */
    struct gpu_said worst; /* of those that are not good */
    X509 *whose;
};

/* Of what is not good: nobody's word is better than a bad one. */
static int badness(enum gpu_word w) {
    static const int rank[] = {
        [WORD_GOOD] = 0, [WORD_NONE] = 1,    [WORD_UNUSABLE] = 2, [WORD_HELD] = 3,
        [WORD_HOLD] = 4, [WORD_UNKNOWN] = 5, [WORD_REVOKED] = 6};

    return rank[w];
}

/* The values of driver and VBIOS may have authorities in common. */
static bool asked(const struct tally *t, X509 *x) {
    for (unsigned i = 0; i < t->n; i++)
        if (!X509_cmp(t->asked[i], x))
            return true;
    return false;
}

static void ask(const struct gpu_input *in, X509 *const *x, int from, int until, struct tally *t) {
    for (int i = from; i <= until; i++) {
        struct gpu_said s;

        if (asked(t, x[i]))
            continue;
        s = word_on(in, x[i], x[i + 1]);
        t->asked[t->n++] = x[i];
        if (s.word == WORD_GOOD) {
            t->as_of = !t->good || s.as_of < t->as_of ? s.as_of : t->as_of;
            t->good++;
        } else if (!t->whose || badness(s.word) > badness(t->worst.word)) {
            t->worst = s;
            t->whose = x[i];
        }
    }
}

static void as_of_text(const struct tally *t, struct finding *f) {
    const time_t at = (time_t)t->as_of;
    char when[24] = "";
    struct tm tm;

    if (t->good && gmtime_r(&at, &tm))
        (void)!strftime(when, sizeof when, "%Y-%m-%d %H:%M", &tm);
    finding_got(f, "%u of %u certificates%s%s%s", t->good, t->n, *when ? ", as of " : "", when,
                *when ? " UTC" : "");
}

static void tally_judge(const struct tally *t, struct finding *f) {
    cleanup_free char *cn = t->whose ? cert_cn(t->whose, false) : NULL;

    as_of_text(t, f);
    if (!cn)
        f->outcome = OUT_GOOD;
    else if (t->worst.word == WORD_NONE) {
        f->outcome = OUT_ABSENT;
        finding_why(f, "NVIDIA's word on '%.80s' is not at hand.", cn);
    } else if (t->worst.word == WORD_UNUSABLE) {
        f->outcome = OUT_ABSENT;
        finding_why(f, "NVIDIA's word on '%.80s' does not count: %s.", cn, t->worst.text);
    } else {
        f->outcome = t->worst.word < WORD_UNKNOWN ? OUT_AMBER : OUT_BAD;
        finding_why(f, "NVIDIA's certificate '%.80s' is %s.", cn, t->worst.text);
    }
}

/* Certificate 0 of a device is its own, made anew: its authority has no list of such. */
void gpu_rule_revocation(const struct gpu_input *in, const struct gpu_device *d,
                         struct finding *f) {
    struct tally t = {0};

    finding_expected(f, "good, by OCSP answers or lists that are fresh");
    if (!d->chained) {
        finding_absent(f, "The chain does not stand, so whose key it is is not known.");
        return;
    }
    if (!in->collateral || !(in->collateral->n_ocsps + in->collateral->n_crls)) {
        finding_absent(f, "No word of NVIDIA's on its certificates is at hand.");
        return;
    }
    ask(in, d->chain.x, 1, GPU_CERTS - 2, &t);
    if (d->driver)
        ask(in, d->driver->cert, 0, RIM_CERTS - 2, &t);
    if (d->vbios)
        ask(in, d->vbios->cert, 0, RIM_CERTS - 2, &t);
    tally_judge(&t, f);
}
