/* NIP-44 and gift wraps of 1 KB, beside the bare libsecp256k1 calls that they cannot do without. */
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <string.h>

#include "core/enc.h"
#include "core/nip44.h"
#include "core/wrap.h"
#include "tests/bench/bench.h"

#define NOW INT64_C(1763800000)
#define MUST(cond)                                                                                 \
    do                                                                                             \
        if (!(cond))                                                                               \
            abort();                                                                               \
    while (0)

struct work {
    struct keypair *a, *b;
    struct wrap_keys *a_keys, *b_keys;
    struct nip44_key key;
    struct view text; /* 1 KB, or more */
    struct rumor *rumor;
    struct buf wrap; /* event from a to b */
    /* for the bare calls */
    secp256k1_context *curve;
    secp256k1_keypair pair;
    uint8_t sk[32], pub[32], msg[32], sig[64];
};

static void nip44_both_ways(void *arg) {
    struct work *w = arg;
    cleanup_buf struct buf payload = {0}, plain = {0};

    MUST(nip44_encrypt(&w->key, w->text, NULL, &payload, NULL) == 0);
    MUST(nip44_decrypt(&w->key, buf_view(&payload), &plain, NULL) == 0);
    MUST(plain.n == w->text.n);
}

static void nip44_fresh_keys(void *arg) {
    struct work *w = arg, copy = *w;

    MUST(nip44_conversation(w->a, keypair_pub(w->b), &copy.key, NULL) == 0);
    MUST(nip44_conversation(w->b, keypair_pub(w->a), &copy.key, NULL) == 0);
    nip44_both_ways(&copy);
}

static void make(struct work *w, struct wrap_keys *keys) {
    cleanup_buf struct buf text = {0};
    struct event *ev = wrap_make(w->rumor, w->a, keys, keypair_pub(w->b), KIND_WRAP, NOW, 0, NULL);

    MUST(ev);
    event_json(ev, &text);
    event_free(ev);
}

static void wrap_plain(void *arg) {
    make(arg, NULL);
}

static void wrap_cached(void *arg) {
    make(arg, ((struct work *)arg)->a_keys);
}

static void unwrap(struct work *w, struct wrap_keys *keys) {
    struct event *ev = event_parse(buf_view(&w->wrap), NULL);
    struct rumor *r = ev ? wrap_open(ev, w->b, keys, NULL) : NULL;

    MUST(r);
    rumor_free(r);
    event_free(ev);
}

static void unwrap_plain(void *arg) {
    unwrap(arg, NULL);
}

static void unwrap_cached(void *arg) {
    unwrap(arg, ((struct work *)arg)->b_keys);
}

/* ---- the bare calls ---- */

static int copy_x(unsigned char *out, const unsigned char *x, const unsigned char *y, void *data) {
    (void)y;
    (void)data;
    memcpy(out, x, 32);
    return 1;
}

static void ecdh(struct work *w) {
    uint8_t x[32], compressed[33] = {2};
    secp256k1_pubkey p;

    memcpy(compressed + 1, w->pub, 32);
    MUST(secp256k1_ec_pubkey_parse(w->curve, &p, compressed, 33));
    MUST(secp256k1_ecdh(w->curve, x, &p, w->sk, copy_x, NULL));
}

static void verify(struct work *w) {
    secp256k1_xonly_pubkey p;

    MUST(secp256k1_xonly_pubkey_parse(w->curve, &p, w->pub));
    MUST(secp256k1_schnorrsig_verify(w->curve, w->sig, w->msg, 32, &p));
}

static void sign(struct work *w) {
    uint8_t sig[64];

    MUST(secp256k1_schnorrsig_sign32(w->curve, sig, w->msg, &w->pair, w->msg));
}

static void bare_two_ecdh(void *arg) {
    ecdh(arg);
    ecdh(arg);
}

static void bare_wrap_cached(void *arg) {
    struct work *w = arg;
    secp256k1_keypair once;

    sign(w);
    sign(w);
    ecdh(w);
    MUST(secp256k1_keypair_create(w->curve, &once, w->sk));
}

static void bare_wrap(void *arg) {
    bare_wrap_cached(arg);
    ecdh(arg);
}

static void bare_unwrap_cached(void *arg) {
    verify(arg);
    verify(arg);
    ecdh(arg);
}

static void bare_unwrap(void *arg) {
    bare_unwrap_cached(arg);
    ecdh(arg);
}

static void prepare_bare(struct work *w) {
    secp256k1_xonly_pubkey p;

    w->curve = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    random_bytes(w->sk, 32);
    random_bytes(w->msg, 32);
    MUST(w->curve && secp256k1_keypair_create(w->curve, &w->pair, w->sk));
    MUST(secp256k1_keypair_xonly_pub(w->curve, &p, NULL, &w->pair));
    MUST(secp256k1_xonly_pubkey_serialize(w->curve, w->pub, &p));
    MUST(secp256k1_schnorrsig_sign32(w->curve, w->sig, w->msg, &w->pair, NULL));
}

static void prepare(struct work *w, struct view text) {
    struct fields f = fields_new(14, NOW, text);
    struct event *ev;
    char hex[65];

    w->a = keypair_new();
    w->b = keypair_new();
    w->a_keys = wrap_keys_new(w->a);
    w->b_keys = wrap_keys_new(w->b);
    w->text = text;
    MUST(nip44_conversation(w->a, keypair_pub(w->b), &w->key, NULL) == 0);
    hex_encode(view_of(keypair_pub(w->b), 32), hex);
    fields_add(&f, "p", hex);
    w->rumor = rumor_make(&f, keypair_pub(w->a));
    ev = wrap_make(w->rumor, w->a, NULL, keypair_pub(w->b), KIND_WRAP, NOW, 0, NULL);
    MUST(ev);
    event_json(ev, &w->wrap);
    event_free(ev);
    prepare_bare(w);
}

static void finish(struct work *w) {
    wrap_keys_free(w->a_keys);
    wrap_keys_free(w->b_keys);
    keypair_free(w->a);
    keypair_free(w->b);
    rumor_free(w->rumor);
    buf_free(&w->wrap);
    secp256k1_context_destroy(w->curve);
}

int main(void) {
    static char text[65408];
    struct work w = {0};

    memset(text, 'x', sizeof text);
    prepare(&w, view_of(text, 1024));
    bench_pair("nip44 encrypt+decrypt 1 KB", 20000, nip44_both_ways, "", NULL, &w);
    bench_pair("nip44 encrypt+decrypt 1 KB, keys derived", 2000, nip44_fresh_keys, "2 ECDH",
               bare_two_ecdh, &w);
    bench_pair("wrap 1 KB", 2000, wrap_plain, "2 sign, 2 ECDH, 1 key", bare_wrap, &w);
    bench_pair("wrap 1 KB, known peer", 2000, wrap_cached, "2 sign, 1 ECDH, 1 key",
               bare_wrap_cached, &w);
    bench_pair("unwrap 1 KB", 2000, unwrap_plain, "2 verify, 2 ECDH", bare_unwrap, &w);
    bench_pair("unwrap 1 KB, known peer", 2000, unwrap_cached, "2 verify, 1 ECDH",
               bare_unwrap_cached, &w);
    w.text = view_of(text, sizeof text);
    bench_pair("nip44 encrypt+decrypt 65408 B", 2000, nip44_both_ways, "", NULL, &w);
    finish(&w);
    return 0;
}
