#include "snp_rules.h"

#include <string.h>

void rule_structure(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "%zu bytes, reserved ones zero", SNP_REPORT_SIZE);
    finding_got(f, "%zu bytes", x->in->report.n);
    if (x->in->report.n != SNP_REPORT_SIZE)
        finding_why(f, "A report has exactly %zu bytes.", SNP_REPORT_SIZE);
    else if (x->r.stray)
        finding_why(f, "The reserved byte at 0x%03zx is not zero.", x->r.stray);
    else if (x->r.key_info >> 5)
        finding_why(f, "Reserved bits of the key information at 0x048 are set.");
    else
        f->outcome = OUT_GOOD;
}

void rule_version(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "3 to 5");
    if (x->in->report.n != SNP_REPORT_SIZE) {
        finding_absent(f, "The report cannot be read.");
        return;
    }
    finding_got(f, "%u", x->r.version);
    if (!snp_version_known(x->r.version))
        finding_why(f, "Version %u is not known here, and is not guessed at.", x->r.version);
    else if (x->r.version > 2)
        f->outcome = OUT_GOOD;
    else {
        f->outcome = x->policy->allow_v2 ? OUT_AMBER : OUT_BAD;
        finding_why(f, "Version 2 reports come from old firmware and name no processor.");
    }
}

static void product_unknown(const struct snp_ctx *x, struct finding *f) {
    if (x->r.version == 2 && !x->chain.vek)
        finding_absent(f, "A version 2 report names no processor, and its key's certificate is "
                          "missing.");
    else if (snp_is_venice(x->r.cpu_family, x->r.cpu_model))
        finding_why(f,
                    "This is a Venice processor: no root key of AMD's for it is pinned here yet.");
    else
        finding_why(f, "No root key of AMD's is known for this processor family.");
}

void rule_product(const struct snp_ctx *x, struct finding *f) {
    finding_expected(f, "Genoa, Bergamo, Siena or Turin");
    finding_got(f, "%s (CPUID %02xh/%02xh/%u)", product_name(x->product), x->r.cpu_family,
                x->r.cpu_model, x->r.cpu_stepping);
    if (!x->product) {
        product_unknown(x, f);
        return;
    }
    f->outcome = OUT_GOOD;
    if (x->product != PRODUCT_MILAN)
        return;
    f->outcome = x->policy->allow_milan ? OUT_AMBER : OUT_BAD;
    finding_why(f, "Published research extracts the signing secret of Milan processors by software "
                   "alone (arXiv 2605.12990): a valid signature by one proves little.");
}

static const char *key_refusal(const struct snp_ctx *x) {
    const unsigned key = x->r.key_info >> 2 & 7;

    if (key == SIGNING_NONE)
        return "The report says that no key signed it.";
    if (key != SIGNING_VCEK && key != SIGNING_VLEK)
        return "The report names a kind of key that does not exist.";
    if (x->r.key_info >> 1 & 1)
        return "The host masked the chip's key: firmware then writes no signature.";
    if (!(x->r.key_info & 1) && !all_zero(x->r.author_key_digest, 48))
        return "An author key digest is there although the report says that there is none.";
    return NULL;
}

void rule_key_info(const struct snp_ctx *x, struct finding *f) {
    static const char *const names[] = {"VCEK", "VLEK", "2", "3", "4", "5", "6", "none"};
    const char *refusal = key_refusal(x);

    finding_expected(f, "VCEK");
    finding_got(f, "%s", names[x->r.key_info >> 2 & 7]);
    if (refusal)
        finding_why(f, "%s", refusal);
    else if (!x->vlek)
        f->outcome = OUT_GOOD;
    else {
        f->outcome = x->policy->allow_vlek ? OUT_AMBER : OUT_BAD;
        finding_why(f,
                    "A VLEK is loaded by a cloud operator%s%s: it names the operator, not a chip.",
                    x->chain.info.csp[0] ? ", " : "", x->chain.info.csp);
    }
}

void rule_signature(const struct snp_ctx *x, struct finding *f) {
    struct err e;

    finding_expected(f, "ECDSA P-384 with SHA-384 over 0x000 to 0x29f");
    finding_got(f, "%s",
                x->r.signature_algo == 1 ? "ECDSA P-384 with SHA-384" : "another algorithm");
    if (x->r.signature_algo != 1)
        finding_why(f, "Signature algorithm %u is not ECDSA P-384 with SHA-384.",
                    x->r.signature_algo);
    else if (!x->chain.vek)
        finding_absent(f, "The certificate of the report's key is missing.");
    else if (vek_verify_report(x->chain.vek, x->in->report, &x->r, &e))
        finding_why(f, "The report is forged or damaged: %s.", e.text);
    else
        f->outcome = OUT_GOOD;
}

void rule_vek_tcb(const struct snp_ctx *x, struct finding *f) {
    struct snp_tcb reported;
    char text[SNP_TCB_TEXT];

    if (!x->chain.has_info) {
        finding_absent(f, "The certificate of the report's key is missing or unreadable.");
        return;
    }
    snp_tcb_text(x->product, &x->chain.info.tcb, text);
    finding_expected(f, "%s (certificate)", text);
    if (!snp_tcb_decode(x->product, x->r.reported_tcb, &reported)) {
        finding_got_hex(f, view_of(x->r.reported_tcb, 8));
        finding_why(f, "REPORTED_TCB has reserved bytes set.");
        return;
    }
    snp_tcb_text(x->product, &reported, text);
    finding_got(f, "%s (report)", text);
    if (snp_tcb_eq(&reported, &x->chain.info.tcb))
        f->outcome = OUT_GOOD;
    else
        finding_why(f, "The key was derived for another firmware level than the report claims.");
}

static void masked_chip(const struct snp_ctx *x, struct finding *f) {
    f->outcome = x->policy->allow_masked_chip ? OUT_AMBER : OUT_BAD;
    finding_why(f, "The host hides the chip's id, so the certificate cannot be compared with it.");
}

void rule_vek_hwid(const struct snp_ctx *x, struct finding *f) {
    const struct vek *k = &x->chain.info;

    finding_got_hex(f, view_of(x->r.chip_id, x->product == PRODUCT_TURIN ? 8 : 64));
    if (!x->chain.has_info) {
        finding_absent(f, "The certificate of the report's key is missing or unreadable.");
        return;
    }
    if (x->vlek) {
        f->outcome = OUT_AMBER;
        finding_why(f, "A cloud's key signed this report: it names no chip.");
        return;
    }
    finding_expected_hex(f, view_of(k->hwid, k->hwid_len));
    if (all_zero(x->r.chip_id, 64))
        masked_chip(x, f);
    else if (memcmp(k->hwid, x->r.chip_id, k->hwid_len) != 0)
        finding_why(f, "The certificate is another chip's.");
    else if (!all_zero(x->r.chip_id + k->hwid_len, 64 - k->hwid_len))
        finding_why(f, "The chip id has bytes that this family does not use.");
    else
        f->outcome = OUT_GOOD;
}
