#include "nip49.h"

#include <string.h>

#include "aead.h"
#include "nip19.h"
#include "reader.h"

#define VERSION 2
#define HRP "ncryptsec"

_Static_assert(sizeof(((struct nip49 *)0)->nonce) == AEAD_NONCE &&
                   sizeof(((struct nip49 *)0)->sealed) == 32 + AEAD_TAG,
               "91 bytes in all");

static bool blank(uint8_t c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static struct view trim(struct view v) {
    while (v.n && blank(v.p[v.n - 1]))
        v.n--;
    for (; v.n && blank(*v.p); v.n--)
        v.p++;
    return v;
}

static int take(struct view data, struct nip49 *out, struct err *e) {
    struct reader r = reader_new(data);
    uint8_t version = reader_u8(&r), past;

    if (reader_ok(&r) && version != VERSION)
        return err_set(e, "unsupported", "an ncryptsec of version %u; only %d is known", version,
                       VERSION);
    out->log_n = reader_u8(&r);
    reader_copy(&r, out->salt, sizeof out->salt);
    reader_copy(&r, out->nonce, sizeof out->nonce);
    past = reader_u8(&r);
    reader_copy(&r, out->sealed, sizeof out->sealed);
    if (!reader_done(&r) || past > NIP49_UNTOLD)
        return err_set(e, "bad-key", "an ncryptsec of %zu bytes that does not follow NIP-49",
                       data.n);
    out->past = (enum nip49_past)past;
    if (out->log_n < 1 || out->log_n > PASSPHRASE_LOG_N_MAX)
        return err_set(e, "too-costly",
                       "this ncryptsec asks for scrypt with log_n %u; at most %d (%u MiB) is done "
                       "here",
                       out->log_n, PASSPHRASE_LOG_N_MAX, 1u << (PASSPHRASE_LOG_N_MAX - 10));
    return 0;
}

int nip49_parse(struct view text, struct nip49 *out, struct err *e) {
    cleanup_buf struct buf data = {0};
    char hrp[84];

    *out = (struct nip49){0};
    if (bech32_decode(trim(text), hrp, &data, e))
        return -1;
    if (strcmp(hrp, HRP) != 0)
        return err_set(e, "bad-key", "it begins with '%.20s', not with '" HRP "'", hrp);
    return take(buf_view(&data), out, e);
}

struct keypair *nip49_open(const struct nip49 *n, struct view passphrase, struct err *e) {
    cleanup_secret struct secret *key = passphrase_key(passphrase, n->salt, n->log_n, e);
    struct buf scalar = {.max = 32};
    const uint8_t past = (uint8_t)n->past;
    struct keypair *k = NULL;

    if (!key)
        return NULL;
    if (aead_open(key, n->nonce, view_of(&past, 1), view_of(n->sealed, sizeof n->sealed), &scalar))
        k = keypair_from(scalar.p, e);
    else
        err_set(e, "wrong-passphrase", "the passphrase is wrong, or the key's text was altered");
    buf_wipe(&scalar);
    return k;
}

int nip49_write(const struct keypair *k, struct view passphrase, enum nip49_past past,
                struct buf *out, struct err *e) {
    const uint8_t ad = (uint8_t)past;
    cleanup_buf struct buf data = {0};
    uint8_t salt[PASSPHRASE_SALT], nonce[AEAD_NONCE];
    cleanup_secret struct secret *key = NULL;

    random_bytes(salt, sizeof salt);
    random_bytes(nonce, sizeof nonce);
    if (!(key = passphrase_key(passphrase, salt, PASSPHRASE_LOG_N, e)))
        return -1;
    buf_u8(&data, VERSION);
    buf_u8(&data, PASSPHRASE_LOG_N);
    buf_add(&data, salt, sizeof salt);
    buf_add(&data, nonce, sizeof nonce);
    buf_u8(&data, ad);
    aead_seal(key, nonce, view_of(&ad, 1), view_of(secret_get(keypair_secret(k)), 32), &data);
    return bech32_encode(HRP, buf_view(&data), out, e);
}
