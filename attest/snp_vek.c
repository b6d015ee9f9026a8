/* What a VCEK or VLEK certificate certifies: its extensions, its key, and reports signed by it. */
#include "snp_cert.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "core/reader.h"
#include "p384.h"

/* DER of 1.3.6.1.4.1.3704.1, the arc under which AMD puts everything (57230). */
static const uint8_t arc[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x9c, 0x78, 0x01};

enum vek_ext {
    EXT_STRUCT,
    EXT_PRODUCT,
    EXT_BL,
    EXT_TEE,
    EXT_SNP,
    EXT_SPL4,
    EXT_SPL5,
    EXT_SPL6,
    EXT_SPL7,
    EXT_UCODE,
    EXT_FMC,
    EXT_HWID,
    EXT_CSP,
    EXT_COUNT,
};
enum who { NEVER = 0, FAMILY19 = 1, TURIN = 2, VCEK = 4, VLEK = 8 };
#define ANY (FAMILY19 | TURIN)

struct ext_row {
    const char *name;
    uint8_t tail[2];
    uint8_t tail_len;
    uint8_t must, may; /* for whom it is mandatory, for whom it may be there */
};
static const struct ext_row rows[EXT_COUNT] = {
    [EXT_STRUCT] = {"structVersion", {1}, 1, ANY, ANY},
    [EXT_PRODUCT] = {"productName", {2}, 1, ANY, ANY},
    [EXT_BL] = {"blSPL", {3, 1}, 2, ANY, ANY},
    [EXT_TEE] = {"teeSPL", {3, 2}, 2, ANY, ANY},
    [EXT_SNP] = {"snpSPL", {3, 3}, 2, ANY, ANY},
    [EXT_SPL4] = {"spl_4", {3, 4}, 2, NEVER, FAMILY19},
    [EXT_SPL5] = {"spl_5", {3, 5}, 2, NEVER, ANY},
    [EXT_SPL6] = {"spl_6", {3, 6}, 2, NEVER, ANY},
    [EXT_SPL7] = {"spl_7", {3, 7}, 2, NEVER, ANY},
    [EXT_UCODE] = {"ucodeSPL", {3, 8}, 2, ANY, ANY},
    [EXT_FMC] = {"fmcSPL", {3, 9}, 2, TURIN, TURIN},
    [EXT_HWID] = {"hwID", {4}, 1, VCEK, VCEK},
    [EXT_CSP] = {"cspID", {5}, 1, VLEK, VLEK},
};

struct ext_values {
    struct view v[EXT_COUNT]; /* content of each extension's OCTET STRING */
};

static int ext_take(X509_EXTENSION *ext, struct ext_values *out, struct err *e) {
    const ASN1_OBJECT *obj = X509_EXTENSION_get_object(ext);
    const ASN1_OCTET_STRING *os = X509_EXTENSION_get_data(ext);
    const size_t len = OBJ_length(obj);
    const uint8_t *oid = OBJ_get0_data(obj);

    if (len <= sizeof arc || memcmp(oid, arc, sizeof arc) != 0)
        return 0;
    for (size_t i = 0; i < EXT_COUNT; i++) {
        if (len - sizeof arc != rows[i].tail_len ||
            memcmp(oid + sizeof arc, rows[i].tail, rows[i].tail_len) != 0)
            continue;
        if (out->v[i].p)
            return err_set(e, "bad-vek", "its extension %s is there twice", rows[i].name);
        out->v[i] = view_of(ASN1_STRING_get0_data(os), (size_t)ASN1_STRING_length(os));
        return 0;
    }
    return err_set(e, "bad-vek", "it has an AMD extension that this program does not know");
}

static int ext_collect(X509 *x, struct ext_values *out, struct err *e) {
    for (int i = 0; i < X509_get_ext_count(x); i++)
        if (ext_take(X509_get_ext(x, i), out, e))
            return -1;
    return 0;
}

static int ext_presence(const struct ext_values *v, unsigned who, struct err *e) {
    for (size_t i = 0; i < EXT_COUNT; i++) {
        if ((rows[i].must & who) && !v->v[i].p)
            return err_set(e, "bad-vek", "it lacks the extension %s", rows[i].name);
        if (!(rows[i].may & who) && v->v[i].p)
            return err_set(e, "bad-vek",
                           "its extension %s has no place in this kind of certificate",
                           rows[i].name);
    }
    return 0;
}

/* DER INTEGER from 0 to 255, minimal. */
static bool der_byte(struct view v, uint8_t *out) {
    struct reader r = reader_new(v);
    uint8_t tag = reader_u8(&r), len = reader_u8(&r), first = reader_u8(&r);

    *out = len == 2 ? reader_u8(&r) : first;
    if (tag != V_ASN1_INTEGER || !reader_done(&r))
        return false;
    return len == 1 ? first < 0x80 : len == 2 && first == 0 && *out >= 0x80;
}

/* IA5String of printable ASCII that fits. */
static bool der_text(struct view v, char *out, size_t n) {
    struct reader r = reader_new(v);
    uint8_t tag = reader_u8(&r), len = reader_u8(&r);
    struct view s = reader_take(&r, len);

    if (tag != V_ASN1_IA5STRING || len >= 0x80 || !reader_done(&r) || s.n >= n)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e)
            return false;
    memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return true;
}

/* Raw bytes, or wrapped as an OCTET STRING in some certificates: told apart by the whole length,
 * since a chip id may begin with any byte. */
static bool hwid_bytes(struct view v, size_t want, uint8_t *out) {
    if (v.n == want + 2 && v.p[0] == V_ASN1_OCTET_STRING && v.p[1] == want)
        v = view_of(v.p + 2, want);
    if (v.n != want)
        return false;
    memcpy(out, v.p, want);
    return true;
}

static int vek_levels(const struct ext_values *v, enum snp_product p, struct vek *out,
                      struct err *e) {
    uint8_t spare = 0;
    const struct {
        enum vek_ext ext;
        uint8_t *to;
    } levels[] = {
        {EXT_STRUCT, &out->struct_version},
        {EXT_BL, &out->tcb.bl},
        {EXT_TEE, &out->tcb.tee},
        {EXT_SNP, &out->tcb.snp},
        {EXT_UCODE, &out->tcb.ucode},
        {EXT_FMC, &out->tcb.fmc},
        {EXT_SPL4, &spare},
        {EXT_SPL5, &spare},
        {EXT_SPL6, &spare},
        {EXT_SPL7, &spare},
    };

    for (size_t i = 0; i < COUNT(levels); i++) {
        if (v->v[levels[i].ext].p && !der_byte(v->v[levels[i].ext], levels[i].to))
            return err_set(e, "bad-vek", "its extension %s is not a number from 0 to 255",
                           rows[levels[i].ext].name);
        if (spare)
            return err_set(e, "bad-vek", "its reserved extension %s is not 0",
                           rows[levels[i].ext].name);
    }
    if (out->struct_version != (p == PRODUCT_TURIN))
        return err_set(e, "bad-vek", "its structVersion %u is not that of %s", out->struct_version,
                       product_name(p));
    return 0;
}

static int vek_identity(const struct ext_values *v, enum snp_product p, bool vlek, struct vek *out,
                        struct err *e) {
    if (!der_text(v->v[EXT_PRODUCT], out->product, sizeof out->product))
        return err_set(e, "bad-vek", "its productName is not a short text");
    if (vlek) {
        if (!der_text(v->v[EXT_CSP], out->csp, sizeof out->csp))
            return err_set(e, "bad-vek", "its cspID is not a short text");
        return 0;
    }
    out->hwid_len = p == PRODUCT_TURIN ? 8 : 64;
    if (!hwid_bytes(v->v[EXT_HWID], out->hwid_len, out->hwid))
        return err_set(e, "bad-vek", "its hwID is not %zu bytes", out->hwid_len);
    return 0;
}

static int vek_key(X509 *x, struct err *e) {
    return p384_key(x) ? 0 : err_set(e, "bad-vek", "its key is not on the curve P-384");
}

int vek_parse(X509 *x, enum snp_product p, bool vlek, struct vek *out, struct err *e) {
    const unsigned who = (p == PRODUCT_TURIN ? TURIN : FAMILY19) | (vlek ? VLEK : VCEK);
    const uint32_t flags = X509_get_extension_flags(x);
    struct ext_values v = {0};

    *out = (struct vek){0};
    if (X509_get_version(x) != X509_VERSION_3 || (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)))
        return err_set(e, "bad-vek",
                       "it has a critical extension that nobody knows, or is malformed");
    if (flags & EXFLAG_CA)
        return err_set(e, "bad-vek", "it claims to be an authority");
    if (vek_key(x, e) || ext_collect(x, &v, e) || ext_presence(&v, who, e) ||
        vek_levels(&v, p, out, e))
        return -1;
    return vek_identity(&v, p, vlek, out, e);
}

/* 72 little-endian bytes of which the upper 24 must be zero. NULL otherwise. */
static BIGNUM *signature_number(const uint8_t le[static 72]) {
    for (size_t i = 48; i < 72; i++)
        if (le[i])
            return NULL;
    return BN_lebin2bn(le, 48, NULL);
}

int vek_verify_report(X509 *vek, struct view report, const struct snp_report *r, struct err *e) {
    BIGNUM *br = signature_number(r->sig_r), *bs = signature_number(r->sig_s);
    const bool wide = !br || !bs;

    if (p384_verify(vek, br, bs,
                    view_of(report.p, report.n < SNP_SIGNED_SIZE ? 0 : SNP_SIGNED_SIZE)))
        return 0;
    if (wide)
        return err_set(e, "bad-signature", "R or S is wider than 48 bytes");
    return err_set(e, "bad-signature", "the signature is not by this key over these bytes");
}
