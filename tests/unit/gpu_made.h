/* A GPU of our own: a chain shaped like NVIDIA's under a root made here, and reports by its key. */
#ifndef CDVM_UNIT_GPU_MADE_H
#define CDVM_UNIT_GPU_MADE_H

#include "attest/gpu_report.h"
#include "attest/roots.h"
#include "tests/unit/gpu_pki.h"

struct made_field {
    uint16_t type;
    const char *p;
    size_t n;
};
struct made_gpu {
    struct pki pki;
    struct buf report;
    struct gpu_evidence ev;
    const char *arch;
    struct made_field field[16]; /* by place; n 0 and p NULL: left out */
    size_t n_fields;
    uint8_t fwid[48];
    char composite[90]; /* extension of certificate 0 */
};

static inline void made_u16(struct buf *b, size_t n) {
    buf_u8(b, (uint8_t)n);
    buf_u8(b, (uint8_t)(n >> 8));
}

static inline void made_set(struct made_gpu *m, uint16_t type, const char *p, size_t n) {
    size_t i = 0;

    while (i < m->n_fields && m->field[i].type != type)
        i++;
    m->n_fields += i == m->n_fields;
    m->field[i] = (struct made_field){type, p, n};
}

static inline void made_sign(struct made_gpu *m) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[128], raw[96];
    const uint8_t *p = der;
    size_t n = sizeof der;
    ECDSA_SIG *sig;

    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, m->pki.key[0]), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &n, m->report.p, m->report.n), 1);
    sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 48);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 48, 48);
    buf_add(&m->report, raw, sizeof raw);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
}

/* Writes and signs the report anew, over this nonce. */
static inline void made_report(struct made_gpu *m, const uint8_t nonce[static 32]) {
    static const uint8_t zero[48];
    struct buf *b = &m->report, opaque = {0};

    buf_reset(b);
    buf_add(b, "\x11\xe0\x01\xff", 4);
    buf_add(b, nonce, 32);
    buf_add(b, "\0\x11\x60\0\0\x02\x6e\0\0", 9);
    for (uint8_t i = 1; i <= 2; i++) {
        const uint8_t head[] = {i, 1, 51, 0, 1, 48, 0};

        buf_add(b, head, sizeof head);
        buf_add(b, zero, sizeof zero);
    }
    buf_add(b, zero, 32);
    for (size_t i = 0; i < m->n_fields; i++) {
        if (!m->field[i].p)
            continue;
        made_u16(&opaque, m->field[i].type);
        made_u16(&opaque, m->field[i].n);
        buf_add(&opaque, m->field[i].p, m->field[i].n);
    }
    made_u16(b, opaque.n);
    buf_add(b, opaque.p, opaque.n);
    buf_free(&opaque);
    made_sign(m);
    m->ev = (struct gpu_evidence){.arch = m->arch, .report = buf_view(b), .state = {1, 0, 2, 0}};
    memcpy(m->ev.cert, m->pki.cert, sizeof m->ev.cert);
}

/* made_report gives it certificates of pki_make: call that first. */
static inline void made_init(struct made_gpu *m, uint8_t device) {
    static const uint8_t head[] = {0x30, 0x46, 0x02, 0x01, 0x01, 0x30, 0x02, 0x05,
                                   0x00, 0x30, 0x3d, 0x06, 0x09, 0x60, 0x86, 0x48,
                                   0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x04, 0x30};

    memset(m, 0, sizeof *m);
    m->arch = "HOPPER";
    pki_init(&m->pki);
    m->pki.row[1].serial[8] = device;
    memset(m->fwid, 0xf1, sizeof m->fwid);
    memcpy(m->composite, head, sizeof head);
    memcpy(m->composite + sizeof head, m->fwid, sizeof m->fwid);
    m->pki.fwid = view_of(m->composite, sizeof head + sizeof m->fwid);
    made_set(m, GF_DRIVER_VERSION, "550.90.07", 10);
    made_set(m, GF_VBIOS_VERSION, "\x00\x9f\x00\x96\x01\0\0\0", 8);
    made_set(m, GF_PROJECT, "1010", 5);
    made_set(m, GF_PROJECT_SKU, "0200", 5);
    made_set(m, GF_CHIP_SKU, "882", 4);
    made_set(m, GF_NVDEC0, "\x55", 1);
    made_set(m, GF_FWID, (const char *)m->fwid, sizeof m->fwid);
    made_set(m, GF_PROTECTED_PCIE, "\x55", 1);
}

static inline void made_free(struct made_gpu *m) {
    pki_free(&m->pki);
    buf_free(&m->report);
}

#endif
