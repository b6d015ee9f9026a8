/* The captured evidence of GPUs for unit tests: loading it, and certificates out of PEM. */
#ifndef CDVM_UNIT_GPU_VECTORS_H
#define CDVM_UNIT_GPU_VECTORS_H

#include <openssl/pem.h>

#include "attest/gpu_report.h"
#include "tests/unit/snp_files.h"

static inline bool gpu_load(const char *rel, struct buf *out) {
    char path[200];

    snprintf(path, sizeof path, "gpu/%s", rel);
    return vector_load(path, out);
}

/* False when the vectors are not there; a single missing one fails. */
static inline bool gpu_vectors(void) {
    return vector_path("gpu/MANIFEST.md") != NULL;
}

/* The n-th certificate of a PEM file as DER. */
static inline void gpu_pem(const struct buf *pem, int n, struct buf *der) {
    BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
    char *name = NULL, *header = NULL;
    uint8_t *p = NULL;
    long len = 0;

    for (int i = 0; i <= n; i++) {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(p);
        assert_int_equal(PEM_read_bio(bio, &name, &header, &p, &len), 1);
    }
    buf_reset(der);
    buf_add(der, p, (size_t)len);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(p);
    BIO_free(bio);
}

static inline X509 *gpu_cert(const struct buf *pem, int n) {
    cleanup_buf struct buf der = {0};
    const uint8_t *p;
    X509 *x;

    gpu_pem(pem, n, &der);
    p = der.p;
    x = d2i_X509(NULL, &p, (long)der.n);
    assert_non_null(x);
    return x;
}

#endif
