#include "bind.h"

#include <string.h>

/* The parts of H; the echo in hello names what the guest was given, and is believed only where H
 * confirms it. */
enum part { PART_CUSTOMER, PART_NONCE, PART_JOB, PART_GPU, PARTS };
static const enum check_id part_ids[PARTS] = {CK_BIND_CUSTOMER, CK_BIND_NONCE, CK_BIND_JOB,
                                              CK_BIND_GPU};

struct parts {
    struct view mine[PARTS], echo[PARTS];
};

static void parts_of(const struct bind_input *in, struct parts *p) {
    const struct evidence *ev = in->ev;

    p->mine[PART_CUSTOMER] = view_of(in->request->customer, 32);
    p->mine[PART_NONCE] = view_of(in->request->nonce, 32);
    p->mine[PART_JOB] = view_of(in->request->id, 32);
    p->mine[PART_GPU] = in->gpu_digest;
    memcpy(p->echo, p->mine, sizeof p->echo);
    if (ev->has_echo) {
        p->echo[PART_CUSTOMER] = view_of(ev->echo_customer, 32);
        p->echo[PART_NONCE] = view_of(ev->echo_nonce, 32);
        p->echo[PART_JOB] = view_of(ev->echo_job, 32);
    }
    p->echo[PART_GPU] = (struct view){0}; /* a report over no GPU evidence at all */
}

/* H with the parts in `swapped` taken from the echo. The report's own first half stands for G: the
 * key is a check of its own. */
static bool explains(const struct bind_input *in, const struct parts *p, unsigned swapped) {
    const uint8_t *said = in->snp->report.report_data;
    struct view f[PARTS];
    uint8_t data[64];

    for (size_t i = 0; i < PARTS; i++)
        f[i] = swapped >> i & 1 ? p->echo[i] : p->mine[i];
    binding_report_data(said, f[PART_CUSTOMER].p, f[PART_NONCE].p, f[PART_JOB].p, f[PART_GPU],
                        data);
    return !memcmp(data + 32, said + 32, 32);
}

/* The fewest swapped parts that give the H of the report; ~0 when none do. */
static unsigned find_swapped(const struct bind_input *in, const struct parts *p) {
    unsigned best = ~0u;

    for (unsigned s = 0; s < 1u << PARTS; s++)
        if (explains(in, p, s) && (best == ~0u || __builtin_popcount(s) < __builtin_popcount(best)))
            best = s;
    return best;
}

void bind_guest_key(struct verdict *v, struct node *g, const uint8_t guest[static 32],
                    const struct snp_result *snp) {
    struct finding f = {.outcome = OUT_BAD};

    if (!snp->readable)
        finding_absent(&f, "The report cannot be read.");
    else {
        finding_expected_hex(&f, view_of(guest, 32));
        finding_got_hex(&f, view_of(snp->report.report_data, 32));
        if (!memcmp(guest, snp->report.report_data, 32))
            f.outcome = OUT_GOOD;
        else
            finding_why(&f, "The key that speaks to you is not the one in the report: somebody "
                            "else holds it.");
    }
    verdict_leaf(v, g, CK_BIND_GUEST_KEY, &f);
}

static void part_good(const struct parts *p, enum part i, struct finding *f) {
    f->outcome = OUT_GOOD;
    finding_expected_hex(f, p->mine[i]);
    if (p->mine[i].n)
        finding_got_hex(f, p->mine[i]);
    else
        finding_got(f, "none offered, none bound");
}

static void part_swapped(const struct parts *p, enum part i, struct finding *f) {
    static const char *const why[PARTS] = {
        "The report was made for another customer's key.",
        "The report was made for another nonce: it is replayed, or somebody else's.",
        "The report was made for another job.",
        "The report is bound to no GPU evidence, yet some was shown.",
    };

    finding_expected_hex(f, p->mine[i]);
    finding_got_hex(f, p->echo[i]);
    finding_why(f, "%s", why[i]);
}

/* H fits nothing that is known. Where the echo agrees with everything, only the GPU evidence is
 * left. */
static void part_unexplained(const struct bind_input *in, const struct parts *p, enum part i,
                             struct finding *f) {
    const bool same = i != PART_GPU && view_eq(p->mine[i], p->echo[i]);

    finding_expected_hex(f, p->mine[i]);
    if (i == PART_GPU && in->gpu_offered)
        finding_why(f, "The GPU evidence shown is not the one that the report is bound to, or the "
                       "report is bound to something else altogether.");
    else if (!in->gpu_offered || !same)
        finding_why(f, "The report is not bound to this: it was made for something else.");
    else
        finding_absent(f,
                       "The guest says the right value, but what the report is bound to does not "
                       "confirm it.");
}

static void part_check(const struct bind_input *in, const struct parts *p, unsigned swapped,
                       enum part i, struct finding *f) {
    if (i == PART_GPU && in->gpu_error)
        finding_why(f, "%s.", in->gpu_error->text);
    else if (swapped == ~0u)
        part_unexplained(in, p, i, f);
    else if (swapped >> i & 1)
        part_swapped(p, i, f);
    else
        part_good(p, i, f);
}

void bind_verify(struct verdict *v, const struct bind_input *in) {
    struct node *g = verdict_group(v, verdict_root(v), CK_BIND);
    struct finding f;
    unsigned swapped = ~0u;
    struct parts p;

    parts_of(in, &p);
    if (in->snp->readable)
        swapped = find_swapped(in, &p);
    bind_guest_key(v, g, in->ev->guest, in->snp);
    for (int i = 0; i < PARTS; i++) {
        f = (struct finding){.outcome = OUT_BAD};
        if (in->snp->readable)
            part_check(in, &p, swapped, (enum part)i, &f);
        else
            finding_absent(&f, "The report cannot be read.");
        verdict_leaf(v, g, part_ids[i], &f);
    }
    if (!in->snp->authentic)
        verdict_distrust(g, DISTRUST);
}
