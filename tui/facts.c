#include "tui/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attest/snp_report.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/offer.h"
#include "core/text.h"
#include "core/receipt.h"
#include "tui/receipts.h"
#include "tui/verify_bundle.h"

static const struct {
    const char *name, *key, *check;
} table[FACT_COUNT] = {
    [FACT_VERDICT] = {"verdict", "verdict", "verdict"},
    [FACT_POLICY] = {"policy", "policy", "verdict"},
    [FACT_RELEASE] = {"guest image", "release", "release.endorsed"},
    [FACT_WORKLOAD] = {"workload", "workload", "workload.volume"},
    [FACT_MODEL] = {"model", "model", "model.volume"},
    [FACT_MEASUREMENT] = {"launch digest", "measurement", "snp.measurement"},
    [FACT_TCB] = {"firmware (TCB)", "tcb", "snp.tcb.floor"},
    [FACT_CHIP] = {"chip", "chip", "snp.vek.hwid"},
    [FACT_MESSAGES] = {"messages", "messages", "receipt.coverage"},
    [FACT_OPEN] = {"not PASS", "open", "verdict"},
};

const char *fact_name(enum fact f) {
    return table[f].name;
}

const char *fact_key(enum fact f) {
    return table[f].key;
}

const char *fact_check(enum fact f) {
    return table[f].check;
}

bool fact_same(const struct facts *a, const struct facts *b, enum fact f) {
    return strcmp(a->text[f], b->text[f]) == 0;
}

size_t facts_differ(const struct facts *a, const struct facts *b) {
    size_t n = 0;

    for (enum fact f = 0; f < FACT_COUNT; f++)
        n += !fact_same(a, b, f);
    return n;
}

static void put_hex(struct facts *x, enum fact f, const uint8_t *p, size_t n) {
    if (2 * n < FACT_TEXT)
        hex_encode(view_of(p, n), x->text[f]);
}

static void take_offer(struct facts *x, const struct bundle *b) {
    struct offer *o = b->offer ? offer_parse(b->offer, NULL) : NULL;

    if (!o)
        return;
    memcpy(x->provider, o->pubkey, 32);
    put_hex(x, FACT_RELEASE, o->release, 32);
    snprintf(x->text[FACT_WORKLOAD], FACT_TEXT, "%s", o->workload);
    snprintf(x->text[FACT_MODEL], FACT_TEXT, "%s", o->model);
    offer_free(o);
}

static void take_report(struct facts *x, const struct bundle *b) {
    cleanup_buf struct buf raw = {0};
    struct snp_report r;

    if (bundle_report(b, &raw, NULL) != 0 || !snp_report_parse(buf_view(&raw), &r))
        return;
    put_hex(x, FACT_MEASUREMENT, r.measurement, sizeof r.measurement);
    put_hex(x, FACT_TCB, r.reported_tcb, sizeof r.reported_tcb);
}

static void take_chip(struct facts *x, struct view chip) {
    if (!chip.n) {
        snprintf(x->text[FACT_CHIP], FACT_TEXT, "unknown");
        return;
    }
    x->chip_len = chip.n < sizeof x->chip ? chip.n : sizeof x->chip;
    memcpy(x->chip, chip.p, x->chip_len);
    put_hex(x, FACT_CHIP, x->chip, x->chip_len);
}

static void take_open(struct facts *x, const struct verdict *v) {
    const struct check *open[64];
    size_t n = verdict_open(v, open, COUNT(open)), at = 0;
    char *text = x->text[FACT_OPEN];

    snprintf(text, FACT_TEXT, "none");
    for (size_t i = 0; i < n && i < COUNT(open) && at < FACT_TEXT; i++)
        at += (size_t)snprintf(text + at, FACT_TEXT - at, "%s%s", i ? "," : "", open[i]->id);
}

static void take_messages(struct facts *x, const struct bundle *b) {
    struct receipt r;

    if (b->receipt && receipt_parse(b->receipt, &r, NULL) == 0)
        snprintf(x->text[FACT_MESSAGES], FACT_TEXT, "%" PRIu64 " to the guest, %" PRIu64 " back",
                 r.n_in, r.n_out);
    else
        snprintf(x->text[FACT_MESSAGES], FACT_TEXT, "no receipt");
}

static void take_policy(struct facts *x, const struct bundle *b, const struct verdict *v) {
    struct accept_words a;
    bool said = accept_words(b, &a) && *a.policy;

    text_clip(x->text[FACT_POLICY], 64, said ? a.policy : verdict_policy(v));
}

void facts_of(const struct bundle *b, const struct verdict *v, struct facts *out) {
    memset(out, 0, sizeof *out);
    out->when = verdict_as_of(v);
    out->simulated = verdict_simulated(v);
    snprintf(out->text[FACT_VERDICT], FACT_TEXT, "%s%s", out->simulated ? "SIMULATED " : "",
             check_state_name(verdict_state(v)));
    take_policy(out, b, v);
    take_messages(out, b);
    take_offer(out, b);
    take_report(out, b);
    take_chip(out, verdict_chip(v));
    take_open(out, v);
}
