#include "snp_fields.h"

#include <string.h>

#define FIELD(name, offset, size, about)                                                           \
    { name, offset, size, about }

static const struct snp_field fields[] = {
    FIELD("VERSION", 0x000, 4, "version of the report"),
    FIELD("GUEST_SVN", 0x004, 4, "security version of the guest, by its ID block"),
    FIELD("POLICY", 0x008, 8, "what the guest allows the host, fixed at launch"),
    FIELD("FAMILY_ID", 0x010, 16, "of the ID block"),
    FIELD("IMAGE_ID", 0x020, 16, "of the ID block"),
    FIELD("VMPL", 0x030, 4, "privilege level that asked"),
    FIELD("SIGNATURE_ALGO", 0x034, 4, "how the report is signed"),
    FIELD("CURRENT_TCB", 0x038, 8, "firmware that runs"),
    FIELD("PLATFORM_INFO", 0x040, 8, "how the machine is set up"),
    FIELD("KEY_INFO", 0x048, 4, "which key signed"),
    FIELD("RESERVED", 0x04c, 4, "must be zero"),
    FIELD("REPORT_DATA.G", 0x050, 32, "the guest's one-time key"),
    FIELD("REPORT_DATA.H", 0x070, 32, "hash over guest key, your key, nonce, job and GPU evidence"),
    FIELD("MEASUREMENT", 0x090, 48, "launch digest: firmware, kernel, initrd, command line, vCPUs"),
    FIELD("HOST_DATA", 0x0c0, 32, "whatever the host put there"),
    FIELD("ID_KEY_DIGEST", 0x0e0, 48, "key that signed the ID block"),
    FIELD("AUTHOR_KEY_DIGEST", 0x110, 48, "key that signed that key"),
    FIELD("REPORT_ID", 0x140, 32, "of this guest, made by the firmware"),
    FIELD("REPORT_ID_MA", 0x160, 32, "of its migration agent; all ones without one"),
    FIELD("REPORTED_TCB", 0x180, 8, "firmware for which the signing key was derived"),
    FIELD("CPUID", 0x188, 3, "family, model, stepping"),
    FIELD("RESERVED", 0x18b, 21, "must be zero"),
    FIELD("CHIP_ID", 0x1a0, 64, "this one processor"),
    FIELD("COMMITTED_TCB", 0x1e0, 8, "firmware that cannot be gone back from"),
    FIELD("CURRENT_VERSION", 0x1e8, 3, "firmware that runs: build, minor, major"),
    FIELD("RESERVED", 0x1eb, 1, "must be zero"),
    FIELD("COMMITTED_VERSION", 0x1ec, 3, "committed firmware: build, minor, major"),
    FIELD("RESERVED", 0x1ef, 1, "must be zero"),
    FIELD("LAUNCH_TCB", 0x1f0, 8, "firmware when the guest was started"),
    FIELD("LAUNCH_MIT_VECTOR", 0x1f8, 8, "mitigations verified at launch"),
    FIELD("CURRENT_MIT_VECTOR", 0x200, 8, "mitigations verified now"),
    FIELD("RESERVED", 0x208, 152, "must be zero"),
    FIELD("SIGNATURE.R", 0x2a0, 72, "ECDSA P-384, little-endian"),
    FIELD("SIGNATURE.S", 0x2e8, 72, "ECDSA P-384, little-endian"),
    FIELD("RESERVED", 0x330, 368, "must be zero, and not signed"),
};

const struct snp_field *snp_fields(size_t *n) {
    *n = COUNT(fields);
    return fields;
}

const struct snp_field *snp_field_named(const char *name) {
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!strcmp(fields[i].name, name))
            return &fields[i];
    return NULL;
}

/* --- words --- */

struct bit {
    uint64_t mask;
    const char *set, *clear; /* clear NULL: said only when it is set */
};
static const struct bit policy_bits[] = {
    {SNP_POLICY_SMT, "SMT allowed", "SMT forbidden"},
    {SNP_POLICY_MIGRATE, "MIGRATION AGENT ALLOWED", "no migration agent"},
    {SNP_POLICY_DEBUG, "DEBUG ALLOWED", "no debugging"},
    {(uint64_t)1 << 20, "one socket only", NULL},
    {(uint64_t)1 << 21, "CXL allowed", NULL},
    {(uint64_t)1 << 22, "AES-256-XTS demanded", NULL},
    {SNP_POLICY_RAPL_DIS, "RAPL must be off", NULL},
    {SNP_POLICY_CIPHERTEXT, "ciphertext hiding demanded", NULL},
    {SNP_POLICY_PAGE_SWAP, "page swap disabled", NULL},
};
static const struct bit platform_bits[] = {
    {SNP_PLATFORM_SMT, "SMT on", "SMT off"},
    {(uint64_t)1 << 1, "TSME on", NULL},
    {(uint64_t)1 << 2, "ECC memory", NULL},
    {SNP_PLATFORM_RAPL_DIS, "RAPL off", NULL},
    {SNP_PLATFORM_CIPHERTEXT, "ciphertext hiding on", NULL},
    {SNP_PLATFORM_ALIAS, "alias check complete", "alias check NOT done"},
};

static void put_bits(const struct bit *b, size_t n, uint64_t value, struct buf *out) {
    const char *gap = "";

    for (size_t i = 0; i < n; i++) {
        const char *words = value & b[i].mask ? b[i].set : b[i].clear;

        if (!words)
            continue;
        buf_fmt(out, "%s%s", gap, words);
        gap = ", ";
    }
}

/* Family 19h and a report that names no family share one layout. */
static void put_tcb(const struct snp_report *r, const uint8_t raw[static 8], struct buf *out) {
    const enum snp_product p = snp_product_of(r->cpu_family, r->cpu_model);
    struct snp_tcb tcb;
    char text[SNP_TCB_TEXT];

    if (!snp_tcb_decode(p, raw, &tcb)) {
        buf_str(out, "reserved bytes are set");
        return;
    }
    snp_tcb_text(p, &tcb, text);
    buf_str(out, text);
}

static void put_version(const uint8_t raw[static 3], struct buf *out) {
    buf_fmt(out, "%u.%u.%u", raw[2], raw[1], raw[0]);
}

static void words_number(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)r;
    buf_fmt(out, "%u", p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 | (unsigned)p[3] << 24);
}

static void words_policy(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)p;
    buf_fmt(out, "firmware interface %u.%u or newer, ", (unsigned)(r->policy >> 8 & 0xff),
            (unsigned)(r->policy & 0xff));
    put_bits(policy_bits, COUNT(policy_bits), r->policy, out);
}

static void words_platform(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)p;
    put_bits(platform_bits, COUNT(platform_bits), r->platform_info, out);
}

static void words_algo(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)p;
    if (r->signature_algo == 1)
        buf_str(out, "1, ECDSA P-384 with SHA-384");
    else
        buf_fmt(out, "%u, unknown", r->signature_algo);
}

static void words_key(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    static const char *const key[8] = {
        [SIGNING_VCEK] = "the chip's key (VCEK)",
        [SIGNING_VLEK] = "a cloud's key (VLEK)",
        [SIGNING_NONE] = "no key",
    };
    const char *named = key[r->key_info >> 2 & 7];

    (void)p;
    buf_fmt(out, "signed by %s%s%s", named ? named : "an unknown kind of key",
            r->key_info & 1 ? ", author key present" : "",
            r->key_info & 2 ? ", chip key masked" : "");
}

static void words_cpu(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)p;
    if (r->version == 2)
        buf_str(out, "reserved in version 2");
    else
        buf_fmt(out, "family %02x model %02x stepping %x: %s", r->cpu_family, r->cpu_model,
                r->cpu_stepping, product_name(snp_product_of(r->cpu_family, r->cpu_model)));
}

static void words_mitigations(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)p;
    if (r->version < 5)
        buf_str(out, "reserved before version 5");
}

static void words_firmware(const struct snp_report *r, const uint8_t *p, struct buf *out) {
    (void)r;
    put_version(p, out);
}

typedef void words_fn(const struct snp_report *r, const uint8_t *p, struct buf *out);
static const struct {
    const char *name;
    words_fn *words;
} speakers[] = {
    {"VERSION", words_number},
    {"GUEST_SVN", words_number},
    {"POLICY", words_policy},
    {"VMPL", words_number},
    {"SIGNATURE_ALGO", words_algo},
    {"CURRENT_TCB", put_tcb},
    {"PLATFORM_INFO", words_platform},
    {"KEY_INFO", words_key},
    {"REPORTED_TCB", put_tcb},
    {"CPUID", words_cpu},
    {"COMMITTED_TCB", put_tcb},
    {"CURRENT_VERSION", words_firmware},
    {"COMMITTED_VERSION", words_firmware},
    {"LAUNCH_TCB", put_tcb},
    {"LAUNCH_MIT_VECTOR", words_mitigations},
    {"CURRENT_MIT_VECTOR", words_mitigations},
};

void snp_field_words(const struct snp_field *f, struct view v, struct buf *out) {
    struct snp_report r;

    if (!snp_report_parse(v, &r))
        return;
    for (size_t i = 0; i < COUNT(speakers); i++)
        if (!strcmp(speakers[i].name, f->name)) {
            speakers[i].words(&r, v.p + f->offset, out);
            return;
        }
}
