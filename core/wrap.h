/* NIP-59 gift wraps: rumor -> seal (13) -> wrap (1059 stored, 21059 ephemeral).
 *
 * wrap_open checks, in this order (NIP-59, NIP-17): the wrap's id and signature (its type says
 * so), kind, p tag = me; decrypt; seal kind 13, no tags, id and signature; decrypt with
 * seal.pubkey; rumor.pubkey == seal.pubkey, no sig, id recomputed; rumor p tag contains me. Windows
 * and replay are the caller's (talk). */
#ifndef CDVM_WRAP_H
#define CDVM_WRAP_H

#include "event.h"

#define KIND_SEAL 13
#define KIND_WRAP 1059
#define KIND_WRAP_EPHEMERAL 21059

/* A cache of conversation keys for one keypair (ECDH costs as much as a signature): per peer, wiped
 * at free. NULL is legal everywhere and means no caching. */
struct wrap_keys;
struct wrap_keys *wrap_keys_new(const struct keypair *me);
void wrap_keys_free(struct wrap_keys *k);

/* Seals the rumor (author must be `me`) to `peer` under a fresh wrap key; kind is 1059 or 21059;
 * now is Unix seconds: seal and 1059 wrap are dated independently up to two days back, 21059 is
 * dated now. expiration: 0 or a NIP-40 time on the wrap. Owned event; NULL on error ("too-large").
 */
struct event *wrap_make(const struct rumor *rumor, const struct keypair *me, struct wrap_keys *keys,
                        const uint8_t peer[static 32], uint32_t kind, int64_t now,
                        int64_t expiration, struct err *e);
/* NULL on error; code "bad-wrap" and a sentence naming the failed check. */
struct rumor *wrap_open(const struct event *wrap, const struct keypair *me, struct wrap_keys *keys,
                        struct err *e);

#endif
