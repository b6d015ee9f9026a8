/* The Data Vending Machine messages of a job: request, feedback, and the JSON of kind 25930
 * (PROTOCOL.md, "Private messages"). Everything here is a rumor: sealing is wrap.h's. */
#ifndef CDVM_DVM_H
#define CDVM_DVM_H

#include "event.h"

enum dvm_kind {
    KIND_TEXT = 14,
    KIND_FILE = 15,
    KIND_RECEIPT = 1931,
    KIND_JOB_CHAT = 5050,
    KIND_JOB_TOOL = 5999,
    KIND_FEEDBACK = 7000,
    KIND_HEARTBEAT = 11998,
    KIND_DM_RELAYS = 10050,
    KIND_AUTH = 22242,
    KIND_MESSAGE = 25930,
    KIND_OFFER = 31990,
    KIND_ENDORSEMENT = 31880,
    KIND_ADVISORY = 31881,
    KIND_CHIP = 31882,
};

#define JOB_RELAYS_MAX 4
#define JOB_PARAMS_MAX 32
#define JOB_EXPIRES_MAX (24 * 3600)

struct job_param {
    char key[64], value[512];
};
struct job_request {
    uint8_t id[32];        /* the rumor's id: the job id */
    uint8_t customer[32];  /* U */
    uint8_t provider[32];  /* P: the p tag */
    uint8_t offer[32];     /* id of the 31990 event it names */
    uint8_t nonce[32];     /* N */
    uint32_t kind;         /* 5050 or 5999 */
    int64_t expires;       /* Unix seconds */
    uint64_t max_msat;
    char relays[JOB_RELAYS_MAX][256];
    size_t n_relays;
    struct job_param params[JOB_PARAMS_MAX];
    size_t n_params;
};
/* Fills in id and customer of `q` from `u`. Owned rumor; NULL on error. */
struct rumor *job_request_make(struct job_request *q, const struct keypair *u, int64_t now,
                               struct err *e);
/* Refuses unknown kinds, repeated or missing tags, bad relay URLs ("bad-request"). Time limits are
 * checked against now unless now < 0. */
int job_request_parse(const struct rumor *r, int64_t now, struct job_request *out,
                      struct err *e) WARN_UNUSED;
const char *job_param(const struct job_request *q, const char *key); /* NULL when absent */

enum job_status { JOB_PAYMENT_REQUIRED, JOB_PROCESSING, JOB_ERROR, JOB_SUCCESS };
enum job_phase {
    PHASE_NONE, PHASE_QUEUED, PHASE_CREATING, PHASE_BOOTING, PHASE_ATTESTING, PHASE_PAYMENT,
    PHASE_SERVING, PHASE_WIPING, PHASE_DONE,
};
const char *job_phase_name(enum job_phase p);

struct job_feedback {
    uint8_t job[32];
    enum job_status status;
    enum job_phase phase;      /* with JOB_PROCESSING */
    char code[32], text[256];  /* with JOB_ERROR: stable code and one sentence */
    bool has_guest;
    uint8_t guest[32];         /* what P claims at `attesting`; proves nothing */
    uint64_t amount_msat;      /* with JOB_PAYMENT_REQUIRED */
    char invoice[1024];
};
struct rumor *job_feedback_make(const struct job_feedback *f, const struct keypair *p,
                                const uint8_t customer[static 32], int64_t now);
int job_feedback_parse(const struct rumor *r, struct job_feedback *out, struct err *e) WARN_UNUSED;

/* Message of kind 25930: {"v":1,"t":type,"job":id,...}. The builder starts the object; the caller adds
 * its own keys with jw_*; msg_end adds seq/ack/r/pad (talk.c does this; msg_end is its helper). */
struct msg {
    const char *type; /* borrowed from o */
    uint8_t job[32];
    int64_t seq;      /* -1 when unnumbered */
    int64_t ack;      /* -1 when absent */
    cJSON *o;         /* owned */
};
int msg_parse(const struct rumor *r, struct msg *out, struct err *e) WARN_UNUSED;
void msg_free(struct msg *m);
/* An unnumbered message between P and U (collateral, teardown): `body` is the inner part of the object,
 * e.g. "\"vek\":\"...\"", made with jw_k*; p tag = peer. Owned. */
struct rumor *msg_make(const char *type, const uint8_t job[static 32], struct view body,
                       const struct keypair *from, const uint8_t to[static 32], int64_t now);

/* Bytes a provider adds after boot; all of it is signed by its vendor, so anybody may carry it. */
struct collateral {
    struct buf vek, ask, ark, crl; /* DER */
};
struct rumor *collateral_make(const struct collateral *c, const uint8_t job[static 32],
                              const struct keypair *p, const uint8_t customer[static 32],
                              int64_t now);
int collateral_parse(const struct msg *m, struct collateral *out, struct err *e) WARN_UNUSED;
void collateral_free(struct collateral *c);

#endif
