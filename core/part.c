#include "part.h"

#include <string.h>

#include <openssl/evp.h>

#include "hash.h"

static void put_be(uint8_t *out, uint64_t v, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(v >> 8 * (n - 1 - i));
}

static void place_iv(const struct part_place *p, uint8_t iv[static 12]) {
    memcpy(iv, p->iv, 12);
    if (p->count > 1)
        put_be(iv + 8, p->index, 4);
}

static int place_aad(const struct part_place *p, struct buf *out, struct err *e) {
    uint8_t index[4], count[4], total[8];
    struct view f[] = {view_of(index, 4), view_of(count, 4), view_of(total, 8)};

    if (p->count == 1)
        return 0;
    put_be(index, p->index, 4);
    put_be(count, p->count, 4);
    put_be(total, p->total, 8);
    return list_encode(out, "cdvm/1/part", f, COUNT(f), e);
}

/* Key, IV and AAD set; NULL on error. */
static EVP_CIPHER_CTX *gcm_new(const struct part_place *p, int encrypt, struct err *e) {
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    cleanup_buf struct buf aad = {0};
    uint8_t iv[12];
    int n;

    place_iv(p, iv);
    if (c && place_aad(p, &aad, e) == 0 &&
        EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, p->key, iv, encrypt) == 1 &&
        (aad.n == 0 || EVP_CipherUpdate(c, NULL, &n, aad.p, (int)aad.n) == 1))
        return c;
    EVP_CIPHER_CTX_free(c);
    err_set(e, "internal", "cannot set up AES-256-GCM");
    return NULL;
}

/* Appends the transformation of n bytes in steps; p NULL stands for zeros. */
static bool gcm_add(EVP_CIPHER_CTX *c, const uint8_t *p, size_t n, struct buf *out) {
    static const uint8_t zeros[4096];
    uint8_t step[sizeof zeros];
    int got;

    while (n > 0) {
        size_t k = n < sizeof step ? n : sizeof step;

        if (EVP_CipherUpdate(c, step, &got, p ? p : zeros, (int)k) != 1)
            return false;
        buf_add(out, step, (size_t)got);
        if (p)
            p += k;
        n -= k;
    }
    explicit_bzero(step, sizeof step);
    return !out->full;
}

int part_seal(const struct part_place *p, struct view data, size_t zeros, struct buf *out,
              struct err *e) {
    EVP_CIPHER_CTX *c = gcm_new(p, 1, e);
    uint8_t tag[PART_TAG], none[16];
    bool ok;
    int n;

    if (!c)
        return -1;
    ok = gcm_add(c, data.p, data.n, out) && gcm_add(c, NULL, zeros, out) &&
         EVP_CipherFinal_ex(c, none, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!ok)
        return err_set(e, "internal", "cannot encrypt %zu bytes", data.n);
    buf_add(out, tag, sizeof tag);
    return 0;
}

static bool gcm_check(EVP_CIPHER_CTX *c, struct view tag) {
    uint8_t copy[PART_TAG], none[16];
    int n;

    memcpy(copy, tag.p, sizeof copy);
    return EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, sizeof copy, copy) == 1 &&
           EVP_CipherFinal_ex(c, none, &n) == 1;
}

int part_open(const struct part_place *p, struct view sealed, struct buf *out, struct err *e) {
    size_t before = out->n, n = sealed.n - PART_TAG;
    EVP_CIPHER_CTX *c;
    bool ok;

    if (sealed.n < PART_TAG)
        return err_set(e, "bad-file", "a part of %zu bytes has no tag", sealed.n);
    c = gcm_new(p, 0, e);
    if (!c)
        return -1;
    ok = gcm_add(c, sealed.p, n, out) && gcm_check(c, view_of(sealed.p + n, PART_TAG));
    EVP_CIPHER_CTX_free(c);
    if (ok)
        return 0;
    if (out->n > before)
        explicit_bzero(out->p + before, out->n - before);
    out->n = before;
    return err_set(e, "bad-file", "part %u does not decrypt: it is not what was sent", p->index);
}
