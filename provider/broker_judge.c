/* One guest's evidence against the list. First which listed release it can be: the launch digest is
 * recomputed for the workload that it says it was started with, so a lie only makes that fail. Then
 * the row; then all checks of a verdict, against that row. */
#include <stdio.h>
#include <string.h>

#include "attest/carried.h"
#include "attest/snp_report.h"
#include "broker_priv.h"

static void refuse(struct broker_decision *d, const char *code, const char *text) {
    d->code = code;
    snprintf(d->text, sizeof d->text, "%s", text);
}

/* Everything about one guest that is being judged. */
struct trial {
    const struct broker_house *h;
    const struct broker_claim *c;
    char work[VOLUME_TEXT], model[VOLUME_TEXT];
    const struct house_release *release;
    struct key_launch launch;
};

/* Whether that release, started with the claimed workload and this row's model, gives the digest.
 */
static bool fits(struct trial *t, const struct house_release *r, const struct broker_row *row,
                 const uint8_t got[static 48]) {
    volume_text(&row->model, t->model);
    t->release = r;
    t->launch = (struct key_launch){
        .release = r->release, .work = t->work, .model = t->model, .broker = t->c->broker};
    return key_launch_find(&t->launch, row->vcpus, got);
}

static const struct house_release *release_of(const struct broker_house *h,
                                              const struct broker_row *row) {
    for (size_t i = 0; i < h->n_releases; i++)
        if (!memcmp(h->release[i].digest, row->release, 32))
            return &h->release[i];
    return NULL;
}

static bool same_work(const struct broker_row *row, const struct volume *work) {
    return row->work.blocks == work->blocks && !memcmp(row->work.root, work->root, 32);
}

/* The row that this guest fits. Rows of its workload go first; others only tell what it is. */
static const struct broker_row *find_row(struct trial *t, struct broker_decision *d) {
    const struct broker_list *l = &t->h->list;
    struct snp_report report;

    if (!snp_report_parse(buf_view(&t->c->evidence->report), &report)) {
        refuse(d, "evidence", "what it shows is no report (snp.structure)");
        return NULL;
    }
    for (int listed = 1; listed >= 0; listed--)
        for (size_t i = 0; i < l->n; i++) {
            const struct broker_row *row = &l->row[i];

            if (memcmp(row->model.root, t->c->model, 32) ||
                same_work(row, &t->c->evidence->work) != listed ||
                !fits(t, release_of(t->h, row), row, report.measurement))
                continue;
            if (listed)
                return row;
            d->code = "workload-not-listed";
            snprintf(d->text, sizeof d->text,
                     "release %s %s is listed, but not with workload %.16s...",
                     t->release->release->name, t->release->release->version, t->work);
            return NULL;
        }
    refuse(d, "release-unknown", "its launch digest is that of no listed release");
    return NULL;
}

static void name_checks(const struct verdict *v, struct broker_decision *d) {
    const struct check *open[8];
    size_t n = verdict_open(v, open, COUNT(open));
    cleanup_buf struct buf text = {0};

    for (size_t i = 0; i < n && i < COUNT(open); i++)
        buf_fmt(&text, "%s%s %s", i ? ", " : "", open[i]->id, check_state_name(open[i]->state));
    if (n)
        buf_fmt(&text, ": %s", open[0]->why);
    refuse(d, "evidence", text.n ? (const char *)text.p : check_state_name(verdict_state(v)));
}

static void weigh(const struct trial *t, const struct broker_row *row, int64_t now,
                  struct broker_decision *d) {
    const struct broker_claim *c = t->c;
    struct gpu_evidence gpu[GPUS_MAX];
    struct evidence ev = {.report = buf_view(&c->evidence->report), .gpu = gpu};
    struct carried carried = {0};
    struct pins pins = t->h->pins;
    const struct expect_key x = {.launch = t->launch,
                                 .release = buf_view(&t->release->content),
                                 .nonce = c->nonce,
                                 .customer_nonce = c->evidence->nonce,
                                 .job = c->job,
                                 .gpu_count = row->gpus,
                                 .pins = &pins};
    struct verdict *v;
    struct view chip;
    struct err e;

    if (gpu_list_bound(&c->evidence->gpu, gpu, &e))
        ev.gpu_unreadable = e.text;
    else
        ev.n_gpu = c->evidence->gpu.n;
    carried_add(&carried, c->collateral);
    memcpy(ev.guest, c->guest, 32);
    pins.asked = c->asked;
    pins.n_answers = c->n_answers;
    v = evidence_verify_key(&ev, &carried.snp, &carried.gpu, &x, &t->h->policy, now);
    chip = verdict_chip(v);
    d->chip_len = chip.n < sizeof d->chip ? chip.n : sizeof d->chip;
    if (d->chip_len)
        memcpy(d->chip, chip.p, d->chip_len);
    if (verdict_state(v) == CHECK_PASS && !verdict_simulated(v))
        d->pass = true;
    else
        name_checks(v, d);
    verdict_free(v);
}

void broker_judge(const struct broker_house *h, const struct broker_claim *c, int64_t now,
                  struct broker_decision *out) {
    struct trial t = {.h = h, .c = c};

    *out = (struct broker_decision){.code = "evidence"};
    volume_text(&c->evidence->work, t.work);
    out->row = find_row(&t, out);
    if (!out->row)
        return;
    if (c->evidence->gpu.n < out->row->gpus)
        refuse(out, "gpu-missing", "the row demands more GPUs than the guest shows");
    else if (!c->collateral)
        refuse(out, "no-collateral", "the certificates of its processor did not come");
    else
        weigh(&t, out->row, now, out);
}
