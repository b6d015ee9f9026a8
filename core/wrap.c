#include "wrap.h"
#include "enc.h"
#include "nip44.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_DAYS (2 * 24 * 3600)
#define CACHED 64

/* Conversation keys by peer; the oldest goes first. All in one locked page. */
struct entry {
    uint8_t peer[32];
    struct nip44_key key;
};
struct wrap_keys {
    const struct keypair *me;
    struct secret *entries;
    size_t n, next;
};

struct wrap_keys *wrap_keys_new(const struct keypair *me) {
    struct wrap_keys *k = mem_new(sizeof *k);

    k->me = me;
    k->entries = secret_new(CACHED * sizeof(struct entry));
    return k;
}

void wrap_keys_free(struct wrap_keys *k) {
    if (!k)
        return;
    secret_free(k->entries);
    free(k);
}

static struct entry *entry_at(const struct wrap_keys *k, size_t i) {
    return (struct entry *)secret_edit(k->entries) + i;
}

static void remember(struct wrap_keys *k, const uint8_t *peer, const struct nip44_key *key) {
    struct entry *slot = entry_at(k, k->next);

    memcpy(slot->peer, peer, 32);
    slot->key = *key;
    k->next = (k->next + 1) % CACHED;
    if (k->n < CACHED)
        k->n++;
}

static int conversation(struct wrap_keys *keys, const struct keypair *me, const uint8_t *peer,
                        struct nip44_key *out, struct err *e) {
    bool usable = keys && keys->me == me;

    for (size_t i = 0; usable && i < keys->n; i++)
        if (memcmp(entry_at(keys, i)->peer, peer, 32) == 0) {
            *out = entry_at(keys, i)->key;
            return 0;
        }
    if (nip44_conversation(me, peer, out, e) < 0)
        return -1;
    if (usable)
        remember(keys, peer, out);
    return 0;
}

static int encrypt_to(struct wrap_keys *keys, const struct keypair *from, const uint8_t *peer,
                      struct view plain, struct buf *out, struct err *e) {
    struct nip44_key key;
    int rc = conversation(keys, from, peer, &key, e);

    if (rc == 0)
        rc = nip44_encrypt(&key, plain, NULL, out, e);
    explicit_bzero(&key, sizeof key);
    return rc;
}

/* NIP-59: up to two days back, never ahead, so that the time on a relay tells nothing. */
static int64_t backdated(int64_t now) {
    int64_t t = now - (int64_t)random_below(TWO_DAYS + 1);

    return t > 0 ? t : 0;
}

static struct event *seal_make(const struct rumor *rumor, const struct keypair *me,
                               struct wrap_keys *keys, const uint8_t *peer, int64_t now,
                               struct err *e) {
    struct buf plain = {0}, content = {0};
    struct event *seal = NULL;
    struct fields f;

    rumor_json(rumor, &plain);
    if (encrypt_to(keys, me, peer, buf_view(&plain), &content, e) == 0) {
        f = fields_new(KIND_SEAL, backdated(now), buf_view(&content));
        seal = event_sign(&f, me);
    }
    buf_wipe(&plain);
    buf_free(&content);
    return seal;
}

static void wrap_tags(struct fields *f, const uint8_t *peer, int64_t expiration) {
    char hex[65], at[24];

    hex_encode(view_of(peer, 32), hex);
    fields_add(f, "p", hex);
    if (!expiration)
        return;
    snprintf(at, sizeof at, "%" PRId64, expiration);
    fields_add(f, "expiration", at);
}

static bool fits_a_relay(const struct event *ev) {
    struct buf text = {.max = EVENT_MAX};
    bool fits;

    event_json(ev, &text);
    fits = !text.full;
    buf_free(&text);
    return fits;
}

/* The outer layer, under a key that exists for this one event. */
static struct event *wrap_seal(const struct event *seal, const uint8_t *peer, uint32_t kind,
                               int64_t now, int64_t expiration, struct err *e) {
    struct keypair *once = keypair_new();
    struct buf plain = {0}, content = {0};
    struct event *wrap = NULL;
    struct fields f;

    event_json(seal, &plain);
    if (encrypt_to(NULL, once, peer, buf_view(&plain), &content, e) == 0) {
        f = fields_new(kind, kind == KIND_WRAP ? backdated(now) : now, buf_view(&content));
        wrap_tags(&f, peer, expiration);
        wrap = event_sign(&f, once);
    }
    keypair_free(once);
    buf_wipe(&plain);
    buf_free(&content);
    if (wrap && !fits_a_relay(wrap)) {
        err_set(e, "too-large", "over %zu bytes as an event", EVENT_MAX);
        event_free(wrap);
        wrap = NULL;
    }
    return wrap;
}

struct event *wrap_make(const struct rumor *rumor, const struct keypair *me, struct wrap_keys *keys,
                        const uint8_t peer[static 32], uint32_t kind, int64_t now,
                        int64_t expiration, struct err *e) {
    struct event *seal, *wrap;

    if (memcmp(rumor->f.pubkey, keypair_pub(me), 32) != 0) {
        err_set(e, "bad-wrap", "cannot wrap a message of another author");
        return NULL;
    }
    if (kind != KIND_WRAP && kind != KIND_WRAP_EPHEMERAL) {
        err_set(e, "bad-wrap", "kind %" PRIu32 " is no gift wrap", kind);
        return NULL;
    }
    seal = seal_make(rumor, me, keys, peer, now, e);
    wrap = seal ? wrap_seal(seal, peer, kind, now, expiration, e) : NULL;
    event_free(seal);
    if (!wrap)
        err_wrap(e, "cannot wrap the message");
    return wrap;
}

static int refuse(struct err *e, const char *why) {
    return err_set(e, "bad-wrap", "%s", why);
}

/* What went wrong inside is told, under the one code that callers of wrap_open match. */
static int refuse_inner(struct err *e, const char *layer) {
    if (e)
        snprintf(e->code, sizeof e->code, "bad-wrap");
    return err_wrap(e, "%s", layer);
}

static bool addressed_to(const struct fields *f, const uint8_t *key) {
    const struct tag *t;
    uint8_t p[32];

    for (size_t i = 0; (t = fields_find(f, "p", i)); i++)
        if (t->n > 1 && hex_decode_str(t->v[1], p, 32) && memcmp(p, key, 32) == 0)
            return true;
    return false;
}

static int check_wrap(const struct fields *f, const uint8_t *me, struct err *e) {
    if (f->kind != KIND_WRAP && f->kind != KIND_WRAP_EPHEMERAL)
        return refuse(e, "its kind is not that of a gift wrap");
    return addressed_to(f, me) ? 0 : refuse(e, "the wrap is addressed to another key");
}

static int check_seal(const struct fields *f, struct err *e) {
    if (f->kind != KIND_SEAL)
        return refuse(e, "the seal's kind is not 13");
    return f->n_tags == 0 ? 0 : refuse(e, "the seal has tags");
}

static int check_rumor(const struct fields *rumor, const struct fields *seal, const uint8_t *me,
                       struct err *e) {
    if (memcmp(rumor->pubkey, seal->pubkey, 32) != 0)
        return refuse(e, "the message names another author than the seal's signer");
    return addressed_to(rumor, me) ? 0 : refuse(e, "the message is addressed to another key");
}

static int decrypt_from(struct wrap_keys *keys, const struct keypair *me, const struct fields *f,
                        struct buf *plain, struct err *e) {
    struct view payload = view_of(f->content, f->content_len);
    struct nip44_key key;
    int rc = conversation(keys, me, f->pubkey, &key, e);

    if (rc == 0)
        rc = nip44_decrypt(&key, payload, plain, e);
    explicit_bzero(&key, sizeof key);
    return rc;
}

/* Kind and tags are judged before the signature: the cheap refusals come first. */
static struct event *open_seal(const struct event *wrap, const struct keypair *me, struct err *e) {
    struct buf plain = {0};
    struct raw_event *raw = NULL;
    struct event *seal = NULL;

    if (decrypt_from(NULL, me, &wrap->f, &plain, e) < 0)
        refuse_inner(e, "outer layer");
    else if (!(raw = raw_event_parse(buf_view(&plain), e)))
        refuse_inner(e, "seal");
    else if (check_seal(&raw->f, e) < 0)
        raw_event_free(raw);
    else if (!(seal = event_verify(raw, e)))
        refuse_inner(e, "seal");
    buf_wipe(&plain);
    return seal;
}

static struct rumor *open_rumor(const struct event *seal, const struct keypair *me,
                                struct wrap_keys *keys, struct err *e) {
    struct buf plain = {0};
    struct rumor *rumor = NULL;

    if (decrypt_from(keys, me, &seal->f, &plain, e) < 0)
        refuse_inner(e, "inner layer");
    else if (!(rumor = rumor_parse(buf_view(&plain), e)))
        refuse_inner(e, "message");
    else if (check_rumor(&rumor->f, &seal->f, keypair_pub(me), e) < 0) {
        rumor_free(rumor);
        rumor = NULL;
    }
    buf_wipe(&plain);
    return rumor;
}

struct rumor *wrap_open(const struct event *wrap, const struct keypair *me, struct wrap_keys *keys,
                        struct err *e) {
    struct event *seal = NULL;
    struct rumor *rumor = NULL;

    if (check_wrap(&wrap->f, keypair_pub(me), e) == 0)
        seal = open_seal(wrap, me, e);
    if (seal)
        rumor = open_rumor(seal, me, keys, e);
    event_free(seal);
    if (!rumor)
        err_wrap(e, "gift wrap refused");
    return rumor;
}
