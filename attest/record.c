#include "record.h"

#include <string.h>

#include "core/hash.h"
#include "core/hello.h"
#include "core/receipt.h"
#include "finding.h"

struct record_ctx {
    const struct job_record *rec;
    const struct evidence *ev;
    const struct expect *x;
    const struct err *unreadable; /* the receipt does not parse; or NULL */
    struct receipt receipt;
};

static void check_guest(const struct record_ctx *c, struct finding *f) {
    finding_expected_hex(f, view_of(c->ev->guest, 32));
    finding_got_hex(f, view_of(c->rec->receipt->f.pubkey, 32));
    if (!memcmp(c->ev->guest, c->rec->receipt->f.pubkey, 32))
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The receipt is signed by another key than the attested guest's.");
}

/* What does not fit, or NULL. */
static const char *accept_wrong(const struct record_ctx *c) {
    const struct rumor *r = c->rec->accept;
    struct accept a;
    struct msg m;
    bool fits;

    if (!r)
        return NULL;
    if (memcmp(c->receipt.accept, r->f.id, 32) != 0)
        return "The receipt names another acceptance than the one at hand.";
    if (memcmp(r->f.pubkey, c->x->request->customer, 32) != 0 || msg_parse(r, &m, NULL))
        return "The acceptance at hand is not the customer's.";
    fits = !strcmp(m.type, "accept") && !accept_parse(m.o, &a, NULL) &&
           !memcmp(a.hello, c->ev->hello, 32);
    msg_free(&m);
    return fits ? NULL : "The acceptance at hand is of another guest's hello.";
}

static void check_job(const struct record_ctx *c, struct finding *f) {
    const char *wrong = NULL;

    finding_expected_hex(f, view_of(c->x->request->id, 32));
    if (c->unreadable) {
        finding_why(f, "%s.", c->unreadable->text);
        return;
    }
    finding_got_hex(f, view_of(c->receipt.job, 32));
    if (memcmp(c->receipt.job, c->x->request->id, 32) != 0)
        wrong = "The receipt is of another job.";
    else if (memcmp(c->receipt.hello, c->ev->hello, 32) != 0)
        wrong = "The receipt names another hello than the one that was verified.";
    else
        wrong = accept_wrong(c);
    if (wrong)
        finding_why(f, "%s", wrong);
    else
        f->outcome = OUT_GOOD;
}

static bool root_fits(const uint8_t (*ids)[32], size_t have, uint64_t n,
                      const uint8_t root[static 32]) {
    uint8_t got[32];

    if (n > have)
        return false;
    merkle_root(ids, (size_t)n, got);
    return !memcmp(got, root, 32);
}

static void check_coverage(const struct record_ctx *c, struct finding *f) {
    const struct job_record *rec = c->rec;
    const struct receipt *r = &c->receipt;

    if (c->unreadable) {
        finding_absent(f, "The receipt cannot be read.");
        return;
    }
    finding_got(f, "%llu messages, %llu answers", (unsigned long long)r->n_in,
                (unsigned long long)r->n_out);
    if (!rec->has_transcript) {
        finding_absent(f, "The list of messages is not at hand: only their number is known.");
        return;
    }
    finding_expected(f, "%zu messages, %zu answers", rec->n_in, rec->n_out);
    if (!root_fits(rec->in, rec->n_in, r->n_in, r->root_in) ||
        !root_fits(rec->out, rec->n_out, r->n_out, r->root_out)) {
        f->outcome = OUT_FATAL;
        finding_why(f, "The receipt counts other messages than the ones at hand.");
    } else if (r->n_in < rec->n_in)
        finding_why(f, "The receipt does not cover your last %zu.", rec->n_in - (size_t)r->n_in);
    else
        f->outcome = OUT_GOOD;
}

static bool is_sealed(const struct record_ctx *c) {
    return strcmp(c->x->offer->broker, "none") != 0;
}

static void check_model_key(const struct record_ctx *c, struct finding *f) {
    static const char *const words[] = {"none", "given by its owner"};
    const bool sealed = is_sealed(c), used = c->receipt.model_key;

    if (c->unreadable) {
        finding_absent(f, "The receipt cannot be read.");
        return;
    }
    finding_expected(f, "%s", words[sealed]);
    finding_got(f, "%s", words[used]);
    if (used == sealed)
        f->outcome = OUT_GOOD;
    else
        finding_why(f, sealed ? "The model of the offer is sealed, and the guest had no key of it."
                              : "The guest had a key of a model that the offer does not name.");
}

static void check_teardown(const struct record_ctx *c, struct finding *f) {
    const struct event *ev = c->rec->teardown;
    struct teardown t;
    struct err e;

    finding_expected(f, "exit status 0, folder removed");
    if (!ev) {
        finding_absent(f, "The seller has not said what became of the machine.");
    } else if (memcmp(ev->f.pubkey, c->x->offer->pubkey, 32) != 0) {
        finding_why(f, "It is not signed by the provider of the offer.");
    } else if (teardown_parse(ev, &t, &e)) {
        finding_why(f, "%s.", e.text);
    } else if (memcmp(t.job, c->x->request->id, 32) != 0) {
        finding_why(f, "It is about another job.");
    } else {
        finding_got(f, "exit status %d, folder %s", (int)t.exit_status,
                    t.rundir_removed ? "removed" : "kept");
        if (t.exit_status == 0 && t.rundir_removed)
            f->outcome = OUT_GOOD;
        else
            finding_why(f, "By its own word the seller did not end the machine cleanly.");
    }
}

void record_verify(struct verdict *v, const struct evidence *ev, const struct expect *x) {
    typedef void check_fn(const struct record_ctx *c, struct finding *f);
    static const struct {
        enum check_id id;
        check_fn *check;
        bool of_receipt;
    } rows[] = {{CK_RECEIPT_GUEST, check_guest, true},
                {CK_RECEIPT_JOB, check_job, true},
                {CK_RECEIPT_COVERAGE, check_coverage, true},
                {CK_RECEIPT_MODEL_KEY, check_model_key, true},
                {CK_RECEIPT_TEARDOWN, check_teardown, false}};
    struct record_ctx c = {.rec = ev->record, .ev = ev, .x = x};
    struct node *g;
    struct err e;

    if (!c.rec->receipt && !c.rec->teardown)
        return;
    if (c.rec->receipt && receipt_parse(c.rec->receipt, &c.receipt, &e))
        c.unreadable = &e;
    g = verdict_group(v, verdict_root(v), CK_RECEIPT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct finding f = {.outcome = OUT_BAD};

        if (rows[i].of_receipt && !c.rec->receipt)
            continue;
        if (rows[i].id == CK_RECEIPT_MODEL_KEY && !is_sealed(&c) && !c.receipt.model_key)
            continue;
        rows[i].check(&c, &f);
        verdict_leaf(v, g, rows[i].id, &f);
    }
}
