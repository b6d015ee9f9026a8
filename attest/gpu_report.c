#include "gpu_report.h"

#include <stdio.h>
#include <string.h>

#include "core/reader.h"
#include "core/text.h"
#include "p384.h"

#define SPDM_1_1 0x11
#define SPDM_GET_MEASUREMENTS 0xe0
#define SPDM_MEASUREMENTS 0x60
#define SPDM_ALL_BLOCKS 0xff
#define DMTF 1
#define OPAQUE_VERSION_KNOWN 1
#define TRAILING_MAX 3
#define STATUS_ON 0xaa
#define STATUS_OFF 0x55

struct field_row {
    const char *name;
    uint16_t min, max; /* length; 0, 0: nothing here reads it */
    uint16_t unit;     /* it is a list of things so long */
};
static const struct field_row fields[GF_COUNT] = {
    [GF_CERT_ISSUER] = {"CERT_ISSUER_NAME", 0, 0, 0},
    [GF_CERT_AUTHORITY] = {"CERT_AUTHORITY_KEY_IDENTIFIER", 0, 0, 0},
    [GF_DRIVER_VERSION] = {"DRIVER_VERSION", 2, GPU_TEXT, 1},
    [GF_GPU_INFO] = {"GPU_INFO", 0, 0, 0},
    [GF_SKU] = {"SKU", 0, 0, 0},
    [GF_VBIOS_VERSION] = {"VBIOS_VERSION", 8, GPU_TEXT - 1, 1},
    [GF_MANUFACTURER] = {"MANUFACTURER_ID", 0, 0, 0},
    [GF_TAMPER] = {"TAMPER_DETECTION", 0, 0, 0},
    [GF_SMC] = {"SMC", 0, 0, 0},
    [GF_VPR] = {"VPR", 0, 0, 0},
    [GF_NVDEC0] = {"NVDEC0_STATUS", 1, 1, 1},
    [GF_MSRSCNT] = {"MSRSCNT", 0, 0, 0},
    [GF_CPRINFO] = {"CPRINFO", 0, 0, 0},
    [GF_BOARD_ID] = {"BOARD_ID", 0, 0, 0},
    [GF_CHIP_SKU] = {"CHIP_SKU", 1, GPU_TEXT, 1},
    [GF_CHIP_SKU_MOD] = {"CHIP_SKU_MOD", 0, 0, 0},
    [GF_PROJECT] = {"PROJECT", 1, GPU_TEXT, 1},
    [GF_PROJECT_SKU] = {"PROJECT_SKU", 1, GPU_TEXT, 1},
    [GF_PROJECT_SKU_MOD] = {"PROJECT_SKU_MOD", 0, 0, 0},
    [GF_FWID] = {"FWID", GPU_DIGEST, GPU_DIGEST, 1},
    [GF_PROTECTED_PCIE] = {"PROTECTED_PCIE_STATUS", 1, 1, 1},
    [GF_PDI] = {"SWITCH_PDI", 8, 512, 8},
    [GF_DISABLED_PORTS] = {"DISABLED_PORTS", 0, 0, 0},
    [GF_POSITION] = {"POSITION_ID", 0, 0, 0},
    [GF_LOCK] = {"LOCK_SWITCH_STATUS", 2, 2, 1},
    [GF_SWITCH_GPUS] = {"SWITCH_GPU_PDIS", 8, 512, 8},
    [GF_SWITCH_PORTS] = {"SWITCH_PORTS", 0, 0, 0},
    [GF_LINK_CONN] = {"GPU_LINK_CONN", 0, 0, 0},
    [GF_SYS_ENABLE] = {"SYS_ENABLE_STATUS", 0, 0, 0},
    [GF_OPAQUE_VERSION] = {"OPAQUE_DATA_VERSION", 2, 2, 1},
    [GF_CHIP_INFO] = {"CHIP_INFO", 1, GPU_TEXT, 1},
    [GF_FEATURE] = {"FEATURE_FLAG", 2, 2, 1},
};

const char *gpu_field_name(enum gpu_field f) {
    return f < GF_COUNT ? fields[f].name : NULL;
}

#define BAD(...) err_set(e, "bad-gpu-report", __VA_ARGS__)

static int request_parse(struct reader *r, struct gpu_report *out, struct err *e) {
    const uint8_t version = reader_u8(r), code = reader_u8(r), ask = reader_u8(r),
                  which = reader_u8(r);

    reader_copy(r, out->nonce, GPU_NONCE);
    reader_skip(r, 1); /* SlotIDParam: the chain beside the report says whose key it is */
    if (!reader_ok(r))
        return BAD("it ends within the request");
    if (version != SPDM_1_1)
        return BAD("the request is of SPDM version %x.%x, 1.1 is understood", version >> 4,
                   version & 15);
    if (code != SPDM_GET_MEASUREMENTS)
        return BAD("the request's code 0x%02x is not GET_MEASUREMENTS", code);
    if (!(ask & 1) || which != SPDM_ALL_BLOCKS)
        return BAD("the request did not ask for all measurements with a signature");
    return 0;
}

/* One measurement block: index, DMTF specification, and a value that fills it to the end. */
static int block_parse(struct reader *r, struct gpu_report *out, struct err *e) {
    const uint8_t index = reader_u8(r), specification = reader_u8(r);
    struct reader b = reader_new(reader_take(r, reader_u16le(r)));
    struct view value;

    reader_skip(&b, 1); /* kind of value: only its bytes are compared */
    value = reader_take(&b, reader_u16le(&b));
    if (!reader_ok(r))
        return BAD("the measurement record ends within block %u", out->n_digests + 1);
    if (!index)
        return BAD("a measurement has index 0");
    if (specification != DMTF)
        return BAD("measurement %u is of specification %u, not DMTF's", index, specification);
    if (!reader_done(&b) || !value.n)
        return BAD("the sizes of measurement %u do not add up", index);
    if (out->digest[index].p)
        return BAD("measurement %u is there twice", index);
    out->digest[index] = value;
    out->n_digests++;
    return 0;
}

static int blocks_parse(struct view record, unsigned n, struct gpu_report *out, struct err *e) {
    struct reader r = reader_new(record);

    for (unsigned i = 0; i < n; i++)
        if (block_parse(&r, out, e))
            return -1;
    if (!reader_done(&r))
        return BAD("%zu stray bytes follow the %u measurements", r.left, n);
    return 0;
}

/* Types without a name here are listed and otherwise left alone. */
static void field_unknown(uint16_t type, struct gpu_report *out) {
    if (out->n_unknown < COUNT(out->unknown))
        out->unknown[out->n_unknown] = type;
    out->n_unknown++;
}

static int field_take(uint16_t type, struct view v, struct gpu_report *out, struct err *e) {
    const struct field_row *f = type < GF_COUNT && fields[type].name ? &fields[type] : NULL;

    if (!f)
        field_unknown(type, out);
    else if (f->unit && (v.n < f->min || v.n > f->max || v.n % f->unit))
        return BAD("opaque data %s has %zu bytes", f->name, v.n);
    else
        out->field[type] = v;
    return 0;
}

static int fields_parse(struct view opaque, struct gpu_report *out, struct err *e) {
    struct reader r = reader_new(opaque);
    uint8_t seen[8192] = {0}; /* a bit for each type */

    while (r.left) {
        const uint16_t type = reader_u16le(&r);
        const struct view v = reader_take(&r, reader_u16le(&r));
        const uint8_t bit = (uint8_t)(1 << type % 8);

        if (!reader_ok(&r))
            return BAD("the opaque data end within an entry");
        if (seen[type / 8] & bit)
            return BAD("opaque data of type %u are there twice", type);
        seen[type / 8] |= bit;
        if (field_take(type, v, out, e))
            return -1;
    }
    return 0;
}

static bool text_char(uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '-' || c == '_';
}

/* Text padded with zeros to its end. */
static bool text_read(struct view v, char out[static GPU_TEXT]) {
    size_t n = 0;

    while (n < v.n && n < GPU_TEXT - 1 && text_char(v.p[n]))
        n++;
    for (size_t i = n; i < v.n; i++)
        if (v.p[i])
            return false;
    if (n)
        memcpy(out, v.p, n);
    out[n] = 0;
    return true;
}

/* A GPU's VBIOS version is eight bytes, a switch's is text. */
static bool vbios_read(struct view v, char out[static GPU_TEXT]) {
    const uint8_t *b = v.p;

    if (v.n != 8)
        return text_read(v, out);
    snprintf(out, GPU_TEXT, "%02X.%02X.%02X.%02X.%02X", b[3], b[2], b[1], b[0], b[4]);
    return true;
}

static int texts_read(struct gpu_report *r, struct err *e) {
    const struct {
        enum gpu_field f;
        char *to;
    } texts[] = {{GF_DRIVER_VERSION, r->driver},
                 {GF_PROJECT, r->project},
                 {GF_PROJECT_SKU, r->project_sku},
                 {GF_CHIP_SKU, r->chip_sku},
                 {GF_CHIP_INFO, r->chip_info}};

    for (size_t i = 0; i < COUNT(texts); i++)
        if (!text_read(r->field[texts[i].f], texts[i].to))
            return BAD("opaque data %s is not a short text", fields[texts[i].f].name);
    if (r->field[GF_VBIOS_VERSION].p && !vbios_read(r->field[GF_VBIOS_VERSION], r->vbios))
        return BAD("opaque data VBIOS_VERSION is not a version");
    return 0;
}

static int status_read(const struct gpu_report *r, enum gpu_field f, enum gpu_switchable *out,
                       struct err *e) {
    const struct view v = r->field[f];

    *out = !v.p ? GPU_SAYS_NOTHING : v.p[0] == STATUS_ON ? GPU_SAYS_ON : GPU_SAYS_OFF;
    if (*out == GPU_SAYS_OFF && v.p[0] != STATUS_OFF)
        return BAD("opaque data %s is 0x%02x, neither on nor off", fields[f].name, v.p[0]);
    return 0;
}

static uint16_t number(const struct gpu_report *r, enum gpu_field f) {
    struct reader v = reader_new(r->field[f]);

    return reader_u16le(&v);
}

static int meaning_read(struct gpu_report *r, struct err *e) {
    r->opaque_version = number(r, GF_OPAQUE_VERSION);
    if (r->opaque_version > OPAQUE_VERSION_KNOWN)
        return err_set(e, "gpu-newer",
                       "its opaque data are of version %u: newer firmware than this program knows; "
                       "a newer cdvm is needed",
                       r->opaque_version);
    r->has_feature = r->field[GF_FEATURE].p != NULL;
    r->feature = number(r, GF_FEATURE);
    if (texts_read(r, e) || status_read(r, GF_NVDEC0, &r->nvdec, e))
        return -1;
    return status_read(r, GF_PROTECTED_PCIE, &r->protected_pcie, e);
}

static int response_head(struct reader *r, unsigned *n_blocks, struct view *record, struct err *e) {
    const uint8_t version = reader_u8(r), code = reader_u8(r);
    uint32_t len;

    reader_skip(r, 2); /* Param1, Param2: reserved in this answer */
    *n_blocks = reader_u8(r);
    len = reader_u16le(r);
    len |= (uint32_t)reader_u8(r) << 16;
    *record = reader_take(r, len);
    if (reader_ok(r) && version == SPDM_1_1 && code == SPDM_MEASUREMENTS)
        return 0;
    if (!reader_ok(r))
        return BAD("it ends within the measurements");
    return BAD("the answer is no MEASUREMENTS of SPDM 1.1 (version 0x%02x, code 0x%02x)", version,
               code);
}

static int tail_parse(struct view all, struct reader *r, struct gpu_report *out, struct err *e) {
    struct view rest;

    out->body = view_of(all.p, all.n - r->left);
    out->signature = reader_take(r, 2 * GPU_DIGEST);
    rest = reader_rest(r);
    if (!reader_ok(r))
        return BAD("it ends before or within the signature");
    out->trailing = rest.n;
    if (rest.n > TRAILING_MAX)
        return BAD("%zu stray bytes follow the signature", rest.n);
    for (size_t i = 0; i < rest.n; i++)
        if (rest.p[i])
            return BAD("stray bytes follow the signature");
    return 0;
}

static int report_read(struct view v, struct gpu_report *out, struct err *e) {
    struct reader r = reader_new(v);
    struct view record, opaque;
    unsigned n_blocks;

    if (v.n > GPU_REPORT_MAX)
        return BAD("%zu bytes, at most %zu are a report", v.n, GPU_REPORT_MAX);
    if (request_parse(&r, out, e) || response_head(&r, &n_blocks, &record, e))
        return -1;
    reader_skip(&r, GPU_NONCE); /* the responder's own nonce: nobody has a use for it */
    opaque = reader_take(&r, reader_u16le(&r));
    if (!reader_ok(&r))
        return BAD("it ends within the opaque data");
    if (blocks_parse(record, n_blocks, out, e) || fields_parse(opaque, out, e) ||
        tail_parse(v, &r, out, e))
        return -1;
    return meaning_read(out, e);
}

int gpu_report_parse(struct view v, struct gpu_report *out, struct err *e) {
    *out = (struct gpu_report){0};
    if (!report_read(v, out, e))
        return 0;
    *out = (struct gpu_report){0};
    return -1;
}

int gpu_report_verify(const struct gpu_report *r, X509 *leaf, struct err *e) {
    BIGNUM *br = BN_bin2bn(r->signature.p, (int)GPU_DIGEST, NULL);
    BIGNUM *bs = BN_bin2bn(r->signature.p + GPU_DIGEST, (int)GPU_DIGEST, NULL);

    if (p384_verify(leaf, br, bs, r->body))
        return 0;
    return err_set(e, "bad-signature", "the signature is not by this key over these bytes");
}
