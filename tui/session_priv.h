/* The inside of a session, shared by session*.c. */
#ifndef CDVM_SESSION_PRIV_H
#define CDVM_SESSION_PRIV_H

#include "core/blossom.h"
#include "core/collateral.h"
#include "core/wrap.h"
#include "outbox.h"
#include "resume.h"
#include "session.h"

#define CANDIDATES_MAX 8
#define CANDIDATE_BYTES ((size_t)1 << 20) /* of all candidates' rumors together */
#define HELD_MAX 24                       /* rumors of a candidate that wait for its acceptance */
#define ITEMS_MAX 64                      /* questions and files waiting to be sent */
#define FETCHES_MAX XFER_OPEN_MAX

/* A key that said hello for this job. */
struct candidate {
    struct session *s;
    uint8_t key[32];
    struct talk *talk;
    struct rumor *hello;
    struct rumor *held[HELD_MAX];
    size_t n_held;
    bool gpu_awaited; /* hello names a file of GPU evidence that has not come ... */
    struct buf gpu;   /* ... and the file, once it has */
};

/* What waits to be sent, in order. */
struct item {
    struct item *next;
    bool is_file;
    uint8_t id[32]; /* the caller's name for it; of a file the first 16 bytes are its xid */
    struct buf data;
    struct xfer_meta meta;
    struct sent *sent;    /* once its first message is out */
    struct xfer_out *out; /* in band */
    const char *server;   /* through blobs */
    struct xfer_blob blob;
    size_t part;         /* being uploaded */
    uint64_t parts_done; /* bytes of the parts before */
    struct blossom_op *op;
    struct err upload_failed; /* code "" while it has not */
};

/* A question (or file) that is out: maps rumor ids in answers back to the caller's ids. */
struct sent {
    uint8_t id[32], rumor[32];
    bool is_file, told;
    struct xfer_meta meta; /* of a file */
    uint64_t seq;          /* number of its last message; UINT64_MAX while it is on its way */
    uint64_t deltas;       /* of its answer, taken in order */
    struct buf long_text;  /* an answer that came as a file of purpose "text" */
};

/* What a crash of this program would leave (session_resume.c). */
struct keeping {
    struct resume_file *file; /* NULL: nothing is kept */
    bool dirty, failed;
    int64_t at;    /* loop_now() of the last snapshot */
    uint64_t ours; /* of our numbered messages that are in the file */
    uint64_t mark; /* of the guest's: all that began with them is over */
};

struct fetch {
    struct session *s;
    uint8_t sha[32];
    uint64_t max;
    size_t server; /* index into the list of servers */
    struct blossom_op *op;
    bool used;
};

struct session {
    struct session_conf c;
    struct policy policy;
    struct offer *offer;
    struct event *offer_event;
    session_fn *fn;
    void *arg;

    enum session_state state;
    struct err why;
    int64_t entered, heard, pinged; /* loop_now() */
    bool closed, cut_off;
    enum job_phase phase; /* the furthest that the provider has told */

    struct keypair *u;
    struct pool *pool;
    struct outbox *out;
    struct job_request q;
    struct rumor *request;
    struct loop_timer *tick;

    struct candidate cand[CANDIDATES_MAX];
    size_t n_cand, cand_bytes;
    struct candidate *guest;            /* the one whose hello passed */
    uint8_t second[CANDIDATES_MAX][32]; /* other ones that were shown */
    size_t n_second;
    struct verdict *verdict;
    bool accepted; /* accept is, or is being, sent: user data may go to verdict_guest */
    struct rumor *accept;

    struct collateral_set coll;
    struct buf release, workload, model; /* manifest contents, empty when not found */
    bool asking, asked, manifests_settled;
    unsigned answers; /* relays that told all they know of endorsers' words */
    size_t words;     /* endorsers' words that the verdict took into account */

    struct item *items;
    size_t n_items;
    bool stepping;
    struct sent **sent; /* each stays where it is while events about it are out */
    size_t n_sent;
    struct xfer_in *in;
    struct fetch fetch[FETCHES_MAX];

    struct buf messages;   /* both sides' numbered rumors, a line each; when asked for */
    uint64_t n_logged;     /* of ours */
    uint8_t (*ids[2])[32]; /* the transcript, by enum talk_dir, once the talk itself is gone */
    uint64_t n_ids[2];

    struct event *receipt, *teardown;
    bool receipt_told;

    struct keeping keep;
    struct saved *saved;  /* of a job picked up, until the guest is verified again */
    struct buf ready;     /* the guest's `ready` as JSON; empty before */
    struct buf confirmed; /* ids of the checks that the person confirmed, a line each */
    bool simulated_ok;    /* the person typed it */
};

/* What happens to a session; the table in session.c says where it leads. */
enum session_input {
    IN_ANSWERED, /* the provider spoke */
    IN_HELLO,
    IN_ASK, /* the verdict needs a person */
    IN_ACCEPT,
    IN_DENY,
    IN_READY,
    IN_END,  /* end was sent, or the guest said its last word */
    IN_QUIT, /* given up before any guest was accepted */
    IN_DONE,
    IN_ERROR,
};
/* False (and nothing happens) when the table has no such row. why: for FAILED and REFUSED. */
bool session_step(struct session *s, enum session_input in, const struct err *why);
void session_fail(struct session *s, const struct err *why);
void session_deny(struct session *s, const struct err *why);    /* before a guest is accepted */
void session_emit(struct session *s, struct session_event *ev); /* state is filled in */
void session_notice(struct session *s, const char *code, const char *text);

/* session.c: without a job in it yet. */
struct session *session_blank(const struct session_conf *c, session_fn *fn, void *arg);
int session_open_pool(struct session *s, struct err *e) WARN_UNUSED;

/* session_in.c: one rumor for U, authenticated. */
extern const struct pool_handler session_pool_handler;
extern const struct talk_handler session_candidate_talk; /* arg: a struct candidate */
void candidates_free(struct session *s);
void session_show_seconds(struct session *s); /* candidates that are not the guest */
void session_release_held(struct session *s); /* what the guest said before it was accepted */

/* session_gpu.c */
bool candidate_gpu_awaited(const struct candidate *c); /* by its hello */
void candidate_gpu_collect(struct candidate *c);       /* from what it has sent since */

/* session_verify.c */
void session_fetch_manifests(struct session *s);
void session_try_verify(struct session *s); /* when hello, and collateral or patience, are there */
void session_recheck(struct session *s);    /* when endorsers have said more since */

/* session_data.c: messages of the accepted guest, and what is sent to it. */
void session_message(struct session *s, const struct talk_msg *m);
void items_step(struct session *s);
void items_free(struct session *s);
void sent_tick(struct session *s); /* tells what the guest has acknowledged */
/* Keeps a numbered message for session_messages_save: the guest's as they are delivered, ours as
 * they first go out. */
void session_keep_ids(struct session *s); /* before the talk goes */
void session_log_in(struct session *s, const struct talk_msg *m);
void session_log_out(struct session *s, const struct rumor *r);
void receipt_try(struct session *s, bool last_chance);

/* session_resume.c */
void keep_before(struct session *s, const struct rumor *r); /* one of ours, before it goes out */
void keep_changed(struct session *s);                       /* something of it did */
void keep_taken(struct session *s);                         /* a message of the guest's was taken */
void keep_tick(struct session *s, int64_t now);
void keep_end(struct session *s); /* the job is over: nothing is left on disk */
/* The guest of a job that was picked up is verified again: what is due then. */
int saved_confirm(struct session *s, struct err *e) WARN_UNUSED;
void saved_go(struct session *s);
void saved_free(struct saved *x); /* wipes; NULL legal */

/* session_files.c */
extern const struct xfer_in_handler session_xfer_handler;
int file_step(struct session *s, struct item *it, struct err *e); /* 1 sent, 0 later, -1 failed */
void fetches_free(struct session *s);
struct sent *sent_add(struct session *s, const struct item *it, const uint8_t rumor[static 32]);
void sent_complete(struct session *s, struct sent *x); /* its last message has just been sent */
struct sent *sent_find(struct session *s, const uint8_t rumor[static 32]);

#endif
