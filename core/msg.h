/* Messages of kind 25930, {"v":1,"t":type,"job":id,...}, and the padding that every rumor of a job
 * gets (cdvm-protocol(7), "Private messages"). Everything here is a rumor: sealing is wrap.h's. */
#ifndef CDVM_MSG_H
#define CDVM_MSG_H

#include "event.h"
#include "json.h"
#include "kinds.h"

#define MSG_CONTENT_MAX ((size_t)28000) /* bytes of rumor content, pad included */
/* Bytes of a serialised rumor: the most that NIP-44 pads to a wrap under 64 KiB, seal and all. */
#define MSG_RUMOR_MAX ((size_t)28672)
#define MSG_TYPE_MAX 24

struct msg {
    const char *type; /* [a-z_]+, borrowed from o */
    uint8_t job[32];
    int64_t seq; /* -1 when unnumbered */
    int64_t ack; /* -1 when absent */
    cJSON *o;    /* owned */
};
/* Refuses ("bad-message") another kind, another v, a type or number out of range, a missing r. */
int msg_parse(const struct rumor *r, struct msg *out, struct err *e) WARN_UNUSED;
void msg_free(struct msg *m); /* legal on {0} */

/* An unnumbered message between P and U (collateral, teardown). `body` is the inside of the object
 * without braces ("\"vek\":\"...\"", made with jw_k*), may be empty. Owned; NULL when too large. */
struct rumor *msg_make(const char *type, const uint8_t job[static 32], struct view body,
                       const struct keypair *from, const uint8_t to[static 32], int64_t now);

/* The same with numbers (-1 = leave out), for talk.c. NULL on error ("too-large"). */
struct msg_head {
    const char *type;
    const uint8_t *job;
    int64_t seq, ack;
};
struct rumor *msg_build(const struct msg_head *h, struct view body, const uint8_t from[static 32],
                        const uint8_t to[static 32], int64_t now, struct err *e);

/* Adds the random `r` tag and a pad tag so that content and pad reach 512, 2048, 8192 or 28,000
 * bytes, and makes the rumor. Takes over f. NULL on error ("too-large"). */
struct rumor *rumor_padded(struct fields *f, const uint8_t author[static 32], struct err *e);

#endif
