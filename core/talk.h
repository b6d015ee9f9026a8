/* The conversation of one job between customer U and guest G: numbering, order, resend, padding,
 * and the transcript (PROTOCOL.md, "Private messages"). The same code runs at both ends. It makes
 * and takes rumors; who may encrypt, and how they travel, is the owner's (`send`).
 *
 * Numbered (seq per direction): kinds 14 and 15 and every 25930 but ping, pong, ack, nack, delta,
 * progress, receipt. hello (from G) and accept (from U) are seq 0. talk_take delivers numbered
 * messages in order, once each, and the others as they come. */
#ifndef CDVM_TALK_H
#define CDVM_TALK_H

#include "dvm.h"
#include "json.h"

#define TALK_KEEP 256 /* sent rumors kept for resending */

struct talk;
struct talk_msg {
    uint32_t kind;    /* 14, 15, 25930 */
    const char *type; /* "text", "file", or the message's t */
    const cJSON *o;   /* 25930: the object; else NULL */
    const struct rumor *rumor;
    int64_t seq; /* -1 when unnumbered */
};
struct talk_handler {
    /* Seal and publish. `stored`: wrap as 1059 (numbered); else 21059 will do. */
    void (*send)(void *arg, const struct rumor *r, bool stored);
    void (*message)(void *arg, const struct talk_msg *m); /* borrowed for the callback */
    /* The job is over ("seq-conflict", "bad-message", "lost" when a gap cannot be filled). */
    void (*broken)(void *arg, const struct err *e);
};
enum talk_role { TALK_CUSTOMER, TALK_GUEST };

/* me is borrowed for the talk's life. */
struct talk *talk_new(enum talk_role role, const struct keypair *me, const uint8_t peer[static 32],
                      const uint8_t job[static 32], const struct talk_handler *h, void *arg);
void talk_free(struct talk *t); /* wipes what it kept */

/* One message out. `body` is the inside of the JSON object without braces (jw_k* into a buf), may
 * be empty. Numbering, r, ack and pad are added here. out_id (may be NULL) gets the rumor id. */
int talk_send(struct talk *t, const char *type, struct view body, uint8_t *out_id,
              struct err *e) WARN_UNUSED;
/* Kind 14. Text over 20,000 bytes is the caller's to send as an in-band file (xfer). reply: NULL or
 * the 32-byte rumor id that it answers. */
int talk_send_text(struct talk *t, struct view text, const uint8_t *reply, uint8_t *out_id,
                   struct err *e) WARN_UNUSED;
/* Kind 15: tags are added to the draft's (content = URL or sha256 hex). Takes over f. */
int talk_send_file(struct talk *t, struct fields *f, uint8_t *out_id, struct err *e) WARN_UNUSED;
/* Sends a kept rumor again in a new wrap (hello every 10 s). */
void talk_resend(struct talk *t, int64_t seq);

/* One rumor in (already opened and authenticated by wrap_open; other authors are refused here too).
 * -1 for a rumor that is refused: e says why; the talk goes on unless `broken` was called. */
int talk_take(struct talk *t, const struct rumor *r, struct err *e) WARN_UNUSED;
/* Call about every 250 ms with loop_now(): asks for gaps (nack, at most 1/s), acks. */
void talk_tick(struct talk *t, int64_t now_ms);

/* Before anything is taken or sent: the first `hello` a customer takes comes from a key that is not
 * known yet; talk_new is then called with that key and the hello rumor fed in. */

/* Transcript: count of numbered rumors and their RFC 9162 root, in seq order, from 0. */
struct talk_sum {
    uint64_t n_in, n_out; /* numbered rumors delivered / sent */
    uint8_t root_in[32], root_out[32];
    uint64_t bytes_in,
        bytes_out; /* content bytes of numbered rumors, pad excluded where it is known */
};
void talk_sum(const struct talk *t, struct talk_sum *out);
size_t talk_unacked(const struct talk *t); /* sent, not yet counted in the peer's ack */

#endif
