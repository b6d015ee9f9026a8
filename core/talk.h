/* The conversation of one job between customer U and guest G: numbering, order, resend, padding,
 * and the transcript (cdvm-protocol(7), "Private messages"). The same code runs at both ends. It
 * makes and takes rumors; who may speak, who may encrypt, and how they travel, is the owner's
 * (`send`).
 *
 * Numbered (seq per direction): kinds 14 and 15 and every 25930 but ping, pong, ack, nack, delta,
 * progress, receipt. hello (from G) and accept (from U; or end, when U wants no such guest) are seq
 * 0. talk_take delivers numbered messages in order, once each, and the others as they come, once
 * each.
 *
 * Loss is repaired from both sides: the receiver names gaps (nack), the sender sends again what no
 * ack has counted after TALK_RETRY_MS. A guest does the latter only once U has spoken: until then
 * its owner repeats hello (talk_resend). */
#ifndef CDVM_TALK_H
#define CDVM_TALK_H

#include "dvm.h"
#include "json.h"

#define TALK_KEEP 256       /* sent rumors kept; as many may wait for an ack */
#define TALK_WINDOW 256     /* numbers ahead of the next one that are held back for order */
#define TALK_NACK_MAX 64    /* numbers in one nack */
#define TALK_NACK_MS 1000   /* at most one nack in this time, sent or answered */
#define TALK_RETRY_MS 10000 /* unacknowledged: sent again, then after twice this, ... */
#define TALK_RETRY_MAX_MS 80000
#define TALK_LOST_MS 300000 /* a gap this old ends the job ("lost") */
#define TALK_NUMBERED_MAX (1u << 20)

/* Two messages are called "end": with an xid it ends a file (xfer_in_take takes it), without one it
 * is the customer's wish to finish. */
struct talk;
struct talk_msg {
    uint32_t kind;    /* 14, 15, 25930 */
    const char *type; /* "text", "file", or the message's t */
    const cJSON *o;   /* 25930: the object; else NULL */
    const struct rumor *rumor;
    int64_t seq; /* -1 when unnumbered */
};
struct talk_handler {
    /* Seal and publish. `stored`: wrap as 1059 (numbered, receipt); else 21059 will do. */
    void (*send)(void *arg, const struct rumor *r, bool stored);
    /* Borrowed for the callback, which may send but must not free the talk. ack and nack stay
     * inside. */
    void (*message)(void *arg, const struct talk_msg *m);
    /* The job is over: "seq-conflict", "bad-message", "lost". Called at most once, nothing after
     * it. */
    void (*broken)(void *arg, const struct err *e);
    /* Optional: what was sent before has not left this machine yet. Nothing is sent again while
     * true. */
    bool (*busy)(void *arg);
};
enum talk_role { TALK_CUSTOMER, TALK_GUEST };

/* me is borrowed for the talk's life. */
struct talk *talk_new(enum talk_role role, const struct keypair *me, const uint8_t peer[static 32],
                      const uint8_t job[static 32], const struct talk_handler *h, void *arg);
void talk_free(struct talk *t); /* wipes what it kept; NULL legal */
const uint8_t *talk_peer(const struct talk *t);

/* One message out. `body` is the inside of the JSON object without braces (jw_k* into a buf), may
 * be empty. Numbering, r, ack and pad are added here. out_id (may be NULL) gets the rumor id.
 * Errors: "too-large"; "busy" (TALK_KEEP numbered messages wait for an ack); "broken". */
int talk_send(struct talk *t, const char *type, struct view body, uint8_t *out_id,
              struct err *e) WARN_UNUSED;
/* Kind 14. reply: NULL or the 32-byte rumor id that it answers. "too-large": what does not fit
 * (about 28,000 bytes, fewer with many line ends and quotes) is the caller's to send as a file
 * (xfer). */
int talk_send_text(struct talk *t, struct view text, const uint8_t *reply, uint8_t *out_id,
                   struct err *e) WARN_UNUSED;
/* What an answer took, where the workload counts: tokens (or what it has instead), and why it ended
 * ("stop", "length", "cancelled"; "" unknown). */
struct talk_usage {
    uint64_t prompt, completion;
    char finish[16];
};
/* Of the tag "usage"; false when there is none or it is malformed. */
bool talk_usage(const struct rumor *answer, struct talk_usage *out);

/* How G ends every answer, with or without text: a kind 14 on the question `reply`, once all
 * deltas, tables and files of it are sent. code NULL, or the stable code of a failure (tag
 * "error"), text then being the sentence. usage may be NULL. */
int talk_send_answer(struct talk *t, struct view text, const uint8_t reply[static 32],
                     const char *code, const struct talk_usage *usage, struct err *e) WARN_UNUSED;
/* Kind 15: tags are added to the draft's (content = URL or sha256 hex). Takes over f. */
int talk_send_file(struct talk *t, struct fields *f, uint8_t *out_id, struct err *e) WARN_UNUSED;
/* Sends a kept rumor again in a new wrap (hello every 10 s). Nothing when it is no longer kept. */
void talk_resend(struct talk *t, int64_t seq);

/* One rumor in (already opened and authenticated by wrap_open; other authors are refused here too).
 * -1 for a rumor that is refused: e says why; the talk goes on unless `broken` was called. */
int talk_take(struct talk *t, const struct rumor *r, struct err *e) WARN_UNUSED;
bool talk_busy(const struct talk *t); /* as the owner says */
/* Call about every 250 ms with loop_now(): acks, asks for gaps, sends again. */
void talk_tick(struct talk *t, int64_t now_ms);

/* Before anything is taken or sent: the first `hello` a customer takes comes from a key that is not
 * known yet; talk_new is then called with that key and the hello rumor fed in. */

/* Transcript: count of numbered rumors and their RFC 9162 root, in seq order, from 0. */
struct talk_sum {
    uint64_t n_in, n_out; /* numbered rumors delivered / sent */
    uint8_t root_in[32], root_out[32];
    uint64_t bytes_in, bytes_out; /* content bytes of numbered rumors without their pad */
};
void talk_sum(const struct talk *t, struct talk_sum *out);
enum talk_dir { TALK_IN, TALK_OUT };
/* Root over the first n numbered rumors of one direction; false when there are fewer. */
bool talk_root(const struct talk *t, enum talk_dir dir, uint64_t n, uint8_t root[static 32]);
/* The ids themselves, borrowed until the next message. */
const uint8_t (*talk_ids(const struct talk *t, enum talk_dir dir, uint64_t *n))[32];
uint64_t talk_sent(const struct talk *t); /* numbered messages sent: the next one's seq */
const uint8_t *talk_sent_id(const struct talk *t, uint64_t seq); /* rumor id; NULL when not sent */
uint64_t talk_acked(const struct talk *t); /* how many of them the peer has counted */
size_t talk_unacked(const struct talk *t); /* sent, not yet counted in the peer's ack */

#endif
