#include "snp_report.h"

#include <stdio.h>
#include <string.h>

#include "core/reader.h"

/* Reads n reserved bytes and remembers where the first one that is set lies. */
static void reserved(struct reader *r, struct view all, size_t n, struct snp_report *out) {
    struct view v = reader_take(r, n);

    for (size_t i = 0; i < v.n && !out->stray; i++)
        if (v.p[i])
            out->stray = (size_t)(v.p + i - all.p);
}

static void firmware(struct reader *r, struct snp_firmware *f) {
    f->build = reader_u8(r);
    f->minor = reader_u8(r);
    f->major = reader_u8(r);
}

/* 0x180..0x19f: the CPUID bytes were reserved in version 2. */
static void reported(struct reader *r, struct view all, struct snp_report *out) {
    reader_copy(r, out->reported_tcb, 8);
    if (out->version == 2) {
        reserved(r, all, 24, out);
        return;
    }
    out->cpu_family = reader_u8(r);
    out->cpu_model = reader_u8(r);
    out->cpu_stepping = reader_u8(r);
    reserved(r, all, 21, out);
}

/* 0x1f0..0x29f: mitigation vectors were reserved before version 5. */
static void launch(struct reader *r, struct view all, struct snp_report *out) {
    reader_copy(r, out->launch_tcb, 8);
    if (out->version < 5) {
        reserved(r, all, 168, out);
        return;
    }
    out->launch_mit = reader_u64le(r);
    out->current_mit = reader_u64le(r);
    reserved(r, all, 152, out);
}

bool snp_report_parse(struct view v, struct snp_report *out) {
    struct reader r = reader_new(v);

    memset(out, 0, sizeof *out);
    if (v.n != SNP_REPORT_SIZE)
        return false;
    out->version = reader_u32le(&r);
    out->guest_svn = reader_u32le(&r);
    out->policy = reader_u64le(&r);
    reader_copy(&r, out->family_id, 16);
    reader_copy(&r, out->image_id, 16);
    out->vmpl = reader_u32le(&r);
    out->signature_algo = reader_u32le(&r);
    reader_copy(&r, out->current_tcb, 8);
    out->platform_info = reader_u64le(&r);
    out->key_info = reader_u32le(&r);
    reserved(&r, v, 4, out);
    reader_copy(&r, out->report_data, 64);
    reader_copy(&r, out->measurement, 48);
    reader_copy(&r, out->host_data, 32);
    reader_copy(&r, out->id_key_digest, 48);
    reader_copy(&r, out->author_key_digest, 48);
    reader_copy(&r, out->report_id, 32);
    reader_copy(&r, out->report_id_ma, 32);
    reported(&r, v, out);
    reader_copy(&r, out->chip_id, 64);
    reader_copy(&r, out->committed_tcb, 8);
    firmware(&r, &out->current);
    reserved(&r, v, 1, out);
    firmware(&r, &out->committed);
    reserved(&r, v, 1, out);
    launch(&r, v, out);
    reader_copy(&r, out->sig_r, 72);
    reader_copy(&r, out->sig_s, 72);
    reserved(&r, v, 368, out);
    return reader_done(&r);
}

bool snp_version_known(uint32_t version) {
    return version >= 2 && version <= 5;
}

struct family_range {
    uint8_t family, lo, hi;
    enum snp_product product;
    bool venice;
};
/* Bergamo and Siena (A0h..AFh) hang under Genoa's roots. */
static const struct family_range ranges[] = {
    {0x19, 0x00, 0x0f, PRODUCT_MILAN, false},  {0x19, 0x10, 0x1f, PRODUCT_GENOA, false},
    {0x19, 0xa0, 0xaf, PRODUCT_GENOA, false},  {0x1a, 0x00, 0x11, PRODUCT_TURIN, false},
    {0x1a, 0x50, 0x57, PRODUCT_UNKNOWN, true}, {0x1a, 0x90, 0xaf, PRODUCT_UNKNOWN, true},
    {0x1a, 0xc0, 0xc7, PRODUCT_UNKNOWN, true},
};

static const struct family_range *range_of(uint8_t family, uint8_t model) {
    for (size_t i = 0; i < COUNT(ranges); i++)
        if (ranges[i].family == family && model >= ranges[i].lo && model <= ranges[i].hi)
            return &ranges[i];
    return NULL;
}

enum snp_product snp_product_of(uint8_t family, uint8_t model) {
    const struct family_range *r = range_of(family, model);

    return r ? r->product : PRODUCT_UNKNOWN;
}

bool snp_is_venice(uint8_t family, uint8_t model) {
    const struct family_range *r = range_of(family, model);

    return r && r->venice;
}

bool snp_tcb_decode(enum snp_product p, const uint8_t raw[static 8], struct snp_tcb *out) {
    if (p == PRODUCT_TURIN) {
        *out = (struct snp_tcb){raw[0], raw[1], raw[2], raw[3], raw[7]};
        return !(raw[4] | raw[5] | raw[6]);
    }
    *out = (struct snp_tcb){0, raw[0], raw[1], raw[6], raw[7]};
    return !(raw[2] | raw[3] | raw[4] | raw[5]);
}

bool snp_tcb_le(const struct snp_tcb *a, const struct snp_tcb *b) {
    return a->fmc <= b->fmc && a->bl <= b->bl && a->tee <= b->tee && a->snp <= b->snp &&
           a->ucode <= b->ucode;
}

bool snp_tcb_eq(const struct snp_tcb *a, const struct snp_tcb *b) {
    return snp_tcb_le(a, b) && snp_tcb_le(b, a);
}

void snp_tcb_text(enum snp_product p, const struct snp_tcb *t, char out[static SNP_TCB_TEXT]) {
    char fmc[12] = "";

    if (p == PRODUCT_TURIN)
        snprintf(fmc, sizeof fmc, "fmc %u ", t->fmc);
    snprintf(out, SNP_TCB_TEXT, "%sbl %u tee %u snp %u ucode 0x%02x", fmc, t->bl, t->tee, t->snp,
             t->ucode);
}
