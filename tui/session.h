/* One job of the customer, from request to receipt: the engine under the screens and under `cdvm
 * ask`. No terminal, no decisions of a person: it asks by events, it is told by the functions
 * below.
 *
 * What comes from outside and is handed up in events (text, names, tables) is hostile: sanitise
 * before showing. Everything runs on the loop; no function here blocks, and no event is delivered
 * from inside one of these functions unless its comment says so. */
#ifndef CDVM_SESSION_H
#define CDVM_SESSION_H

#include "attest/evidence.h"
#include "browse.h"
#include "core/http.h"
#include "core/receipt.h"
#include "core/talk.h"
#include "core/xfer.h"
#include "opening.h"
#include "resume.h"
#include "trust.h"

enum session_state {
    SESSION_REQUESTED, /* request published, the provider has not answered */
    SESSION_STARTING,  /* the provider answered; no guest yet */
    SESSION_VERIFYING, /* hello came; waiting for collateral, then checking */
    SESSION_DECISION,  /* the person must confirm WARNs, or that it is simulated */
    SESSION_ACCEPTED,  /* accept sent; the guest loads workload and model */
    SESSION_READY,     /* data may be sent */
    SESSION_ENDING,    /* end sent; waiting for receipt and teardown */
    SESSION_ENDED,     /* final: receipt came, or was waited for */
    SESSION_REFUSED,   /* final: verdict not allowed, or the person said no. Nothing was sent */
    SESSION_FAILED,    /* final: see `why` */
};
const char *session_state_name(enum session_state s);
bool session_state_final(enum session_state s);

enum session_event_type {
    SE_STATE,   /* state, from; why when FAILED or REFUSED */
    SE_PHASE,   /* phase, text: what the provider says (provider's word) */
    SE_VERDICT, /* verdict: the tree is there; done: microseconds it took. State is still VERIFYING
                 */
    SE_NOTICE,  /* code, text: worth a line, changes nothing ("second-guest", "relay-down") */
    SE_READY,   /* text: the workload's name; json: its caps, an array of strings, or NULL */
    SE_SENT,  /* id of a question, or xid of a file (16 bytes), is with the guest (acknowledged) */
    SE_DELTA, /* id: the question; text to append. The final SE_ANSWER replaces it */
    SE_PROGRESS,    /* id, done, total (0 unknown), text: unit, note */
    SE_SOURCES,     /* id, json: [{doc, offset, score, snippet}] */
    SE_TABLE,       /* id, json: {columns, rows, total, file} */
    SE_ANSWER,      /* id, text: the whole answer; code when the workload failed; usage or NULL */
    SE_FILE_UP,     /* meta, done of meta->size: our file on its way */
    SE_FILE_DOWN,   /* meta, done: a file coming in */
    SE_FILE,        /* meta, data: checked and whole; borrowed */
    SE_FILE_FAILED, /* meta, code, text; of ours or of the guest's */
    SE_RECEIPT, /* receipt; uncovered = how many of our last messages it leaves out, -1 = code, text
                 */
    SE_TEARDOWN, /* teardown (provider's word) */
    SE_CLOSED,   /* after a final state: keys wiped, connections closed, nothing follows */
};

struct session_event {
    enum session_event_type type;
    enum session_state state, from;
    enum job_phase phase;
    const struct err *why;
    const struct verdict *verdict; /* owned by the session until it is freed */
    const char *code;
    struct view text;
    const char *note;
    const uint8_t *id; /* 32 bytes (16 for a file in SE_SENT) */
    uint64_t done, total;
    const cJSON *json;
    const struct xfer_meta *meta;
    struct view data;
    const struct talk_usage *usage;
    const struct receipt *receipt;
    int uncovered;
    const struct teardown *teardown;
};
/* Everything in the event is borrowed for the call. The callback may call any function of this
 * header but session_free. */
typedef void session_fn(void *arg, const struct session_event *ev);

struct session_conf {
    struct ws_net *net;
    struct http *http;
    struct browse *browse;     /* for manifests; may be NULL: local ones only */
    const char *const *relays; /* 1 to 4, of the user's own configuration */
    size_t n_relays;
    const char *const *blossom; /* servers of the user's own configuration */
    size_t n_blossom;
    bool offer_blossom; /* the person confirmed the offer's servers for this job */
    const struct policy *policy;
    struct trust *trust;
    const struct job_param *params; /* for the request; readable by the provider */
    size_t n_params;
    uint64_t max_msat;
    uint32_t max_minutes;  /* lease that accept states; 0 = 60 */
    bool look_only;        /* no guest is accepted ("look-only"), so nothing is ever sent */
    bool keep_messages;    /* for session_messages_save */
    int hello_ms;          /* no guest by then: FAILED "no-hello"; 0 = 15 min */
    int answer_ms;         /* provider silent: FAILED "no-answer"; 0 = 60 s */
    struct resume *resume; /* where a crash leaves what it takes to go on; NULL, or off: nowhere */
    struct opening *opening; /* taken over, also when session_new fails; NULL: a fresh one */
};

/* Publishes the request. All pointers of conf but params and opening are borrowed for
 * the session's life; the offer is copied. */
struct session *session_new(const struct session_conf *c, const struct offer *o, session_fn *fn,
                            void *arg, struct err *e);
/* Picks a job up again: text is what resume_read gave. Its guest is verified anew, from the
 * evidence that was kept, under the policy of this run; then events follow as in any job, from
 * SE_VERDICT on. Errors "bad-resume", "no-relay". */
struct session *session_resume(const struct session_conf *c, struct view text, session_fn *fn,
                               void *arg, struct err *e);
void session_free(struct session *s); /* wipes keys and text; NULL legal */

enum session_state session_state(const struct session *s);
const struct offer *session_offer(const struct session *s);
const struct job_request *session_request(const struct session *s);
const struct verdict *session_verdict(const struct session *s); /* NULL before SE_VERDICT */
const uint8_t *session_guest(const struct session *s);          /* NULL before a hello passed */
const struct err *session_why(const struct session *s);         /* of FAILED and REFUSED */

/* In DECISION. A WARN leaf is confirmed by its id ("not-a-warning" else); remembered: by what the
 * person typed in an earlier job, for the same value. accept refuses
 * ("not-allowed") while the verdict does not allow; simulated_ok: the person typed that they know
 * it is simulated. State events come from inside these two. */
int session_confirm(struct session *s, const char *check_id, bool remembered,
                    struct err *e) WARN_UNUSED;
int session_accept(struct session *s, bool simulated_ok, struct err *e) WARN_UNUSED;
void session_refuse(struct session *s); /* the person says no */

/* In READY. Sent in the order given: a question waits for the files before it. id (32) names the
 * question in events and, for a file, is its xid (16). Errors "not-ready", "too-large",
 * "no-blob-server". agreed: the sha256 of the bytes that may be sent, "changed-file" when
 * they are others now; NULL: whatever they are. */
int session_ask(struct session *s, struct view text, uint8_t id[static 32],
                struct err *e) WARN_UNUSED;
int session_attach(struct session *s, const char *path, const char *mime, const uint8_t *agreed,
                   uint8_t xid[static 16], struct err *e) WARN_UNUSED;
int session_cancel(struct session *s, const uint8_t id[static 32], struct err *e) WARN_UNUSED;
/* Any state: end if there is a guest to tell, else give up. Goes to ENDING or to a final state. */
void session_end(struct session *s);

/* What is known of the size and fate of a file before it is sent, for the question on the screen:
 * which way it would go. server NULL: in band. "too-large", "no-blob-server". */
int session_route(const struct session *s, uint64_t size, const char **server,
                  struct err *e) WARN_UNUSED;

/* The same before there is a session. */
int session_conf_route(const struct session_conf *c, const struct offer *o, uint64_t size,
                       const char **server, struct err *e) WARN_UNUSED;
size_t session_files_open(const struct session *s); /* files that are still coming in */

/* receipt.json: {receipt, request, offer, manifests, endorsements, hello, accept, collateral,
 * teardown}; what did not come is absent. save: mode 0600, never over an existing file. */
void session_bundle(const struct session *s, struct buf *out);
int session_bundle_save(const struct session *s, const char *path, struct err *e) WARN_UNUSED;
/* The numbered messages of both sides in the clear, one rumor a line as JSON, as far as
 * MESSAGES_KEPT bytes reach: `cdvm verify BUNDLE --disclose` proves one of them to somebody. */
#define MESSAGES_KEPT ((size_t)16 << 20)
int session_messages_save(const struct session *s, const char *path, struct err *e) WARN_UNUSED;

#endif
