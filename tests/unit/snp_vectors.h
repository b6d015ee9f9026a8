/* Running one vector through the verifier: shared by the tests over real and synthetic evidence. */
#ifndef CDVM_UNIT_SNP_VECTORS_H
#define CDVM_UNIT_SNP_VECTORS_H

#include "attest/evidence.h"
#include "attest/snp_report.h"
#include "core/hash.h"
#include "tests/unit/snp_files.h"

#define NOW ((int64_t)1795305600)      /* 2026-11-22 */
#define NOW_VLEK ((int64_t)1748736000) /* 2025-06-01: the real VLEK was valid then */

struct vector {
    struct buf report, vek, ask, ark, crl, table;
    uint8_t data[64], digest[48];
    bool has_expected;
};

static inline void vector_free(struct vector *v) {
    buf_free(&v->report);
    buf_free(&v->vek);
    buf_free(&v->ask);
    buf_free(&v->ark);
    buf_free(&v->crl);
    buf_free(&v->table);
}

/* dir/NAMEend under the SNP vectors. */
static inline void load(struct buf *b, const char *dir, const char *name, const char *end) {
    char rel[200];

    snprintf(rel, sizeof rel, "snp/%s/%s%s", dir, name, end);
    if (!vector_load(rel, b))
        fail_msg("cannot read %s", rel);
}

static inline void load_root(struct buf *b, const char *role, const char *family) {
    char name[64];

    snprintf(name, sizeof name, "%s_%s", role, family);
    load(b, "roots", name, ".der");
}

/* Takes what is expected from a report: its own fields, for positive tests. */
static inline void expect_from(struct vector *v, const struct buf *report) {
    memcpy(v->data, report->p + 0x50, 64);
    memcpy(v->digest, report->p + 0x90, 48);
    v->has_expected = true;
}

static inline struct verdict *verify(const struct vector *v, const struct policy *p, int64_t now) {
    struct snp_collateral c = {.vek = buf_view(&v->vek),
                               .ask = buf_view(&v->ask),
                               .ark = buf_view(&v->ark),
                               .cert_table = buf_view(&v->table)};
    const struct expect_report x = {.report_data = v->has_expected ? v->data : NULL,
                                    .measurement = v->has_expected ? v->digest : NULL};

    if (v->crl.n)
        c.crl[c.n_crl++] = buf_view(&v->crl);
    return evidence_verify_report(buf_view(&v->report), &c, &x, p, now);
}

/* Space-separated ids of the leaves in one state. */
static inline void ids_in(const struct check *c, enum check_state s, struct buf *out) {
    for (size_t i = 0; i < c->n_children; i++)
        ids_in(c->child[i], s, out);
    if (c->n_children || c->state != s)
        return;
    buf_fmt(out, "%s%s", out->n ? " " : "", c->id);
}

static inline bool has_word(const char *list, const char *word) {
    size_t n = strlen(word);

    for (const char *p = strstr(list, word); p; p = strstr(p + 1, word))
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

#endif
