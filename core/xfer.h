/* Files between U and G (cdvm-protocol(7), "Files").
 *
 * In band up to XFER_INBAND bytes, or when there is no blob server: start, chunk*, end as numbered
 * messages. Otherwise through blobs: AES-256-GCM under a fresh key, in parts of XFER_PART,
 * plaintext padded to a Padmé size before encryption; the key travels only in the kind 15 rumor. A
 * file's bytes reach nobody before x (ciphertext), the GCM tag, and ox and size (plaintext) have
 * been checked. */
#ifndef CDVM_XFER_H
#define CDVM_XFER_H

#include "talk.h"

#define XFER_INBAND ((size_t)262144)
#define XFER_PART ((size_t)16 << 20)
#define XFER_CHUNK ((size_t)18000) /* raw bytes of one in-band chunk: 24,000 base64 characters */
#define XFER_FILE_MAX ((uint64_t)256 << 20)
#define XFER_PARTS_MAX (XFER_FILE_MAX / XFER_PART + 1)
#define XFER_FLIGHT ((size_t)32) /* numbered messages out before an in-band file waits for acks */
#define XFER_OPEN_MAX 16         /* files coming in at once */

struct xfer_meta {
    char name[201], mime[128]; /* sanitised: file_name_safe, printable ASCII */
    uint64_t size;
    uint8_t sha256[32]; /* of the plaintext */
    char purpose[16];   /* "file", "text" (a long kind 14), "gpu" */
    uint8_t reply[32];  /* rumor id of the question it answers; zero when none */
    uint8_t xid[16];
};
/* Name and mime sanitised, size and hash of data, a fresh xid. reply may be NULL. */
void xfer_meta_init(struct xfer_meta *m, const char *name, const char *mime, const char *purpose,
                    const uint8_t *reply, struct view data);
size_t padme(size_t n); /* padded length, n <= result */

/* --- out --- */
struct xfer_out; /* one file on its way: asks for room, so that a slow relay is not flooded */
struct xfer_out *xfer_out_inband(struct talk *t, const struct xfer_meta *m, struct view data);
/* Sends what fits (stops while talk_unacked is over XFER_FLIGHT). 1 = all sent, 0 = more later, -1
 * = error. */
int xfer_out_step(struct xfer_out *x, struct err *e) WARN_UNUSED;
uint64_t xfer_out_done(const struct xfer_out *x); /* plaintext bytes handed to the talk */
void xfer_out_abort(struct xfer_out *x);          /* sends `abort`; step then returns 1 */
void xfer_out_free(struct xfer_out *x);           /* wipes; NULL legal */

/* Encrypts for blobs: parts[i] is ciphertext || tag with its sha256. The caller uploads each, then
 * sends xfer_blob_message. */
struct xfer_blob {
    struct buf *parts; /* owned */
    uint8_t (*part_sha)[32];
    size_t n_parts;
    uint8_t key[32], iv[12]; /* single part: iv; several: 8 random bytes || u32 BE index */
    struct xfer_meta meta;
};
int xfer_blob_make(const struct xfer_meta *m, struct view data, struct xfer_blob *out,
                   struct err *e) WARN_UNUSED;
void xfer_blob_free(struct xfer_blob *b); /* wipes the key; legal on {0} */
/* The kind 15 rumor. server_url NULL: content is the bare sha256 (a receiver ignores the URL
 * anyway). */
int xfer_blob_message(struct talk *t, const struct xfer_blob *b, const char *server_url,
                      struct err *e) WARN_UNUSED;

/* --- in --- */
struct xfer_in; /* collects in-band files, and remembers kind 15 files whose blobs are still to come
                 */
struct xfer_in_handler { /* any may be NULL; metas are borrowed */
    void (*begin)(void *arg, const struct xfer_meta *m);
    void (*progress)(void *arg, const struct xfer_meta *m, uint64_t done);
    void (*file)(void *arg, const struct xfer_meta *m, struct view data); /* checked; borrowed */
    void (*failed)(void *arg, const struct xfer_meta *m, const struct err *e);
    /* A blob is wanted: fetch <sha256> (at most max bytes) and call xfer_in_blob, now or later. */
    void (*want)(void *arg, const uint8_t sha256[static 32], uint64_t max);
};
/* max_total: bytes of all files in flight together. */
struct xfer_in *xfer_in_new(uint64_t max_total, const struct xfer_in_handler *h, void *arg);
void xfer_in_free(struct xfer_in *x); /* wipes; NULL legal; not from a callback */
/* True if the message was one of start, chunk, end (with an xid), abort or kind 15. */
bool xfer_in_take(struct xfer_in *x, const struct talk_msg *m);
void xfer_in_blob(struct xfer_in *x, const uint8_t sha256[static 32], struct view data);
void xfer_in_blob_failed(struct xfer_in *x, const uint8_t sha256[static 32], const struct err *e);
size_t xfer_in_open(const struct xfer_in *x); /* files that have begun and not ended */

#endif
