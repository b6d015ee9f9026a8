#include "aead.h"

#include <sodium.h>
#include <stdlib.h>

_Static_assert(AEAD_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   AEAD_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   AEAD_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "libsodium's sizes");

static const uint8_t *key_of(const struct secret *key) {
    if (sodium_init() < 0 || secret_len(key) != AEAD_KEY)
        abort();
    return secret_get(key);
}

void aead_seal(const struct secret *key, const uint8_t nonce[static AEAD_NONCE], struct view ad,
               struct view plain, struct buf *out) {
    const uint8_t *k = key_of(key);
    uint8_t *sealed = mem_new(plain.n + AEAD_TAG);

    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, plain.p, plain.n, ad.p, ad.n, NULL,
                                               nonce, k);
    buf_add(out, sealed, plain.n + AEAD_TAG);
    free(sealed);
}

bool aead_open(const struct secret *key, const uint8_t nonce[static AEAD_NONCE], struct view ad,
               struct view sealed, struct buf *out) {
    const uint8_t *k = key_of(key);
    struct buf plain = {0};
    bool ok;

    if (sealed.n < AEAD_TAG)
        return false;
    plain.n = sealed.n - AEAD_TAG;
    plain.cap = plain.n + 1;
    plain.p = mem_new(plain.cap);
    ok = crypto_aead_xchacha20poly1305_ietf_decrypt(plain.p, NULL, NULL, sealed.p, sealed.n, ad.p,
                                                    ad.n, nonce, k) == 0;
    if (ok)
        buf_add(out, plain.p, plain.n);
    buf_wipe(&plain);
    return ok;
}
