#include "key.h"

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdlib.h>
#include <string.h>

#include "enc.h"

/* All in one mapping: a wrap makes a key, and each mapping costs as much as hashing the wrap. */
struct keypair {
    struct secret *box;    /* scalar, then secp256k1_keypair, so that signing need not derive it */
    struct secret *scalar; /* part of box */
    uint8_t pub[32];
};

/* One context for the process, blinded against side channels with fresh randomness. */
static const secp256k1_context *curve(void) {
    static secp256k1_context *ctx;
    uint8_t seed[32];

    if (ctx)
        return ctx;
    ctx = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    random_bytes(seed, sizeof seed);
    if (!ctx || !secp256k1_context_randomize(ctx, seed))
        abort();
    explicit_bzero(seed, sizeof seed);
    return ctx;
}

static secp256k1_keypair *pair_of(const struct keypair *k) {
    return (secp256k1_keypair *)(secret_edit(k->box) + 32);
}

static struct keypair *blank(void) {
    struct keypair *k = mem_new(sizeof *k);

    k->box = secret_new(32 + sizeof(secp256k1_keypair));
    k->scalar = secret_part(k->box, 0, 32);
    return k;
}

/* False when the scalar is zero or not below the order of the group. */
static bool derive(struct keypair *k) {
    secp256k1_xonly_pubkey point;

    if (!secp256k1_keypair_create(curve(), pair_of(k), secret_get(k->scalar)))
        return false;
    if (!secp256k1_keypair_xonly_pub(curve(), &point, NULL, pair_of(k)) ||
        !secp256k1_xonly_pubkey_serialize(curve(), k->pub, &point))
        abort();
    return true;
}

struct keypair *keypair_new(void) {
    struct keypair *k = blank();

    do
        random_bytes(secret_edit(k->scalar), 32);
    while (!derive(k)); /* once in 2^128 */
    return k;
}

struct keypair *keypair_from(const uint8_t sk[static 32], struct err *e) {
    struct keypair *k = blank();

    memcpy(secret_edit(k->scalar), sk, 32);
    if (derive(k))
        return k;
    err_set(e, "bad-key", "the secret key is zero or not below the order of the curve");
    keypair_free(k);
    return NULL;
}

static struct keypair *from_nsec(struct view text, struct err *e) {
    struct keypair *k = NULL;
    struct nip19 n;

    if (nip19_decode(text, &n, e))
        return NULL;
    if (n.type == NIP19_NSEC)
        k = keypair_from(n.id, e);
    else
        err_set(e, "bad-key", "it is not an nsec");
    nip19_free(&n);
    return k;
}

struct keypair *keypair_parse(struct view text, struct err *e) {
    struct keypair *k;
    uint8_t sk[32];

    if (text.n != 64 || !hex_decode(text, sk, sizeof sk))
        return from_nsec(text, e);
    k = keypair_from(sk, e);
    explicit_bzero(sk, sizeof sk);
    return k;
}

const uint8_t *keypair_pub(const struct keypair *k) {
    return k->pub;
}

const struct secret *keypair_secret(const struct keypair *k) {
    return k->scalar;
}

void keypair_free(struct keypair *k) {
    if (!k)
        return;
    secret_free(k->scalar);
    secret_free(k->box);
    free(k);
}

void keypair_sign(const struct keypair *k, const uint8_t msg[static 32], uint8_t sig[static 64]) {
    uint8_t aux[32];

    random_bytes(aux, sizeof aux);
    if (!secp256k1_schnorrsig_sign32(curve(), sig, msg, pair_of(k), aux))
        abort();
    explicit_bzero(aux, sizeof aux);
}

bool schnorr_verify(const uint8_t pub[static 32], struct view msg, const uint8_t sig[static 64]) {
    static const uint8_t nothing[1];
    secp256k1_xonly_pubkey point;

    return secp256k1_xonly_pubkey_parse(curve(), &point, pub) &&
           secp256k1_schnorrsig_verify(curve(), sig, msg.n ? msg.p : nothing, msg.n, &point);
}

static int copy_x(unsigned char *out, const unsigned char *x, const unsigned char *y, void *data) {
    (void)y;
    (void)data;
    memcpy(out, x, 32);
    return 1;
}

int keypair_ecdh(const struct keypair *mine, const uint8_t peer[static 32], uint8_t x[static 32],
                 struct err *e) {
    uint8_t even[33] = {0x02}; /* BIP-340: the point with the even y */
    secp256k1_pubkey point;

    memset(x, 0, 32);
    memcpy(even + 1, peer, 32);
    if (!secp256k1_ec_pubkey_parse(curve(), &point, even, sizeof even))
        return err_set(e, "bad-key", "the public key is not a point of the curve");
    if (!secp256k1_ecdh(curve(), x, &point, secret_get(mine->scalar), copy_x, NULL))
        abort(); /* the scalar was checked in derive */
    return 0;
}
