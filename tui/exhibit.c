#include "tui/exhibit_priv.h"

#include <stdlib.h>
#include <string.h>

#include "attest/snp_fields.h"
#include "attest/snp_pss.h"
#include "attest/snp_cert.h"
#include "core/binding.h"
#include "core/dvm.h"
#include "core/enc.h"
#include "core/hash.h"
#include "core/offer.h"
#include "core/release.h"

#define REPORT "SEV-SNP report"
#define VEK "certificate of the report's key (VCEK or VLEK)"
#define ASK "certificate above it (ASK)"
#define ARK "root certificate (ARK)"
#define CRL "list of revoked certificates"
#define MANIFESTS "manifests: what ought to run"
#define EVENTS "signed events and messages"

/* The name is copied. */
struct item *exhibit_add(struct exhibit *x, const char *section, const char *name) {
    struct item *it;

    x->item = mem_grow(x->item, (x->n + 1) * sizeof *x->item);
    it = &x->item[x->n++];
    *it = (struct item){.shown = {section, NULL, EXHIBIT_NOWHERE, {0}, ""}};
    it->shown.name = it->name = mem_str(name);
    return it;
}

void exhibit_words(struct item *it, struct buf *words) {
    it->words = buf_take(words);
    it->shown.words = it->words ? it->words : "";
}

void exhibit_say(struct item *it, const char *words) {
    it->words = mem_str(words);
    it->shown.words = it->words;
}

struct item *exhibit_copy(struct exhibit *x, const char *section, const char *name,
                          struct view bytes) {
    struct item *it = exhibit_add(x, section, name);

    it->bytes = mem_new(bytes.n + 1);
    if (bytes.n)
        memcpy(it->bytes, bytes.p, bytes.n);
    it->shown.bytes = view_of(it->bytes, bytes.n);
    return it;
}

/* --- the report --- */

static void add_report(struct exhibit *x) {
    const struct view report = buf_view(&x->hello.report);
    size_t n;
    const struct snp_field *f = snp_fields(&n);

    if (report.n != SNP_REPORT_SIZE) {
        struct item *it = exhibit_copy(x, REPORT, "not a report", report);

        exhibit_say(it, "these are not the 1184 bytes of a report");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct item *it = exhibit_add(x, REPORT, f[i].name);
        struct buf words = {0};

        it->shown.offset = f[i].offset;
        it->shown.bytes = view_of(report.p + f[i].offset, f[i].size);
        buf_fmt(&words, "%s: ", f[i].about);
        snp_field_words(&f[i], report, &words);
        if (words.p[words.n - 2] == ':')
            words.p[words.n -= 2] = 0;
        exhibit_words(it, &words);
    }
}

/* --- what it is bound to --- */

static void add_bound(struct exhibit *x, const struct job_request *q, const uint8_t guest[32]) {
    const struct {
        const char *name, *words;
        const uint8_t *p;
    } parts[] = {{"G", "the guest's one-time key, which sealed its hello", guest},
                 {"U", "your one-time key of this job", q->customer},
                 {"N", "your nonce, 32 random bytes made for this job", q->nonce},
                 {"job", "id of your request", q->id}};
    const struct exhibit_item *said = exhibit_named(x, "REPORT_DATA.H");
    const struct view h = said ? said->bytes : (struct view){0}; /* items move as more come */
    cleanup_buf struct buf gpus = {0};
    uint8_t data[64];
    struct item *it;

    for (size_t i = 0; i < COUNT(parts); i++)
        exhibit_say(exhibit_copy(x, BINDING, parts[i].name, view_of(parts[i].p, 32)),
                    parts[i].words);
    exhibit_gpus_bound(x, q, guest, &gpus);
    binding_report_data(guest, q->customer, q->nonce, q->id, buf_view(&gpus), data);
    it = exhibit_copy(x, BINDING, "H", view_of(data + 32, 32));
    exhibit_say(it, view_eq(h, it->shown.bytes)
                        ? "SHA-256 over these, computed here: equal to REPORT_DATA.H"
                        : "SHA-256 over these, computed here: NOT what REPORT_DATA.H holds");
}

/* --- certificates --- */

static void cert_words(X509 *x, struct view der, struct buf *out) {
    cleanup_free char *subject = cert_cn(x, false), *issuer = cert_cn(x, true);
    char from[32], until[32];
    uint8_t sha[32], spki[32];
    char hex[65];

    cert_time_text(X509_get0_notBefore(x), from);
    cert_time_text(X509_get0_notAfter(x), until);
    cert_fingerprints(x, der, sha, spki);
    hex_encode(view_of(sha, 32), hex);
    buf_fmt(out, "%s, issued by %s, valid %s to %s, sha256 %s", subject, issuer, from, until, hex);
}

void exhibit_cert(struct exhibit *x, const char *section, const char *name, struct view der) {
    struct buf words = {0};
    struct item *it;
    X509 *cert;

    if (!der.n)
        return;
    it = exhibit_copy(x, section, name, der);
    it->shown.offset = 0;
    cert = cert_parse(der, NULL);
    if (cert)
        cert_words(cert, der, &words);
    else
        buf_str(&words, "this is not a certificate");
    X509_free(cert);
    exhibit_words(it, &words);
}

/* The parts of the certified firmware level, and the chip it is for. */
static void add_vek_says(struct exhibit *x, struct view der) {
    struct view report = buf_view(&x->hello.report);
    X509 *cert = der.n ? cert_parse(der, NULL) : NULL;
    struct snp_report r = {0};
    enum snp_product p;
    char text[SNP_TCB_TEXT];
    struct vek vek;
    bool vlek;

    (void)!snp_report_parse(report, &r);
    p = snp_product_of(r.cpu_family, r.cpu_model);
    vlek = (r.key_info >> 2 & 7) == SIGNING_VLEK;
    if (p == PRODUCT_UNKNOWN)
        p = PRODUCT_GENOA; /* a version 2 report: one layout for all that can make one */
    if (cert && vek_parse(cert, p, vlek, &vek, NULL) == 0) {
        struct buf words = {0};

        snp_tcb_text(p, &vek.tcb, text);
        buf_fmt(&words, "firmware level that this certificate is for: %s", text);
        exhibit_words(exhibit_add(x, VEK, "VEK.TCB"), &words);
        if (vek.hwid_len)
            exhibit_say(exhibit_copy(x, VEK, "VEK.HWID", view_of(vek.hwid, vek.hwid_len)),
                        "the chip that this certificate is for");
    }
    X509_free(cert);
}

static void add_collateral(struct exhibit *x, const struct bundle *b) {
    struct collateral c;

    if (collateral_read(b->collateral, b->n_collateral, &c, NULL) == 0) {
        add_vek_says(x, buf_view(&c.vek));
        exhibit_cert(x, VEK, "VEK", buf_view(&c.vek));
        exhibit_cert(x, ASK, "ASK", buf_view(&c.ask));
        exhibit_cert(x, ARK, "ARK", buf_view(&c.ark));
    }
    if (c.crl.n) {
        struct item *it = exhibit_copy(x, CRL, "CRL", buf_view(&c.crl));

        it->shown.offset = 0;
    }
    exhibit_nvidia(x, &c);
    collateral_free(&c);
}

/* --- manifests, events --- */

static const char *manifest_name(struct view content, const struct offer *o) {
    struct manifest *work = manifest_parse(content, false, NULL);
    struct manifest *model = work ? NULL : manifest_parse(content, true, NULL);
    const char *name = work ? "workload" : model ? "model" : "manifest";
    uint8_t sha[32];

    sha256(content, sha);
    if (o && !memcmp(sha, o->release, 32))
        name = "release";
    manifest_free(work);
    manifest_free(model);
    return name;
}

static void add_manifests(struct exhibit *x, const struct bundle *b, const struct offer *o) {
    for (size_t i = 0; i < b->n_manifests; i++) {
        struct view content = view_str(b->manifest[i]);
        uint8_t sha[32];

        sha256(content, sha);
        exhibit_say(exhibit_copy(x, MANIFESTS, manifest_name(content, o), view_of(sha, 32)),
                    b->manifest[i]);
    }
}

static void add_ids(struct exhibit *x, const struct bundle *b) {
    const struct {
        const char *name, *words;
        const struct fields *f;
    } all[] = {
        {"offer", "id of the offer, signed by the seller", b->offer ? &b->offer->f : NULL},
        {"request", "id of your request: the job id", b->request ? &b->request->f : NULL},
        {"hello", "id of the guest's hello, which carried the report",
         b->hello ? &b->hello->f : NULL},
        {"accept", "id of your acceptance", b->accept ? &b->accept->f : NULL},
        {"receipt", "id of the receipt, signed by the guest", b->receipt ? &b->receipt->f : NULL},
        {"teardown", "id of what the seller says of the end", b->teardown ? &b->teardown->f : NULL},
    };

    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].f)
            exhibit_say(exhibit_copy(x, EVENTS, all[i].name, view_of(all[i].f->id, 32)),
                        all[i].words);
}

/* --- all of it --- */

struct exhibit *exhibit_new(const struct bundle *b) {
    struct exhibit *x = mem_new(sizeof *x);
    struct offer *o = b->offer ? offer_parse(b->offer, NULL) : NULL;
    struct job_request q;

    if (b->hello && bundle_hello(b, NULL, &x->hello, NULL) == 0)
        add_report(x);
    exhibit_gpus(x);
    if (b->hello && b->request && job_request_parse(b->request, -1, &q, NULL) == 0)
        add_bound(x, &q, b->hello->f.pubkey);
    add_collateral(x, b);
    add_manifests(x, b, o);
    add_ids(x, b);
    offer_free(o);
    return x;
}

void exhibit_free(struct exhibit *x) {
    if (!x)
        return;
    for (size_t i = 0; i < x->n; i++) {
        free(x->item[i].bytes);
        free(x->item[i].name);
        free(x->item[i].words);
    }
    free(x->item);
    hello_free(&x->hello);
    free(x);
}

size_t exhibit_count(const struct exhibit *x) {
    return x ? x->n : 0;
}

const struct exhibit_item *exhibit_at(const struct exhibit *x, size_t i) {
    return i < exhibit_count(x) ? &x->item[i].shown : NULL;
}

const struct exhibit_item *exhibit_named(const struct exhibit *x, const char *name) {
    for (size_t i = 0; i < exhibit_count(x); i++)
        if (!strcmp(x->item[i].shown.name, name))
            return &x->item[i].shown;
    return NULL;
}

/* --- from a check to what it looks at --- */

static const struct {
    const char *check, *item;
} behind[] = {
    {"snp.structure", "VERSION"},
    {"snp.version", "VERSION"},
    {"snp.product", "CPUID"},
    {"snp.key_info", "KEY_INFO"},
    {"snp.signature", "SIGNATURE.R"},
    {"snp.signature", "SIGNATURE.S"},
    {"snp.chain.root", "ARK"},
    {"snp.chain.intermediate", "ASK"},
    {"snp.chain.leaf", "VEK"},
    {"snp.chain.dates", "VEK"},
    {"snp.chain.dates", "ASK"},
    {"snp.crl", "CRL"},
    {"snp.vek.tcb", "REPORTED_TCB"},
    {"snp.vek.tcb", "VEK.TCB"},
    {"snp.vek.hwid", "CHIP_ID"},
    {"snp.vek.hwid", "VEK.HWID"},
    {"snp.tcb.order", "CURRENT_TCB"},
    {"snp.tcb.order", "COMMITTED_TCB"},
    {"snp.tcb.order", "REPORTED_TCB"},
    {"snp.tcb.floor", "REPORTED_TCB"},
    {"snp.tcb.floor", "CURRENT_TCB"},
    {"snp.tcb.floor", "COMMITTED_TCB"},
    {"snp.tcb.floor", "LAUNCH_TCB"},
    {"snp.tcb.provisional", "COMMITTED_VERSION"},
    {"snp.tcb.provisional", "CURRENT_VERSION"},
    {"snp.mitigation", "LAUNCH_MIT_VECTOR"},
    {"snp.mitigation", "CURRENT_MIT_VECTOR"},
    {"snp.policy.reserved", "POLICY"},
    {"snp.policy.debug", "POLICY"},
    {"snp.policy.migrate", "POLICY"},
    {"snp.policy.smt", "POLICY"},
    {"snp.policy.abi", "POLICY"},
    {"snp.policy.expected", "POLICY"},
    {"snp.platform.alias_check", "PLATFORM_INFO"},
    {"snp.platform.requested", "PLATFORM_INFO"},
    {"snp.platform.ciphertext_hiding", "PLATFORM_INFO"},
    {"snp.platform.unknown", "PLATFORM_INFO"},
    {"snp.vmpl", "VMPL"},
    {"snp.measurement", "MEASUREMENT"},
    {"snp.id_block", "ID_KEY_DIGEST"},
    {"snp.id_block", "AUTHOR_KEY_DIGEST"},
    {"snp.id_block", "FAMILY_ID"},
    {"snp.id_block", "IMAGE_ID"},
    {"snp.host_data", "HOST_DATA"},
    {"snp.report_data", "REPORT_DATA.G"},
    {"snp.report_data", "REPORT_DATA.H"},
    {"bind.guest_key", "REPORT_DATA.G"},
    {"bind.guest_key", "G"},
    {"bind.nonce", "REPORT_DATA.H"},
    {"bind.nonce", "N"},
    {"bind.customer", "REPORT_DATA.H"},
    {"bind.customer", "U"},
    {"bind.job", "REPORT_DATA.H"},
    {"bind.job", "job"},
    {"bind.gpu", "REPORT_DATA.H"},
    {"bind.gpu", "E"},
    {"gpu.count", "GPU.CERT1"},
    {"gpu.structure", "GPU.REQUEST"},
    {"gpu.structure", "GPU.MEASUREMENTS"},
    {"gpu.chain", "GPU.CERT4"},
    {"gpu.chain", "GPU.CERT3"},
    {"gpu.chain", "GPU.CERT2"},
    {"gpu.chain", "GPU.CERT1"},
    {"gpu.chain", "GPU.CERT0"},
    {"gpu.revocation", "OCSP"},
    {"gpu.revocation", "GPU_CRL"},
    {"gpu.signature", "GPU.SIGNATURE"},
    {"gpu.nonce", "GPU.NONCE"},
    {"gpu.nonce", "Ng"},
    {"gpu.fwid", "GPU.FWID"},
    {"gpu.fwid", "GPU.CERT0"},
    {"gpu.floor", "GPU.DRIVER_VERSION"},
    {"gpu.floor", "GPU.VBIOS_VERSION"},
    {"gpu.rim.driver", "RIM.DRIVER"},
    {"gpu.rim.driver", "GPU.DRIVER_VERSION"},
    {"gpu.rim.vbios", "RIM.VBIOS"},
    {"gpu.rim.vbios", "GPU.VBIOS_VERSION"},
    {"gpu.measurements", "GPU.MEASUREMENTS"},
    {"gpu.measurements", "RIM.DRIVER"},
    {"gpu.measurements", "RIM.VBIOS"},
    {"gpu.mode", "GPU.FEATURE_FLAG"},
    {"gpu.mode", "GPU.PROTECTED_PCIE_STATUS"},
    {"gpu.topology", "GPU.SWITCH_PDI"},
    {"gpu.topology", "GPU.SWITCH_GPU_PDIS"},
    {"gpu.topology", "GPU.PROTECTED_PCIE_STATUS"},
    {"gpu.cc_state", "GPU.STATE"},
    {"gpu.in-this-guest", "E"},
    {"offer.match", "offer"},
    {"workload.volume", "workload"},
    {"model.volume", "model"},
    {"release.endorsed", "release"},
    {"workload.endorsed", "workload"},
    {"model.endorsed", "model"},
    {"guest.acpi", "release"},
    {"guest.volumes", "release"},
    {"chip.endorsed", "CHIP_ID"},
    {"provider.seen", "CHIP_ID"},
    {"receipt.guest", "receipt"},
    {"receipt.job", "receipt"},
    {"receipt.coverage", "receipt"},
    {"receipt.model_key", "receipt"},
    {"receipt.teardown", "teardown"},
};

/* Of several GPUs, answers or lists each has its number: "GPU2.NONCE", "OCSP3". */
static bool is_named(const char *name, const char *plain) {
    const size_t n = strcspn(plain, ".");

    if (strncmp(name, plain, n) != 0)
        return false;
    name += n;
    return strcmp(name + strspn(name, "0123456789"), plain + n) == 0;
}

const struct exhibit_item *exhibit_behind(const struct exhibit *x, const char *check, size_t nth) {
    for (size_t i = 0; i < COUNT(behind); i++) {
        if (strcmp(behind[i].check, check) != 0)
            continue;
        for (size_t k = 0; k < exhibit_count(x); k++)
            if (is_named(x->item[k].shown.name, behind[i].item) && nth-- == 0)
                return &x->item[k].shown;
    }
    return NULL;
}

/* --- as text --- */

void exhibit_hex(const struct exhibit_item *it, size_t max, struct buf *out) {
    for (size_t i = 0; i < it->bytes.n && i < max; i++)
        buf_fmt(out, "%s%02x", i ? " " : "", it->bytes.p[i]);
    if (it->bytes.n > max)
        buf_str(out, " ...");
}

static void bytes_lines(const struct exhibit_item *it, size_t row, exhibit_fn *fn, void *arg) {
    const size_t base = it->offset == EXHIBIT_NOWHERE ? 0 : it->offset;

    for (size_t at = 0; at < it->bytes.n; at += row) {
        cleanup_buf struct buf line = {0};
        struct exhibit_item part = *it;

        part.bytes = view_of(it->bytes.p + at, it->bytes.n - at < row ? it->bytes.n - at : row);
        buf_fmt(&line, "0x%03zx  ", base + at);
        exhibit_hex(&part, row, &line);
        fn(arg, EXHIBIT_BYTES, it, (char *)line.p);
    }
}

void exhibit_item_lines(const struct exhibit_item *it, size_t row, exhibit_fn *fn, void *arg) {
    cleanup_buf struct buf line = {0};

    if (it->offset == EXHIBIT_NOWHERE)
        buf_fmt(&line, "%s", it->name);
    else
        buf_fmt(&line, "0x%03zx %s", it->offset, it->name);
    if (it->bytes.n)
        buf_fmt(&line, ", %zu bytes", it->bytes.n);
    fn(arg, EXHIBIT_ITEM, it, (char *)line.p);
    if (*it->words)
        fn(arg, EXHIBIT_WORDS, it, it->words);
    bytes_lines(it, row, fn, arg);
}

void exhibit_lines(const struct exhibit *x, size_t row, exhibit_fn *fn, void *arg) {
    const char *section = "";

    for (size_t i = 0; i < exhibit_count(x); i++) {
        const struct exhibit_item *it = &x->item[i].shown;

        if (strcmp(it->section, section) != 0)
            fn(arg, EXHIBIT_SECTION, it, it->section);
        section = it->section;
        exhibit_item_lines(it, row, fn, arg);
    }
}
