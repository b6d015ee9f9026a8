#include "snp_chain.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/hash.h"
#include "finding.h"
#include "snp_cache.h"
#include "snp_pss.h"

#define SIM_ARK "SIM-ARK (cdvm simulator)"
#define SIM_ASK "SIM-ASK (cdvm simulator)"
#define SIM_VCEK "SIM-VCEK (cdvm simulator)"

/* The certificates as bytes, from wherever they came. */
struct source {
    struct view vek, ask, ark, table_crl;
};

/* A certificate of authority at hand: its fingerprints, and what is known of it already. */
struct authority {
    X509 *x;
    uint8_t der[32], spki[32];
    const struct known_cert *known; /* NULL, or it verified before */
};

static struct view first_of(struct view a, struct view b) {
    return a.n ? a : b;
}

static int source_read(const struct chain_input *in, struct source *out, struct err *e) {
    struct cert_table t;

    if (cert_table_parse(in->c->cert_table, &t, e))
        return -1;
    out->vek = first_of(in->c->vek, in->vlek ? t.vlek : t.vcek);
    out->ask = first_of(in->c->ask, t.ask);
    out->ark = first_of(in->c->ark, t.ark);
    out->table_crl = t.crl;
    return 0;
}

static void bad(struct finding *f, const struct err *e) {
    f->outcome = OUT_BAD;
    finding_why(f, "%s", e->text);
}

/* A version 2 report names no CPU: its key's issuer does, and the chain has to prove it. */
static enum snp_product product_by_issuer(X509 *vek, bool vlek) {
    const enum root_role role = vlek ? ROLE_ASVK : ROLE_ASK;
    cleanup_free char *cn = cert_cn(vek, true);

    for (int p = PRODUCT_MILAN; p <= PRODUCT_GENOA; p++)
        if (!strcmp(cn, root_pinned((enum snp_product)p, role)->cn))
            return (enum snp_product)p;
    return PRODUCT_UNKNOWN;
}

static bool is_sim_root(const struct chain_input *in, const uint8_t der[static 32]) {
    for (size_t i = 0; i < in->n_sim_roots; i++)
        if (!memcmp(in->sim_roots[i], der, 32))
            return true;
    return false;
}

static bool pin_matches(const struct root *pin, const uint8_t der[static 32],
                        const uint8_t spki[static 32]) {
    char hex[2][65];

    hex_encode(view_of(der, 32), hex[0]);
    hex_encode(view_of(spki, 32), hex[1]);
    return !strcmp(pin->der, hex[0]) && !strcmp(pin->spki, hex[1]);
}

static void root_simulated(const struct chain_input *in, struct chain *c) {
    c->simulated = true;
    finding_got(&c->root, "a simulator's root, made on this machine");
    if (in->policy->profile != POLICY_DEMO) {
        c->root.outcome = OUT_FATAL;
        finding_why(&c->root, "A simulator signed this: it proves nothing, and is shown as working "
                              "only where this run was given --policy demo.");
        return;
    }
    c->root.outcome = OUT_GOOD;
    finding_why(&c->root, "SIMULATED: this root is a file on this machine, and protects nothing.");
}

static void root_foreign(struct chain *c, const uint8_t der[static 32]) {
    const struct root *other = root_by_der(der);
    cleanup_free char *cn = cert_cn(c->ark, false);
    char hex[65];

    hex_encode(view_of(der, 32), hex);
    c->root.outcome = OUT_FATAL;
    finding_got(&c->root, "'%s' sha256 %.16s...", cn, hex);
    if (other)
        finding_why(&c->root, "This is AMD's root for %s, but the report is of a %s processor.",
                    product_name(other->product), product_name(c->product));
    else
        finding_why(&c->root,
                    "This root is not AMD's: anybody can make one with AMD's names, and only "
                    "the fingerprint pinned in this program tells them apart.");
}

/* An authority, signed by the one given; what is known is not computed again. */
static int authority_verify(const struct authority *a, const struct authority *issuer,
                            bool intermediate, struct err *e) {
    if (a->known && !memcmp(a->known->issuer, issuer->der, 32))
        return 0;
    return cert_is_authority(a->x, intermediate, e) || cert_signed_by(a->x, issuer->x, e) ? -1 : 0;
}

static void root_check(const struct chain_input *in, struct chain *c, const struct authority *ark) {
    const struct root *pin = root_pinned(c->product, ROLE_ARK);
    struct err e;

    c->root = (struct finding){.outcome = OUT_BAD};
    if (pin)
        finding_expected(&c->root, "%s sha256 %.16s...", pin->cn, pin->der);
    finding_got_hex(&c->root, view_of(ark->der, 32));
    if (authority_verify(ark, ark, false, &e))
        bad(&c->root, &e);
    else if (is_sim_root(in, ark->der) && cert_named(c->ark, SIM_ARK))
        root_simulated(in, c);
    else if (pin && (pin_matches(pin, ark->der, ark->spki) || root_is_test(c->product, ark->der)))
        c->root.outcome = OUT_GOOD;
    else
        root_foreign(c, ark->der);
}

/* AMD's intermediates are pinned too; a simulator's or a test's is known by its signature alone. */
static bool intermediate_pinned(const struct chain *c, const struct root *pin,
                                const struct authority *ark, const struct authority *ask) {
    return c->simulated || root_is_test(c->product, ark->der) ||
           pin_matches(pin, ask->der, ask->spki);
}

/* A simulator names its certificates so, also where a test takes its root for AMD's. */
static bool sim_names(const struct chain *c, const uint8_t ark[static 32]) {
    return c->simulated || (root_is_test(c->product, ark) && cert_named(c->ark, SIM_ARK));
}

static void intermediate_check(const struct chain_input *in, struct chain *c,
                               const struct authority *ark, const struct authority *ask) {
    const struct root *pin = root_pinned(c->product, in->vlek ? ROLE_ASVK : ROLE_ASK);
    struct finding *f = &c->intermediate;
    const char *cn = sim_names(c, ark->der) ? SIM_ASK : pin->cn;
    cleanup_free char *is = cert_cn(c->ask, false);
    struct err e;

    *f = (struct finding){.outcome = OUT_BAD};
    finding_expected(f, "%s", cn);
    finding_got(f, "%s", is);
    if (!cert_named(c->ask, cn))
        finding_why(f, "This certificate is not the one that certifies %s keys.",
                    in->vlek ? "VLEK" : "VCEK");
    else if (!intermediate_pinned(c, pin, ark, ask))
        finding_why(f, "It has the right name, but is not the certificate pinned in this program.");
    else if (authority_verify(ask, ark, true, &e))
        bad(f, &e);
    else
        f->outcome = OUT_GOOD;
}

static void leaf_check(const struct chain_input *in, struct chain *c, const struct authority *ark) {
    const char *cn = sim_names(c, ark->der) ? SIM_VCEK : in->vlek ? "SEV-VLEK" : "SEV-VCEK";
    cleanup_free char *is = cert_cn(c->vek, false);
    struct err e;

    c->leaf = (struct finding){.outcome = OUT_BAD};
    finding_expected(&c->leaf, "%s", cn);
    finding_got(&c->leaf, "%s", is);
    if (!cert_named(c->vek, cn)) {
        c->leaf.outcome = OUT_BAD;
        finding_why(&c->leaf,
                    "The report says that a %s signed it; this certificate is of another "
                    "kind.",
                    in->vlek ? "VLEK" : "VCEK");
        return;
    }
    c->has_info = !vek_parse(c->vek, c->product, in->vlek, &c->info, &e);
    if (!c->has_info || cert_signed_by(c->vek, c->ask, &e))
        bad(&c->leaf, &e);
    else
        c->leaf.outcome = OUT_GOOD;
}

static void dates_check(const struct chain_input *in, struct chain *c) {
    const struct {
        X509 *x;
        const char *what;
    } certs[] = {{c->vek, "the report key's certificate"},
                 {c->ask, "the intermediate"},
                 {c->ark, "the root"}};
    char until[32];
    struct err e;

    c->dates = (struct finding){.outcome = OUT_BAD};
    for (size_t i = 0; i < COUNT(certs); i++) {
        if (!certs[i].x) {
            finding_absent(&c->dates, "Not all certificates are at hand.");
            return;
        }
        if (!cert_dates(certs[i].x, certs[i].what, in->now, &e))
            continue;
        bad(&c->dates, &e);
        finding_got(&c->dates, "%s", e.code);
        return;
    }
    c->dates.outcome = OUT_GOOD;
    cert_time_text(X509_get0_notAfter(c->vek), until);
    finding_got(&c->dates, "report key until %s", until);
}

static void crl_check_all(const struct chain_input *in, struct chain *c, struct view table_crl) {
    struct finding *f = &c->crl;
    struct view all[COLLATERAL_CRLS + 1];
    size_t n = 0;

    finding_absent(f, "No revocation list came with the evidence.");
    for (size_t i = 0; i < in->c->n_crl && i < COLLATERAL_CRLS; i++)
        all[n++] = in->c->crl[i];
    if (table_crl.n)
        all[n++] = table_crl;
    for (size_t i = 0; i < n; i++) {
        char text[200];
        enum crl_state s =
            crl_check(all[i], c->ark, c->ask, in->now, in->policy->crl_max_age, text, sizeof text);

        if (s == CRL_REVOKED) {
            f->outcome = OUT_FATAL;
            finding_why(f, "%s.", text);
            return;
        }
        if (s == CRL_GOOD) {
            f->outcome = OUT_GOOD;
            f->why[0] = 0;
            finding_got(f, "%s", text);
        } else if (f->outcome != OUT_GOOD)
            finding_why(f, "A list came, but cannot be used: %s.", text);
    }
}

static X509 *parse_or_say(struct view der, struct finding *f, const char *missing) {
    struct err e;
    X509 *x;

    if (!der.n) {
        finding_absent(f, missing);
        return NULL;
    }
    x = cert_parse(der, &e);
    if (!x)
        bad(f, &e);
    return x;
}

/* A certificate whose very bytes verified before needs no decoding. */
static X509 *authority_read(struct authority *a, struct view der, struct finding *f,
                            const char *missing) {
    *a = (struct authority){0};
    sha256(der, a->der);
    a->known = cache_get(a->der);
    if (a->known && X509_up_ref(a->known->x) == 1) {
        a->x = a->known->x;
        memcpy(a->spki, a->known->spki, 32);
    } else {
        a->known = NULL;
        a->x = parse_or_say(der, f, missing);
        if (a->x)
            cert_fingerprints(a->x, der, a->der, a->spki);
    }
    return a->x;
}

static void chain_steps(struct chain *c, const struct chain_input *in, const struct authority *ark,
                        const struct authority *ask, struct view table_crl) {
    const bool root = c->ark != NULL, both = root && c->ask;

    if (root)
        root_check(in, c, ark);
    if (both)
        intermediate_check(in, c, ark, ask);
    if (both && c->vek)
        leaf_check(in, c, ark);
    if (c->root.outcome == OUT_GOOD && c->intermediate.outcome == OUT_GOOD) {
        cache_put(c->ark, ark->der, ark->spki, ark->der);
        cache_put(c->ask, ask->der, ask->spki, ark->der);
        c->trusted = c->leaf.outcome == OUT_GOOD;
    }
    if (c->trusted)
        crl_check_all(in, c, table_crl);
}

void chain_skip(struct chain *c, const char *why) {
    *c = (struct chain){0};
    finding_absent(&c->root, why);
    finding_absent(&c->intermediate, why);
    finding_absent(&c->leaf, why);
    finding_absent(&c->dates, why);
    finding_absent(&c->crl, why);
}

void chain_build(struct chain *c, const struct chain_input *in) {
    struct authority ark, ask;
    struct source s = {0};
    struct err e;

    chain_skip(c, "The certificate next to it in the chain is missing.");
    c->product = in->product;
    if (source_read(in, &s, &e)) {
        err_wrap(&e, "certificate table");
        bad(&c->leaf, &e);
        return;
    }
    c->vek =
        parse_or_say(s.vek, &c->leaf,
                     "No certificate of the report's key came with the evidence: the provider adds "
                     "it, or AMD's key server has it.");
    c->ask = authority_read(&ask, s.ask, &c->intermediate,
                            "No intermediate certificate came with the evidence.");
    c->ark = authority_read(&ark, s.ark, &c->root,
                            "No root certificate came with the evidence; its fingerprint is pinned "
                            "here.");
    if (!c->product && c->vek)
        c->product = product_by_issuer(c->vek, in->vlek);
    if (c->product)
        chain_steps(c, in, &ark, &ask, s.table_crl);
    dates_check(in, c);
}

void chain_free(struct chain *c) {
    X509_free(c->ark);
    X509_free(c->ask);
    X509_free(c->vek);
}
