#include "nip44.h"
#include "enc.h"
#include "hash.h"
#include "reader.h"
#include "text.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 2
#define NONCE_LEN 32
#define MAC_LEN 32
#define LONG_FROM ((size_t)65536) /* from here the prefix is 00 00 || u32 */
#define PAYLOAD_MIN ((size_t)132)
#define RAW_MIN ((size_t)99)

struct message_keys {
    uint8_t chacha_key[32], chacha_nonce[12], hmac_key[32];
};
_Static_assert(sizeof(struct message_keys) == 76, "HKDF output is cut without padding");

int nip44_conversation(const struct keypair *mine, const uint8_t peer[static 32],
                       struct nip44_key *out, struct err *e) {
    uint8_t x[32];
    int rc = keypair_ecdh(mine, peer, x, e);

    *out = (struct nip44_key){0};
    if (rc == 0)
        hkdf_extract(view_str("nip44-v2"), view_of(x, sizeof x), out->k);
    explicit_bzero(x, sizeof x);
    return rc;
}

size_t nip44_padded_len(size_t n) {
    uint64_t next, chunk;

    if (n <= 32)
        return 32;
    next = (uint64_t)2 << (63 - __builtin_clzll((uint64_t)n - 1));
    chunk = next <= 256 ? 32 : next / 8;
    return (size_t)(chunk * (((uint64_t)n - 1) / chunk + 1));
}

static struct message_keys message_keys(const struct nip44_key *k, const uint8_t *nonce) {
    struct message_keys m;

    hkdf_expand(k->k, view_of(nonce, NONCE_LEN), (uint8_t *)&m, sizeof m);
    return m;
}

/* In place. OpenSSL's IV is the 4-byte block counter (0) and the 12-byte nonce of RFC 8439. */
static void chacha20(const struct message_keys *m, uint8_t *p, size_t n) {
    static EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t iv[16] = {0};
    int done;

    memcpy(iv + 4, m->chacha_nonce, sizeof m->chacha_nonce);
    if (!cipher)
        cipher = EVP_CIPHER_fetch(NULL, "ChaCha20", NULL);
    if (!cipher || !ctx || n > INT32_MAX ||
        EVP_EncryptInit_ex2(ctx, cipher, m->chacha_key, iv, NULL) != 1 ||
        EVP_EncryptUpdate(ctx, p, &done, p, (int)n) != 1)
        abort();
    EVP_CIPHER_CTX_free(ctx);
}

/* mac = HMAC(hmac_key, nonce || ciphertext); the two lie side by side in a payload. */
static void payload_mac(const struct message_keys *m, struct view nonce_and_text, uint8_t *mac) {
    hmac_sha256(view_of(m->hmac_key, sizeof m->hmac_key), nonce_and_text, mac);
}

static void put_prefix(struct buf *b, size_t n) {
    if (n >= LONG_FROM) {
        buf_u16be(b, 0);
        buf_u16be(b, (uint16_t)(n >> 16));
    }
    buf_u16be(b, (uint16_t)n);
}

/* version || nonce || prefix || plaintext || zeroes, then encrypted in place and the MAC added. */
static void seal(const struct message_keys *m, const uint8_t *nonce, struct view plain,
                 struct buf *raw) {
    static const uint8_t zero[256];
    size_t text_at = 1 + NONCE_LEN;
    uint8_t mac[MAC_LEN];

    buf_u8(raw, VERSION);
    buf_add(raw, nonce, NONCE_LEN);
    put_prefix(raw, plain.n);
    buf_add(raw, plain.p, plain.n);
    for (size_t pad = nip44_padded_len(plain.n) - plain.n; pad;) {
        size_t n = pad < sizeof zero ? pad : sizeof zero;

        buf_add(raw, zero, n);
        pad -= n;
    }
    chacha20(m, raw->p + text_at, raw->n - text_at);
    payload_mac(m, view_of(raw->p + 1, raw->n - 1), mac);
    buf_add(raw, mac, sizeof mac);
}

int nip44_encrypt(const struct nip44_key *k, struct view plain, const uint8_t *nonce,
                  struct buf *out, struct err *e) {
    uint8_t fresh[NONCE_LEN];
    struct message_keys m;
    struct buf raw = {0};

    if (plain.n == 0)
        return err_set(e, "bad-request", "an empty text cannot be encrypted (NIP-44)");
    if (plain.n > NIP44_SEND_MAX)
        return err_set(e, "too-large", "%zu bytes to encrypt, at most %zu are sent", plain.n,
                       NIP44_SEND_MAX);
    if (!nonce) {
        random_bytes(fresh, sizeof fresh);
        nonce = fresh;
    }
    m = message_keys(k, nonce);
    seal(&m, nonce, plain, &raw);
    base64_encode(buf_view(&raw), out);
    explicit_bzero(&m, sizeof m);
    buf_wipe(&raw);
    return out->full ? err_set(e, "too-large", "the payload does not fit its buffer") : 0;
}

static int bad(struct err *e, const char *why) {
    return err_set(e, "bad-payload", "cannot decrypt: %s", why);
}

/* Canonical padding: the one length form for its value, zeroes up to exactly the padded length. */
static int unpad(struct view padded, struct view *plain, struct err *e) {
    struct reader r = reader_new(padded);
    size_t n = reader_u16be(&r);
    bool extended = n == 0;
    uint8_t rest = 0;

    if (extended)
        n = reader_u32be(&r);
    if (!reader_ok(&r) || n == 0 || (extended && n < LONG_FROM))
        return bad(e, "the length of the text is not in its one form");
    if (r.left != nip44_padded_len(n))
        return bad(e, "the padding does not fit the length");
    *plain = reader_take(&r, n);
    while (r.left)
        rest |= reader_u8(&r);
    if (rest)
        return bad(e, "the padding is not zero");
    return utf8_valid(*plain) ? 0 : bad(e, "the text is not UTF-8");
}

static int open_raw(const struct nip44_key *k, struct buf *raw, struct buf *out, struct err *e) {
    size_t text_at = 1 + NONCE_LEN, text_len;
    uint8_t mac[MAC_LEN];
    struct message_keys m;
    struct view plain;
    int rc;

    if (raw->n < RAW_MIN)
        return bad(e, "the payload is too short");
    if (raw->p[0] != VERSION)
        return err_set(e, "unsupported", "cannot decrypt: version %u, only 2 is known", raw->p[0]);
    text_len = raw->n - text_at - MAC_LEN;
    m = message_keys(k, raw->p + 1);
    payload_mac(&m, view_of(raw->p + 1, NONCE_LEN + text_len), mac);
    if (!secret_eq(mac, raw->p + text_at + text_len, MAC_LEN)) {
        explicit_bzero(&m, sizeof m);
        return bad(e, "the authentication code is wrong (another key, or altered)");
    }
    chacha20(&m, raw->p + text_at, text_len);
    explicit_bzero(&m, sizeof m);
    rc = unpad(view_of(raw->p + text_at, text_len), &plain, e);
    if (rc == 0)
        buf_add(out, plain.p, plain.n);
    return out->full ? err_set(e, "too-large", "the text does not fit its buffer") : rc;
}

int nip44_decrypt(const struct nip44_key *k, struct view payload, struct buf *out, struct err *e) {
    struct buf raw = {0};
    int rc;

    if (payload.n && payload.p[0] == '#')
        return err_set(e, "unsupported", "cannot decrypt: a version that is not base64");
    if (payload.n < PAYLOAD_MIN)
        return bad(e, "the payload is too short");
    if (payload.n > NIP44_PAYLOAD_MAX)
        return err_set(e, "too-large", "cannot decrypt: a payload of %zu characters, over %zu",
                       payload.n, NIP44_PAYLOAD_MAX);
    if (!base64_decode(payload, &raw))
        rc = bad(e, "the payload is not canonical base64");
    else
        rc = open_raw(k, &raw, out, e);
    buf_wipe(&raw);
    return rc;
}
