/* What lies behind the lines about GPUs: their reports field by field, their chains, what the guest
 * said of them, and NVIDIA's documents. Of several GPUs each has its number. */
#include "tui/exhibit_priv.h"

#include <stdio.h>
#include <string.h>

#include "attest/gpu_report.h"
#include "attest/gpu_rim.h"
#include "core/binding.h"
#include "core/hash.h"

#define GPU_SECTION "evidence of the GPUs"
#define NVIDIA "what NVIDIA signed: reference values (RIM), and who was revoked"
#define REQUEST_SIZE 37 /* SPDM GET_MEASUREMENTS, the nonce in it */
#define RESPONSE_HEAD 8
#define NAME 64

/* "GPU.NONCE" of one, "GPU2.NONCE" of several. */
static const char *numbered(const char *what, size_t i, size_t n, const char *part,
                            char out[static NAME]) {
    const char *dot = *part ? "." : "";

    if (n > 1)
        snprintf(out, NAME, "%s%zu%s%s", what, i + 1, dot, part);
    else
        snprintf(out, NAME, "%s%s%s", what, dot, part);
    return out;
}

struct device {
    struct exhibit *x;
    const struct gpu_evidence *ev;
    size_t i;
    struct gpu_report report;
};

static struct item *add_part(const struct device *d, const char *part, size_t offset, size_t size) {
    char name[NAME];
    struct item *it =
        exhibit_add(d->x, GPU_SECTION, numbered("GPU", d->i, d->x->hello.n_gpu, part, name));

    it->shown.offset = offset;
    it->shown.bytes = view_of(d->ev->report.p + offset, size);
    return it;
}

/* Opaque data that is text, as the report's parser has read it. */
static const char *field_text(const struct gpu_report *r, enum gpu_field f) {
    const struct {
        enum gpu_field field;
        const char *text;
    } texts[] = {{GF_DRIVER_VERSION, r->driver},    {GF_VBIOS_VERSION, r->vbios},
                 {GF_PROJECT, r->project},          {GF_PROJECT_SKU, r->project_sku},
                 {GF_CHIP_SKU, r->chip_sku},        {GF_CHIP_INFO, r->chip_info},
                 {GF_FWID, "firmware that made it"}};

    for (size_t i = 0; i < COUNT(texts); i++)
        if (texts[i].field == f)
            return texts[i].text;
    return "";
}

static void add_fields(const struct device *d) {
    for (int f = 0; f < GF_COUNT; f++) {
        const struct view v = d->report.field[f];
        const char *name = gpu_field_name((enum gpu_field)f);

        if (v.p && name)
            exhibit_say(add_part(d, name, (size_t)(v.p - d->ev->report.p), v.n),
                        field_text(&d->report, (enum gpu_field)f));
    }
}

static size_t le24(const uint8_t *p) {
    return p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
}

static void add_report(const struct device *d) {
    const struct view report = d->ev->report;
    const size_t values = REQUEST_SIZE + RESPONSE_HEAD;
    struct buf words = {0};

    exhibit_say(add_part(d, "REQUEST", 0, REQUEST_SIZE),
                "SPDM 1.1 GET_MEASUREMENTS: what the report answers, and covers");
    exhibit_say(add_part(d, "NONCE", 4, GPU_NONCE), "the nonce that it was asked with");
    buf_fmt(&words, "%u values: index, size and SHA-384 of each", d->report.n_digests);
    exhibit_words(add_part(d, "MEASUREMENTS", values, le24(report.p + REQUEST_SIZE + 5)), &words);
    add_fields(d);
    exhibit_say(
        add_part(d, "SIGNATURE", (size_t)(d->report.signature.p - report.p), d->report.signature.n),
        "ECDSA P-384, r and s, by the key of certificate 0");
}

static void add_chain(const struct device *d) {
    static const char *const parts[GPU_CERTS] = {"CERT0", "CERT1", "CERT2", "CERT3", "CERT4"};
    char name[NAME];

    for (size_t i = 0; i < GPU_CERTS; i++)
        exhibit_cert(d->x, GPU_SECTION, numbered("GPU", d->i, d->x->hello.n_gpu, parts[i], name),
                     d->ev->cert[i]);
}

static void add_state(const struct device *d) {
    const uint8_t *s = d->ev->state;
    struct buf words = {0};
    char name[NAME];

    buf_fmt(&words,
            "the guest's word, by its driver: ccFeature %u, devTools %u, environment %u, "
            "multiGpuMode %u",
            s[0], s[1], s[2], s[3]);
    exhibit_words(exhibit_copy(d->x, GPU_SECTION,
                               numbered("GPU", d->i, d->x->hello.n_gpu, "STATE", name),
                               view_of(s, 4)),
                  &words);
}

void exhibit_gpus(struct exhibit *x) {
    for (size_t i = 0; i < x->hello.n_gpu; i++) {
        struct device d = {.x = x, .ev = &x->hello.gpu[i], .i = i};
        char name[NAME];

        if (gpu_report_parse(d.ev->report, &d.report, NULL) == 0)
            add_report(&d);
        else
            exhibit_say(exhibit_copy(x, GPU_SECTION,
                                     numbered("GPU", i, x->hello.n_gpu, "REQUEST", name),
                                     d.ev->report),
                        "this is not the report of a GPU");
        add_chain(&d);
        add_state(&d);
    }
}

void exhibit_gpus_bound(struct exhibit *x, const struct job_request *q, const uint8_t guest[32],
                        struct buf *digest) {
    uint8_t nonce[32];

    if (!x->hello.n_gpu || binding_gpu_digest(x->hello.gpu, x->hello.n_gpu, digest, NULL))
        return;
    binding_gpu_nonce(guest, q->nonce, q->id, nonce);
    exhibit_say(exhibit_copy(x, BINDING, "Ng", view_of(nonce, sizeof nonce)),
                "SHA-256 over G, N and job: the nonce that the GPUs ought to have signed");
    exhibit_say(exhibit_copy(x, BINDING, "E", buf_view(digest)),
                "SHA-256 over the evidence of the GPUs, computed here");
}

/* --- NVIDIA's documents --- */

static bool is_version(const struct exhibit *x, bool driver, const char *version) {
    for (size_t i = 0; i < x->hello.n_gpu; i++) {
        struct gpu_report r;

        if (gpu_report_parse(x->hello.gpu[i].report, &r, NULL) == 0 &&
            strcasecmp(driver ? r.driver : r.vbios, version) == 0)
            return true;
    }
    return false;
}

/* Whether it stands is for the verdict to say: here it is only what it calls itself. */
static void add_rim(struct exhibit *x, struct view xml) {
    struct gpu_rim *r = gpu_rim_read(xml, 0);
    const char *name = is_version(x, true, r->version)    ? "RIM.DRIVER"
                       : is_version(x, false, r->version) ? "RIM.VBIOS"
                                                          : "RIM";
    struct buf words = {0};
    uint8_t sha[32];

    sha256(xml, sha);
    buf_fmt(&words, "SHA-256 of %zu bytes of XML: reference values of %s, version %s", xml.n,
            *r->product ? r->product : "nothing", *r->version ? r->version : "none");
    exhibit_words(exhibit_copy(x, NVIDIA, name, view_of(sha, 32)), &words);
    gpu_rim_free(r);
}

void exhibit_nvidia(struct exhibit *x, const struct collateral *c) {
    static const char *const names[] = {[COLL_OCSP] = "OCSP", [COLL_GPU_CRL] = "GPU_CRL"};
    size_t n[COLL_KINDS] = {0}, seen[COLL_KINDS] = {0};

    for (size_t i = 0; i < c->n_files; i++)
        n[c->file[i].kind]++;
    for (size_t i = 0; i < c->n_files; i++) {
        const enum collateral_kind kind = c->file[i].kind;
        const struct view bytes = buf_view(&c->file[i].bytes);
        char name[NAME];

        if (kind == COLL_RIM)
            add_rim(x, bytes);
        else
            exhibit_copy(x, NVIDIA, numbered(names[kind], seen[kind]++, n[kind], "", name), bytes)
                ->shown.offset = 0;
    }
}
