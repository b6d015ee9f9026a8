/* hello and ready, the guest's first two messages, and accept, the customer's answer
 * (cdvm-protocol(7), "Private messages"): the inside of their JSON objects.
 *
 * hello:  "report": base64, "echo": {"u","n","job"} in hex. Nothing in it says what is expected.
 * accept: "hello": rumor id, "now", "verdict": {...}, "max_minutes". The guest reads hello and
 *         max_minutes; the rest is the customer's record.
 * ready:  "name", "caps": [...]. */
#ifndef CDVM_HELLO_H
#define CDVM_HELLO_H

#include "dvm.h"

#define HELLO_REPORT_MAX ((size_t)4096)
#define ACCEPT_MINUTES_MAX (24 * 60)

struct hello {
    struct buf report; /* owned */
    bool has_echo;     /* false in one parsed without */
    uint8_t echo_customer[32], echo_nonce[32], echo_job[32];
};
void hello_body(const struct hello *h, struct buf *body);
/* "bad-message". hello_free(out) in any case. */
int hello_parse(const cJSON *o, struct hello *out, struct err *e) WARN_UNUSED;
void hello_free(struct hello *h); /* legal on {0} */

struct accept {
    uint8_t hello[32];   /* rumor id of the hello that passed */
    int64_t now;         /* customer's clock, Unix seconds */
    struct view verdict; /* JSON object; body only, empty = {} */
    uint32_t max_minutes;
};
void accept_body(const struct accept *a, struct buf *body);
int accept_parse(const cJSON *o, struct accept *out, struct err *e) WARN_UNUSED; /* not verdict */

#endif
