/* Blobs: Blossom BUD-01 (get), BUD-02 (upload), BUD-11 (authorization, kind 24242). */
#ifndef CDVM_BLOSSOM_H
#define CDVM_BLOSSOM_H

#include "event.h"
#include "http.h"

/* Authorization header value "Nostr <base64url>" of a fresh single-use event; owned. verb:
 * "upload", "get", "delete". Standard base64 with `padded` for older servers. */
char *blossom_auth(const struct keypair *k, const char *verb, const uint8_t sha[static 32],
                   const char *server_host, int64_t now, bool padded);

struct blossom_op;
/* e NULL on success; body is empty for put. Exactly one call, never synchronous. */
typedef void blossom_fn(void *arg, struct view body, const struct err *e);

/* PUT <server>/upload under a fresh key of its own (key B of cdvm-protocol(7)). data is borrowed
 * until done. Tries base64url, then padded base64 on 401. */
struct blossom_op *blossom_put(struct http *h, const char *server, struct view data,
                               bool allow_private, blossom_fn *fn, http_progress_fn *progress,
                               void *arg, struct err *e);
/* GET <server>/<sha256>; verifies the hash before handing the body over ("bad-hash"). */
struct blossom_op *blossom_get(struct http *h, const char *server, const uint8_t sha[static 32],
                               size_t max, bool allow_private, blossom_fn *fn,
                               http_progress_fn *progress, void *arg, struct err *e);
void blossom_cancel(struct blossom_op *op); /* before its callback only; NULL legal */

#endif
