/* Blobs for one guest: ciphertext between the channel and Blossom servers (cdvm-protocol(7),
 * "Channel", types 4 to 7). The guest names blobs by hash and sees no server; the host sees only
 * ciphertext.
 *
 * Bounds: GATEBLOB_MAX bytes a blob, two uploads and two downloads at a time (14 more downloads may
 * wait), GATEBLOB_TOTAL bytes a job in either direction. Over them the guest gets a status, never a
 * silent loss. */
#ifndef CDVM_GATEBLOB_H
#define CDVM_GATEBLOB_H

#include "core/blossom.h"
#include "core/channel.h"

#define GATEBLOB_MAX ((size_t)20 << 20)
#define GATEBLOB_TOTAL ((uint64_t)1 << 30)

struct gateblob;
struct gateblob_conf {
    struct http *http;
    const char *const *servers; /* base URLs in order of preference; borrowed */
    size_t n_servers;
    bool allow_private;
    /* A frame for the guest; the callee copies it. `pump` is called after it when there is room. */
    void (*emit)(void *arg, struct view frame);
    void (*more)(void *arg); /* a download is ready: call gateblob_pump when there is room */
    void *arg;
};
struct gateblob *gateblob_new(const struct gateblob_conf *c);
void gateblob_free(struct gateblob *b); /* cancels; NULL legal */

/* A BLOB_PUT or BLOB_GET frame's payload. -1 "bad-frame": the guest broke the rules. */
int gateblob_put(struct gateblob *b, struct view payload, struct err *e) WARN_UNUSED;
int gateblob_get(struct gateblob *b, struct view payload, struct err *e) WARN_UNUSED;
/* Emits one BLOB_DATA frame of what was fetched. False when nothing waits. */
bool gateblob_pump(struct gateblob *b);

#endif
