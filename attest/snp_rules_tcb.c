/* Firmware levels: consistent, at or above the floor, committed. */
#include "snp_rules.h"

#include <string.h>

#include "advisory.h"

struct level {
    const char *name;
    const uint8_t *raw;
    struct snp_tcb tcb;
};
enum { REPORTED, CURRENT, COMMITTED, LAUNCH, LEVELS };

/* False, with words, when one has reserved bytes set. */
static bool levels(const struct snp_ctx *x, struct level out[static LEVELS], struct finding *f) {
    const struct level all[LEVELS] = {{.name = "REPORTED", .raw = x->r.reported_tcb},
                                      {.name = "CURRENT", .raw = x->r.current_tcb},
                                      {.name = "COMMITTED", .raw = x->r.committed_tcb},
                                      {.name = "LAUNCH", .raw = x->r.launch_tcb}};

    memcpy(out, all, sizeof all);
    for (size_t i = 0; i < LEVELS; i++) {
        if (snp_tcb_decode(x->product, out[i].raw, &out[i].tcb))
            continue;
        finding_got_hex(f, view_of(out[i].raw, 8));
        finding_why(f, "%s_TCB has reserved bytes set.", out[i].name);
        return false;
    }
    return true;
}

static bool product_missing(const struct snp_ctx *x, struct finding *f) {
    if (x->product)
        return false;
    finding_absent(f, "The processor family is not known, and with it the meaning of these bytes.");
    return true;
}

static int firmware_cmp(const struct snp_firmware *a, const struct snp_firmware *b) {
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    return (a->build > b->build) - (a->build < b->build);
}

static void got_firmware(const struct snp_ctx *x, struct finding *f) {
    finding_got(f, "current %u.%u.%u, committed %u.%u.%u", x->r.current.major, x->r.current.minor,
                x->r.current.build, x->r.committed.major, x->r.committed.minor,
                x->r.committed.build);
}

void rule_tcb_order(const struct snp_ctx *x, struct finding *f) {
    struct level l[LEVELS];

    finding_expected(f, "COMMITTED and REPORTED at most CURRENT");
    if (product_missing(x, f) || !levels(x, l, f))
        return;
    got_firmware(x, f);
    if (!snp_tcb_le(&l[COMMITTED].tcb, &l[CURRENT].tcb) ||
        firmware_cmp(&x->r.committed, &x->r.current) > 0)
        finding_why(f, "More is committed than runs: honest firmware cannot report that.");
    else if (!snp_tcb_le(&l[REPORTED].tcb, &l[CURRENT].tcb))
        finding_why(f, "More is reported than runs: honest firmware cannot report that.");
    else
        f->outcome = OUT_GOOD;
}

void snp_part(const struct snp_ctx *x, uint8_t *family, uint8_t *model, uint8_t *stepping) {
    *family = x->r.cpu_family;
    *model = x->r.cpu_model;
    *stepping = x->r.cpu_stepping;
    if (x->r.version != 2)
        return;
    *family = 0x19;
    *model = x->product == PRODUCT_GENOA ? 0x11 : 0x01;
    *stepping = 1;
}

static void release_floors(const struct snp_ctx *x, uint8_t family, uint8_t model,
                           struct snp_tcb *floor) {
    for (size_t i = 0; i < x->in->n_min_tcb; i++) {
        const struct release_tcb *t = &x->in->min_tcb[i];
        struct tcb_floor row = {t->family, t->model_lo, t->model_hi, 0, 15, 0, 0, 0, 0, 0, "", ""};
        struct snp_tcb tcb;

        /* A floor that cannot be read is one that nothing meets. */
        if (!snp_tcb_decode(x->product, t->tcb, &tcb))
            tcb.ucode = tcb.snp = 0xff;
        row.fmc = tcb.fmc, row.bl = tcb.bl, row.tee = tcb.tee, row.snp = tcb.snp,
        row.ucode = tcb.ucode;
        floor_raise(floor, &row, family, model, 0);
    }
}

/* Highest of the table, policy file, advisories and release. */
static bool floor_of(const struct snp_ctx *x, struct snp_tcb *floor) {
    uint8_t family, model, stepping;
    bool known;

    snp_part(x, &family, &model, &stepping);
    known = advisory_floor(family, model, stepping, floor);
    for (size_t i = 0; i < x->policy->n_floors; i++)
        floor_raise(floor, &x->policy->floor[i], family, model, stepping);
    for (size_t i = 0; i < x->in->n_floors; i++)
        floor_raise(floor, &x->in->floor[i], family, model, stepping);
    release_floors(x, family, model, floor);
    return known || floor->ucode;
}

void rule_tcb_floor(const struct snp_ctx *x, struct finding *f) {
    struct level l[LEVELS];
    struct snp_tcb floor;
    char text[SNP_TCB_TEXT];

    if (product_missing(x, f) || !levels(x, l, f))
        return;
    snp_tcb_text(x->product, &l[REPORTED].tcb, text);
    finding_got(f, "%s", text);
    if (!floor_of(x, &floor)) {
        finding_why(f,
                    "No microcode level is known for this model and stepping: parts on sale have "
                    "one.");
        return;
    }
    snp_tcb_text(x->product, &floor, text);
    finding_expected(f, "at least %s", text);
    for (size_t i = 0; i < LEVELS; i++)
        if (!snp_tcb_le(&floor, &l[i].tcb)) {
            finding_why(f,
                        "%s_TCB is below the floor of " ADVISORY_DATE
                        ": the host can attack guests by published means.",
                        l[i].name);
            return;
        }
    f->outcome = OUT_GOOD;
}

void rule_provisional(const struct snp_ctx *x, struct finding *f) {
    struct level l[LEVELS];

    finding_expected(f, "current is committed");
    if (product_missing(x, f) || !levels(x, l, f))
        return;
    got_firmware(x, f);
    if (snp_tcb_eq(&l[COMMITTED].tcb, &l[CURRENT].tcb) &&
        !firmware_cmp(&x->r.committed, &x->r.current))
        f->outcome = OUT_GOOD;
    else
        finding_why(
            f, "The firmware in use is provisional: the host can go back to the committed one.");
}

void rule_mitigation(const struct snp_ctx *x, struct finding *f) {
    const uint64_t min = x->policy->mitigation_min;

    finding_expected(f, "bits 0x%llx", (unsigned long long)min);
    finding_got(f, "launch 0x%llx, current 0x%llx", (unsigned long long)x->r.launch_mit,
                (unsigned long long)x->r.current_mit);
    if (x->r.version < 5 && !min)
        finding_absent(f, "Only reports of version 5 list mitigations.");
    else if ((x->r.launch_mit & x->r.current_mit & min) != min)
        finding_why(f, "A mitigation that your policy demands is not listed.");
    else
        f->outcome = OUT_GOOD;
}
