/* The Data Vending Machine side of a job: request and feedback (cdvm-protocol(7), "Private
 * messages"; NIP-90 kinds as rumors). Everything here is a rumor: sealing is wrap.h's. */
#ifndef CDVM_DVM_H
#define CDVM_DVM_H

#include "kinds.h"
#include "msg.h"

#define JOB_RELAYS_MAX 4
#define JOB_PARAMS_MAX 32
#define JOB_EXPIRES_MAX (24 * 3600)
#define JOB_INTRODUCTION_MAX 1024

struct job_param {
    char key[64], value[512];
};
struct job_request {
    uint8_t id[32];       /* the rumor's id: the job id */
    uint8_t customer[32]; /* U */
    uint8_t provider[32]; /* P: the p tag */
    uint8_t offer[32];    /* id of the 31990 event it names */
    uint8_t nonce[32];    /* N */
    uint32_t kind;        /* 5050 or 5999 */
    int64_t expires;      /* Unix seconds */
    uint64_t max_msat;
    char relays[JOB_RELAYS_MAX][256];
    size_t n_relays;
    struct job_param params[JOB_PARAMS_MAX];
    size_t n_params;
    char introduction[JOB_INTRODUCTION_MAX]; /* a signed event (introduction.h); "" none */
};
/* Fills in id and customer of `q` from `u`. Owned rumor; NULL on error. */
struct rumor *job_request_make(struct job_request *q, const struct keypair *u, int64_t now,
                               struct err *e);
/* Refuses unknown kinds, repeated or missing tags, bad relay URLs ("bad-request"). Time limits are
 * checked against now unless now < 0. */
int job_request_parse(const struct rumor *r, int64_t now, struct job_request *out,
                      struct err *e) WARN_UNUSED;
const char *job_param(const struct job_request *q, const char *key); /* NULL when absent */
/* "KEY=VALUE" as a person types it, into a list of JOB_PARAMS_MAX: the last value of a key counts.
 * "bad-request" with a sentence that names what is wrong. */
int job_param_put(const char *key_value, struct job_param *list, size_t *n,
                  struct err *e) WARN_UNUSED;

/* The customer gives up before a guest was accepted: kind 5 as NIP-90 cancels, a rumor to the
 * provider. */
struct rumor *job_cancel_make(const struct job_request *q, const struct keypair *u, int64_t now);
/* The job that r cancels; the author must be its customer (the caller's check). */
int job_cancel_parse(const struct rumor *r, uint8_t job[static 32], struct err *e) WARN_UNUSED;

enum job_status { JOB_PAYMENT_REQUIRED, JOB_PROCESSING, JOB_ERROR, JOB_SUCCESS };
enum job_phase {
    PHASE_NONE,
    PHASE_QUEUED,
    PHASE_CREATING,
    PHASE_BOOTING,
    PHASE_ATTESTING,
    PHASE_PAYMENT,
    PHASE_SERVING,
    PHASE_WIPING,
    PHASE_DONE,
};
const char *job_phase_name(enum job_phase p);

struct job_feedback {
    uint8_t job[32];
    enum job_status status;
    enum job_phase phase;     /* with JOB_PROCESSING */
    char code[32], text[256]; /* with JOB_ERROR: stable code and one sentence */
    bool has_guest;
    uint8_t guest[32];    /* what P claims at `attesting`; proves nothing */
    uint64_t amount_msat; /* with JOB_PAYMENT_REQUIRED */
    char invoice[1024];
};
struct rumor *job_feedback_make(const struct job_feedback *f, const struct keypair *p,
                                const uint8_t customer[static 32], int64_t now);
int job_feedback_parse(const struct rumor *r, struct job_feedback *out, struct err *e) WARN_UNUSED;

/* Grammar shared by requests, offers and configuration. */
/* "0" or [1-9][0-9]*, below 2^53. */
bool decimal_parse(const char *s, uint64_t *out);
/* scheme://host[...] of printable ASCII without space, quote or backslash, at most 255 bytes, where
 * scheme is `plain` or that with an s ("ws", "http"). A check of form: the connection is ws.h's. */
bool url_form_ok(const char *s, const char *plain);
/* Sanitises one line of outside text into dst[cap], cut at a whole code point. */
void text_clip(char *dst, size_t cap, const char *s);

#endif
