#include "verify_files.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "attest/snp_cert.h"
#include "core/enc.h"
#include "core/hash.h"

#define REPORT_FILE_MAX ((size_t)65536)

/* PEM becomes DER; anything else stays as it is, for the verifier to judge. */
void verify_pem(struct buf *b) {
    static const char mark[] = "-----BEGIN ";
    BIO *bio;
    char *name = NULL, *header = NULL;
    uint8_t *der = NULL;
    long n = 0;

    if (b->n < sizeof mark || memcmp(b->p, mark, sizeof mark - 1) != 0)
        return;
    bio = BIO_new_mem_buf(b->p, (int)b->n);
    if (bio && PEM_read_bio(bio, &name, &header, &der, &n) == 1) {
        buf_reset(b);
        buf_add(b, der, (size_t)n);
    }
    ERR_clear_error();
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
}

static int take(const char *path, size_t max, struct buf *b, struct err *e) {
    if (!path)
        return 0;
    if (file_read(path, max, b, e))
        return -1;
    verify_pem(b);
    return 0;
}

static int take_hex(const char *hex, const char *option, uint8_t *out, size_t n, const uint8_t **to,
                    struct err *e) {
    if (!hex)
        return 0;
    if (!hex_decode_str(hex, out, n))
        return err_set(e, "usage", "%s wants %zu lower-case hex digits", option, 2 * n);
    *to = out;
    return 0;
}

int report_files_read(struct report_files *f, const struct report_paths *p, struct err *e) {
    *f = (struct report_files){0};
    if (take_hex(p->nonce, "--nonce", f->nonce, 64, &f->expect.report_data, e) ||
        take_hex(p->measurement, "--measurement", f->measurement, 48, &f->expect.measurement, e) ||
        file_read(p->report, REPORT_FILE_MAX, &f->report, e) ||
        take(p->vek, CERT_MAX, &f->vek, e) || take(p->ask, CERT_MAX, &f->ask, e) ||
        take(p->ark, CERT_MAX, &f->ark, e) ||
        (p->table && file_read(p->table, CERT_TABLE_MAX, &f->table, e)))
        return -1;
    for (size_t i = 0; i < p->n_crl; i++) {
        if (take(p->crl[i], CRL_MAX, &f->crl[i], e))
            return -1;
        f->collateral.crl[f->collateral.n_crl++] = buf_view(&f->crl[i]);
    }
    f->collateral.vek = buf_view(&f->vek);
    f->collateral.ask = buf_view(&f->ask);
    f->collateral.ark = buf_view(&f->ark);
    f->collateral.cert_table = buf_view(&f->table);
    return 0;
}

void report_files_free(struct report_files *f) {
    buf_free(&f->report);
    buf_free(&f->vek);
    buf_free(&f->ask);
    buf_free(&f->ark);
    buf_free(&f->table);
    for (size_t i = 0; i < COLLATERAL_CRLS; i++)
        buf_free(&f->crl[i]);
}

#ifdef CDVM_TEST_ROOTS
bool verify_test_root(const char *path) {
    cleanup_buf struct buf b = {0};
    uint8_t sha[32];
    struct err e;

    if (take(path, CERT_MAX, &b, &e))
        return false;
    sha256(buf_view(&b), sha);
    for (int p = PRODUCT_MILAN; p <= PRODUCT_TURIN; p++)
        roots_test_add((enum snp_product)p, sha);
    return true;
}
#endif
