/* The embedded Nostr relay and blob store: NIP-01, 09, 11, 13, 40, 42, 45, 59, 70 and Blossom
 * BUD-01, 02, 11, 12 on one port. Runs inside the loop of its ws_net; nothing in it knows about
 * jobs. */
#ifndef CDVM_RELAYD_H
#define CDVM_RELAYD_H

#include "core/ws.h"

struct relayd;
struct relayd_opts {
    const char *bind;      /* numeric address; NULL = 127.0.0.1 */
    uint16_t port;         /* 0 = any free one */
    const char *path;      /* a folder (made if absent, 0700), or a file ending in .db */
    const char *url;       /* public ws:// or wss:// address for NIP-42; NULL = the bound one */
    unsigned min_pow;      /* NIP-13 bits wanted of every event; 0 = none */
    unsigned events_per_s; /* per connection; 0 = 50,000 on loopback, else 100 */
    unsigned reqs_per_s;   /* per connection; 0 = 5,000 on loopback, else 20 */
    unsigned max_conns;    /* 0 = 1,000 */
    uint64_t max_blob;     /* bytes; 0 = 64 MiB */
    uint64_t max_blobs;    /* bytes of all blobs together; 0 = 8 GiB */
};

struct relayd *relayd_new(struct ws_net *n, const struct relayd_opts *o, struct err *e);
/* Before ws_net_free; not from inside a callback of the relay. Commits what is pending. NULL legal.
 */
void relayd_free(struct relayd *r);
uint16_t relayd_port(const struct relayd *r);
bool relayd_loopback(const struct relayd *r);        /* nobody else can reach it */
const char *relayd_url(const struct relayd *r);      /* ws://127.0.0.1:7777 */
const char *relayd_blob_url(const struct relayd *r); /* http://127.0.0.1:7777 */

#endif
