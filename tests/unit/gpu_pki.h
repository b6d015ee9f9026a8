/* A device chain of our own, shaped like NVIDIA's, so that a test can spoil one thing of it. */
#ifndef CDVM_UNIT_GPU_PKI_H
#define CDVM_UNIT_GPU_PKI_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "attest/gpu_chain.h"
#include "core/hash.h"
#include "tests/unit/unit.h"

struct pki_row {
    const char *cn, *usage; /* "critical,keyCertSign" */
    bool ca;
    uint8_t serial[9];
    const char *curve; /* "P-384" */
    const EVP_MD *(*hash)(void);
    const char *from, *until; /* "20201017000000Z", "99991231235959Z" */
};

struct pki {
    struct pki_row row[GPU_CERTS];
    EVP_PKEY *key[GPU_CERTS];
    struct buf der[GPU_CERTS];
    struct view cert[GPU_CERTS];
    bool given[GPU_CERTS]; /* taken from another chain as they are */
    uint8_t root[32];
    struct view fwid; /* extension of certificate 0; empty for none */
};

static inline void pki_init(struct pki *p) {
    static const char *const cn[] = {"GH100 A01 GSP FMC LF", "GH100 A01 GSP BROM",
                                     "NVIDIA GH100 Provisioner ICA 1", "NVIDIA GH100 Identity",
                                     "NVIDIA Device Identity CA"};

    memset(p, 0, sizeof *p);
    for (int i = 0; i < GPU_CERTS; i++)
        p->row[i] = (struct pki_row){.cn = cn[i],
                                     .usage = i ? "critical,keyCertSign,cRLSign"
                                                : "critical,digitalSignature",
                                     .ca = i > 0,
                                     .serial = {0x41, 1, 2, 3, 4, 5, 6, 7, (uint8_t)i},
                                     .curve = "P-384",
                                     .hash = EVP_sha384,
                                     .from = "20201017000000Z",
                                     .until = "99991231235959Z"};
}

static inline void pki_free(struct pki *p) {
    for (int i = 0; i < GPU_CERTS; i++) {
        EVP_PKEY_free(p->key[i]);
        buf_free(&p->der[i]);
    }
}

static inline void pki_extension(X509 *x, int nid, const char *value) {
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(ext);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static inline void pki_fwid(X509 *x, const char *oid, struct view value) {
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *os = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    ASN1_OCTET_STRING_set(os, value.p, (int)value.n);
    ext = X509_EXTENSION_create_by_OBJ(NULL, obj, 0, os);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(os);
    ASN1_OBJECT_free(obj);
}

static inline X509 *pki_cert(const struct pki *p, int i) {
    const struct pki_row *row = &p->row[i];
    X509 *x = X509_new();
    BIGNUM *serial = BN_bin2bn(row->serial, sizeof row->serial, NULL);
    X509_NAME *name = X509_NAME_new();

    X509_set_version(x, X509_VERSION_3);
    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x));
    BN_free(serial);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(x), row->from), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(x), row->until), 1);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)row->cn, -1, -1, 0);
    X509_set_subject_name(x, name);
    X509_NAME_free(name);
    X509_set_pubkey(x, p->key[i]);
    if (row->usage)
        pki_extension(x, NID_key_usage, row->usage);
    if (row->ca)
        pki_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    if (!i && p->fwid.n)
        pki_fwid(x, "2.23.133.5.4.1", p->fwid);
    return x;
}

/* Makes keys and certificates of the rows; the same key pair is kept when called again. */
static inline void pki_make(struct pki *p) {
    for (int i = GPU_CERTS - 1; i >= 0; i--) {
        const int by = i == GPU_CERTS - 1 ? i : i + 1;
        uint8_t *der = NULL;
        X509 *x, *issuer;
        int n;

        if (p->given[i])
            continue;
        if (!p->key[i])
            p->key[i] = EVP_EC_gen(p->row[i].curve);
        x = pki_cert(p, i);
        issuer = pki_cert(p, by);
        X509_set_issuer_name(x, X509_get_subject_name(issuer));
        assert_true(X509_sign(x, p->key[by], p->row[i].hash()) > 0);
        n = i2d_X509(x, &der);
        buf_reset(&p->der[i]);
        buf_add(&p->der[i], der, (size_t)n);
        p->cert[i] = buf_view(&p->der[i]);
        OPENSSL_free(der);
        X509_free(x);
        X509_free(issuer);
    }
    sha256(p->cert[GPU_CERTS - 1], p->root);
}

/* Hangs p under the provisioner of another. */
static inline void pki_join(struct pki *p, const struct pki *other) {
    for (int i = 2; i < GPU_CERTS; i++) {
        EVP_PKEY_up_ref(other->key[i]);
        p->key[i] = other->key[i];
        buf_add(&p->der[i], other->der[i].p, other->der[i].n);
        p->cert[i] = buf_view(&p->der[i]);
        p->given[i] = true;
    }
}

#endif
