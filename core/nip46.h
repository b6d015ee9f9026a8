/* A remote signer (NIP-46): somebody else's program holds the key, this one asks it over relays to
 * sign. NIP-44 only.
 *
 * Nothing it says is taken on trust: what it signed must be the very draft, under the very key that
 * it named when it was met first. What it shows (an address where the person is to say yes, a
 * refusal) is text from outside: it is handed up sanitised, and nothing is ever opened. */
#ifndef CDVM_NIP46_H
#define CDVM_NIP46_H

#include "event.h"
#include "ws.h"

#define NIP46_RELAYS 4
#define NIP46_SECRET 129
#define NIP46_ANSWER_MS 60000  /* a signer that says nothing for so long */
#define NIP46_PERSON_MS 300000 /* a person who is to say yes somewhere */

/* bunker://SIGNER?relay=wss://...&secret=... */
struct signer_url {
    uint8_t signer[32];
    char relay[NIP46_RELAYS][256];
    size_t n_relays;
    char secret[NIP46_SECRET]; /* for the first connection; "" none. Wipe it */
};
/* Error "bad-signer" with a sentence; at least one relay must be named. */
int signer_url_parse(struct view text, struct signer_url *out, struct err *e) WARN_UNUSED;
/* Without the secret: what is kept. */
void signer_url_write(const struct signer_url *u, struct buf *out);

struct nip46_handler {
    /* Connected; this is the person's public key. Once. */
    void (*ready)(void *arg, const uint8_t user[static 32]);
    /* The signer wants its person to say yes at this address; sanitised, to be shown only. */
    void (*visit)(void *arg, const char *url);
    /* It is over: "signer-silent", "signer-refused", "bad-signer". Nothing follows. */
    void (*failed)(void *arg, const struct err *why);
};
struct nip46;
/* Connects as `client`, which the signer knows this program by (borrowed). The signer's key for
 * the person must be `user`; NULL: not known yet. Who has met the signer before (`user`) and has no
 * secret is known to it by `client`, and does not connect anew. NULL on error. */
struct nip46 *nip46_new(struct ws_net *net, const struct signer_url *at,
                        const struct keypair *client, const uint8_t *user,
                        const struct nip46_handler *h, void *arg, struct err *e);
/* The other way round: the signer comes to us, having been given nip46_invitation. Who knows the
 * secret is the signer. `at` has relays and secret; its signer is filled in when one came. */
struct nip46 *nip46_await(struct ws_net *net, const struct signer_url *at,
                          const struct keypair *client, const struct nip46_handler *h, void *arg,
                          struct err *e);
/* nostrconnect://CLIENT?relay=...&secret=...&perms=...&name=cdvm */
void nip46_invitation(const struct signer_url *at, const uint8_t client[static 32],
                      struct buf *out);
void nip46_free(struct nip46 *n); /* not from one of its callbacks; NULL legal */
const struct signer_url *nip46_url(const struct nip46 *n); /* without the secret, once ready */

/* Once ready. draft is taken over. The event is the draft, signed by `user` (borrowed for the
 * call); NULL: why not. One at a time ("busy"). */
typedef void nip46_signed_fn(void *arg, const struct event *ev, const struct err *why);
int nip46_sign(struct nip46 *n, struct fields *draft, nip46_signed_fn *fn, void *arg,
               struct err *e) WARN_UNUSED;

#endif
