#include "hash.h"

#include <fcntl.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fetched once: OpenSSL 3.0's implicit fetch costs more than hashing a short message does. A
 * failure means a broken libcrypto; there is nothing sensible to continue with. */
static const EVP_MD *digest(size_t len) {
    static EVP_MD *md256, *md384;
    EVP_MD **md = len == SHA384_LEN ? &md384 : &md256;

    if (!*md)
        *md = EVP_MD_fetch(NULL, len == SHA384_LEN ? "SHA384" : "SHA256", NULL);
    if (!*md)
        abort();
    return *md;
}

static void must(int ok) {
    if (ok != 1)
        abort();
}

void sha256(struct view v, uint8_t out[static 32]) {
    must(EVP_Digest(v.p, v.n, out, NULL, digest(SHA256_LEN), NULL));
}

void sha384(struct view v, uint8_t out[static 48]) {
    must(EVP_Digest(v.p, v.n, out, NULL, digest(SHA384_LEN), NULL));
}

struct sha {
    EVP_MD_CTX *ctx;
};

struct sha *sha_new(size_t digest_len) {
    struct sha *s = mem_new(sizeof *s);

    s->ctx = EVP_MD_CTX_new();
    must(s->ctx && EVP_DigestInit_ex(s->ctx, digest(digest_len), NULL));
    return s;
}

void sha_add(struct sha *s, struct view v) {
    must(EVP_DigestUpdate(s->ctx, v.p, v.n));
}

void sha_end(struct sha *s, uint8_t *out) {
    must(EVP_DigestFinal_ex(s->ctx, out, NULL));
}

void sha_free(struct sha *s) {
    if (!s)
        return;
    EVP_MD_CTX_free(s->ctx);
    free(s);
}

static void cleanup_sha_fn(struct sha **s) {
    sha_free(*s);
}

int sha256_file(const char *path, uint8_t out[static 32], struct err *e) {
    __attribute__((cleanup(cleanup_sha_fn))) struct sha *s = sha_new(SHA256_LEN);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    uint8_t chunk[65536];
    ssize_t n;

    if (fd < 0)
        return err_sys(e, errno, "cannot open '%s'", path);
    while ((n = read(fd, chunk, sizeof chunk)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(e, errno, "cannot read '%s'", path);
        sha_add(s, view_of(chunk, (size_t)n));
    }
    sha_end(s, out);
    return 0;
}

static EVP_MAC_CTX *hmac_new(struct view key) {
    static EVP_MAC *mac;
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *ctx;

    if (!mac)
        mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    /* An empty key must still be a key: NULL would mean "keep the old one". */
    must(ctx && EVP_MAC_init(ctx, key.n ? key.p : (const uint8_t *)"", key.n, params));
    return ctx;
}

static void hmac_parts(struct view key, const struct view *part, size_t n, uint8_t out[static 32]) {
    EVP_MAC_CTX *ctx = hmac_new(key);
    size_t len;

    for (size_t i = 0; i < n; i++)
        must(EVP_MAC_update(ctx, part[i].p, part[i].n));
    must(EVP_MAC_final(ctx, out, &len, 32));
    EVP_MAC_CTX_free(ctx);
}

void hmac_sha256(struct view key, struct view msg, uint8_t out[static 32]) {
    hmac_parts(key, &msg, 1, out);
}

void hkdf_extract(struct view salt, struct view ikm, uint8_t prk[static 32]) {
    hmac_sha256(salt, ikm, prk);
}

void hkdf_expand(const uint8_t prk[static 32], struct view info, uint8_t *out, size_t n) {
    uint8_t t[32], counter = 0;
    size_t t_len = 0;

    if (n > 255 * sizeof t)
        abort(); /* RFC 5869 2.3 */
    while (n) {
        size_t take = n < sizeof t ? n : sizeof t;

        counter++;
        hmac_parts(view_of(prk, 32), (struct view[]){view_of(t, t_len), info, view_of(&counter, 1)},
                   3, t);
        t_len = sizeof t;
        memcpy(out, t, take);
        out += take;
        n -= take;
    }
    explicit_bzero(t, sizeof t);
}

int list_encode(struct buf *out, const char *tag, const struct view *fields, size_t n,
                struct err *e) {
    buf_add(out, tag, strlen(tag) + 1);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].n > UINT16_MAX)
            return err_set(e, "too-large", "field %zu of %s has %zu bytes, over 65535", i + 1, tag,
                           fields[i].n);
        buf_u16be(out, (uint16_t)fields[i].n);
        buf_add(out, fields[i].p, fields[i].n);
    }
    if (out->full)
        return err_set(e, "too-large", "%s does not fit its buffer", tag);
    return 0;
}

static void merkle_node(const uint8_t l[32], const uint8_t r[32], uint8_t out[static 32]) {
    uint8_t b[65] = {0x01};

    memcpy(b + 1, l, 32);
    memcpy(b + 33, r, 32);
    sha256(view_of(b, sizeof b), out);
}

static void merkle_leaf(const uint8_t id[32], uint8_t out[static 32]) {
    uint8_t b[33] = {0x00};

    memcpy(b + 1, id, 32);
    sha256(view_of(b, sizeof b), out);
}

/* The largest power of two below n. */
static size_t merkle_split(size_t n) {
    size_t k = 1;

    while (k < n - k)
        k *= 2;
    return k;
}

/* RFC 9162 2.1.1: depth is log2(n). */
void merkle_root(const uint8_t (*leaves)[32], size_t n, uint8_t out[static 32]) {
    uint8_t l[32], r[32];
    size_t k;

    if (n == 0) {
        sha256(view_of(NULL, 0), out);
        return;
    }
    if (n == 1) {
        merkle_leaf(leaves[0], out);
        return;
    }
    k = merkle_split(n);
    merkle_root(leaves, k, l);
    merkle_root(leaves + k, n - k, r);
    merkle_node(l, r, out);
}

size_t merkle_path(const uint8_t (*leaves)[32], size_t n, size_t i,
                   uint8_t path[static MERKLE_PATH_MAX][32]) {
    const size_t k = n > 1 ? merkle_split(n) : 0;
    size_t depth;

    if (n <= 1)
        return 0;
    if (i < k) {
        depth = merkle_path(leaves, k, i, path);
        merkle_root(leaves + k, n - k, path[depth]);
    } else {
        depth = merkle_path(leaves + k, n - k, i - k, path);
        merkle_root(leaves, k, path[depth]);
    }
    return depth + 1;
}

bool merkle_proves(const uint8_t leaf[static 32], uint64_t i, uint64_t n, const uint8_t (*path)[32],
                   size_t n_path, const uint8_t root[static 32]) {
    uint64_t at = i, last = n - 1;
    uint8_t hash[32];

    if (i >= n)
        return false;
    merkle_leaf(leaf, hash);
    for (size_t k = 0; k < n_path; k++) {
        if (last == 0)
            return false;
        if ((at & 1) || at == last) {
            merkle_node(path[k], hash, hash);
            while (!(at & 1) && at) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            merkle_node(hash, path[k], hash);
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && !memcmp(hash, root, 32);
}
