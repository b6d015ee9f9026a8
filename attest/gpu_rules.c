#include "gpu_rules.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "gpu_fwid.h"
#include "gpu_topology.h"

static bool absent_unless_readable(const struct gpu_device *d, struct finding *f) {
    if (!d->readable)
        finding_absent(f, "The report cannot be read.");
    return d->readable;
}

static bool absent_unless_chained(const struct gpu_device *d, struct finding *f) {
    if (!d->chained)
        finding_absent(f, "The chain does not stand, so whose key it is is not known.");
    return d->chained;
}

/* "; opaque types 28 and 41 are not known here" */
static void unknown_text(const struct gpu_report *r, char *out, size_t n) {
    size_t at = 0;

    out[0] = 0;
    for (size_t i = 0; i < r->n_unknown && i < COUNT(r->unknown); i++)
        at += (size_t)snprintf(out + at, n - at, "%s %u", i ? "," : ", opaque types not known here",
                               r->unknown[i]);
}

void gpu_rule_structure(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    const struct gpu_report *r = &d->report;
    char unknown[100];

    (void)in;
    finding_expected(f, "SPDM 1.1 request and measurements, to the last byte");
    finding_got(f, "%zu bytes", d->subject->ev.report.n);
    if (!d->readable) {
        finding_why(f, "The report is malformed: %s.", d->report_error.text);
        return;
    }
    unknown_text(r, unknown, sizeof unknown);
    finding_got(f, "%zu bytes, %u measurements%s", d->subject->ev.report.n, r->n_digests, unknown);
    f->outcome = OUT_GOOD;
    if (r->trailing)
        finding_why(f,
                    "%zu zero %s behind the signature: nobody signed %s, and nothing here "
                    "reads %s.",
                    r->trailing, r->trailing == 1 ? "byte follows" : "bytes follow",
                    r->trailing == 1 ? "it" : "them", r->trailing == 1 ? "it" : "them");
}

void gpu_rule_chain(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    char name[GPU_DEVICE_TEXT];

    (void)in;
    finding_expected(f, "five certificates up to NVIDIA's device root");
    gpu_device_text(d, name);
    if (d->chain.family)
        finding_got(f, "%s", name);
    else
        finding_got(f, "%zu certificates", d->subject->n_certs);
    if (d->chained)
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The chain does not stand: %s.", d->chain_error.text);
}

void gpu_rule_signature(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    (void)in;
    finding_expected(f, "ECDSA P-384 with SHA-384 over request and measurements");
    if (!absent_unless_readable(d, f) || !absent_unless_chained(d, f))
        return;
    if (d->authentic)
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The report is forged, damaged or another device's: %s.",
                    d->signature_error.text);
}

/* What the vendor's own tools send as nonce when they test: anybody has reports over these. */
static const uint8_t public_nonce[][GPU_NONCE] = {
    {0x93, 0x1d, 0x8d, 0xd0, 0xad, 0xd2, 0x03, 0xac, 0x3d, 0x8b, 0x4f,
     0xbd, 0xe7, 0x5e, 0x11, 0x52, 0x78, 0xee, 0xfc, 0xdc, 0xea, 0xc5,
     0xb8, 0x76, 0x71, 0xa7, 0x48, 0xf3, 0x23, 0x64, 0xdf, 0xcb},
    {0x4c, 0xff, 0x7f, 0x53, 0x80, 0xea, 0xd8, 0xfa, 0xd8, 0xec, 0x2c,
     0x53, 0x1c, 0x11, 0x0a, 0xca, 0x43, 0x02, 0xa8, 0x8f, 0x60, 0x37,
     0x92, 0x80, 0x1a, 0x8c, 0xa2, 0x9e, 0xe1, 0x51, 0xaf, 0x2e},
};

void gpu_rule_nonce(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    if (!absent_unless_readable(d, f))
        return;
    finding_got_hex(f, view_of(d->report.nonce, GPU_NONCE));
    if (!in->nonce) {
        finding_absent(f, "Nobody said which nonce was asked for: the report may be an old one.");
        return;
    }
    finding_expected_hex(f, view_of(in->nonce, GPU_NONCE));
    if (CRYPTO_memcmp(in->nonce, d->report.nonce, GPU_NONCE) != 0) {
        finding_why(f,
                    "The report was made for another nonce: it is replayed, or somebody else's.");
        return;
    }
    f->outcome = OUT_GOOD;
    for (size_t i = 0; i < COUNT(public_nonce); i++)
        if (!memcmp(public_nonce[i], in->nonce, GPU_NONCE)) {
            f->outcome = OUT_AMBER;
            finding_why(f, "This nonce is a constant of NVIDIA's test tools: anybody has reports "
                           "over it, so it says nothing of when this one was made.");
        }
}

static void fwid_absent(const struct gpu_input *in, struct finding *f) {
    f->outcome = in->policy->allow_no_fwid ? OUT_AMBER : OUT_BAD;
    finding_got(f, "none in the report");
    finding_why(f, "The report does not say which firmware made it (drivers before 550), so that "
                   "nothing ties it to the firmware its key was made for.");
}

void gpu_rule_fwid(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    uint8_t fwid[GPU_FWID];
    struct err e;
    struct view said;

    if (!absent_unless_readable(d, f) || !absent_unless_chained(d, f))
        return;
    said = d->report.field[GF_FWID];
    if (gpu_fwid_read(d->chain.x[0], fwid, &e)) {
        finding_why(f, "The chain does not say which firmware the key was made for: %s.", e.text);
        return;
    }
    finding_expected_hex(f, view_of(fwid, GPU_FWID));
    finding_got_hex(f, said);
    if (!said.p && gpu_device_is_switch(d)) {
        f->outcome = OUT_GOOD;
        finding_got(f, "a switch's report names none");
    } else if (!said.p)
        fwid_absent(in, f);
    else if (view_eq(said, view_of(fwid, GPU_FWID)))
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The report was made by other firmware than its key was certified for.");
}

/* The first floor that the device's version is below of, or cannot be compared with. */
static const struct gpu_floor *floor_missed(const struct gpu_floor *rows, size_t n,
                                            const struct gpu_device *d, bool *below) {
    const char *chip = gpu_chain_chip(&d->chain, d->report.chip_info);

    for (size_t i = 0; i < n; i++) {
        const char *is = rows[i].part == GPU_VBIOS ? d->report.vbios : d->report.driver;

        if (strcmp(rows[i].chip, chip) != 0)
            continue;
        if (!gpu_floor_compare(&rows[i], is, below)) {
            *below = false;
            return &rows[i];
        }
        if (*below)
            return &rows[i];
    }
    return NULL;
}

void gpu_rule_floor(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    const struct gpu_floor *missed;
    bool below = false;

    if (!absent_unless_readable(d, f) || !absent_unless_chained(d, f))
        return;
    finding_got(f, "%s%s%sVBIOS %s", d->report.driver[0] ? "driver " : "", d->report.driver,
                d->report.driver[0] ? ", " : "", d->report.vbios[0] ? d->report.vbios : "unnamed");
    missed = floor_missed(gpu_floor_table, gpu_floor_count, d, &below);
    if (!missed)
        missed = floor_missed(in->policy->gpu_floor, in->policy->n_gpu_floors, d, &below);
    if (!missed)
        missed = floor_missed(in->floor, in->n_floors, d, &below);
    if (!missed) {
        f->outcome = OUT_GOOD;
        return;
    }
    finding_expected(f, "%s %s or later", missed->part == GPU_VBIOS ? "VBIOS" : "driver",
                     missed->version);
    if (below)
        finding_why(f, "Versions below the floor have holes that are known.");
    else
        finding_why(f, "The report names no version that could be compared with the floor.");
}

enum { CC_FEATURE, DEV_TOOLS, ENVIRONMENT, MULTI_GPU };
#define ENVIRONMENT_PRODUCTION 2
#define MULTI_GPU_PPCIE 1

static const char *cc_refusal(const struct gpu_device *d) {
    const uint8_t *s = d->subject->ev.state;
    const bool pcie = d->readable && gpu_mode_of(&d->report) == GPU_PPCIE;

    if (s[CC_FEATURE] != 1)
        return "Confidential computing is off: the GPU reads and writes in the clear, and the host "
               "sees it.";
    if (s[DEV_TOOLS])
        return "DevTools mode is on: the GPU can be debugged from outside, whatever its "
               "measurements say.";
    if (s[ENVIRONMENT] != ENVIRONMENT_PRODUCTION)
        return "The GPU is not in its production environment.";
    if (!gpu_device_is_switch(d) && (s[MULTI_GPU] == MULTI_GPU_PPCIE) != pcie)
        return "Driver and report disagree on whether links between GPUs are protected.";
    return NULL;
}

void gpu_rule_cc_state(const struct gpu_input *in, const struct gpu_device *d, struct finding *f) {
    const uint8_t *s = d->subject->ev.state;
    const char *refusal = cc_refusal(d);

    finding_expected(f, "confidential computing on, DevTools off, production");
    if (!in->in_guest || !d->subject->has_state) {
        finding_absent(f, "No report says whether confidential computing is on: the guest's driver "
                          "does, and no guest speaks here.");
        return;
    }
    finding_got(f, "confidential computing %s, DevTools %s, environment %u",
                s[CC_FEATURE] == 1 ? "on" : "off", s[DEV_TOOLS] ? "on" : "off", s[ENVIRONMENT]);
    if (refusal) {
        f->outcome = OUT_FATAL;
        finding_why(f, "%s", refusal);
    } else if (!in->guest_authentic)
        finding_absent(f, "The guest says so, and its own report does not stand.");
    else
        f->outcome = OUT_GOOD;
}
