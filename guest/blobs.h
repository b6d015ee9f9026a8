/* Encrypted blobs through the channel: the host stores and fetches them under its own keys, and
 * sees only ciphertext (cdvm-protocol(7), "Channel", types 4 to 7). One blob goes out at a time, in
 * chunks, as the port drains. */
#ifndef CDVM_BLOBS_H
#define CDVM_BLOBS_H

#include "port.h"

#define BLOBS_WANTED_MAX 32

struct blobs;
struct blobs_handler {
    void (*got)(void *arg, const uint8_t sha256[static 32], struct view data); /* hash checked */
    void (*lost)(void *arg, const uint8_t sha256[static 32], const struct err *e);
    void (*stored)(void *arg, const uint8_t sha256[static 32], bool ok);
};
struct blobs *blobs_new(struct port *p, const struct blobs_handler *h, void *arg);
void blobs_free(struct blobs *b); /* NULL legal */

/* Asks the host for a blob of at most `max` bytes: `got` or `lost` follows, never from inside. */
void blobs_get(struct blobs *b, const uint8_t sha256[static 32], uint64_t max);
/* Stores one blob; `stored` follows. False while another is on its way. `data` is borrowed until
 * then. */
bool blobs_put(struct blobs *b, const uint8_t sha256[static 32], struct view data);
void blobs_pump(struct blobs *b); /* the port has drained */

/* Payloads of BLOB_DATA and BLOB_STATUS. -1: the host broke the rules ("bad-frame"). */
int blobs_take_data(struct blobs *b, struct view payload, struct err *e) WARN_UNUSED;
int blobs_take_status(struct blobs *b, struct view payload, struct err *e) WARN_UNUSED;

#endif
