/* What the parts of a session share: session.c (beginning, time, end), session_hello.c (from the
 * JOB frame to hello), session_gpu.c (GPUs), session_model.c (the key of a sealed model),
 * session_serve.c (from accept to the last answer), session_frames.c (the channel). */
#ifndef CDVM_SESSION_PRIV_H
#define CDVM_SESSION_PRIV_H

#include "answers.h"
#include "core/dvm.h"
#include "core/wrap.h"
#include "load.h"
#include "modelkey.h"
#include "session.h"

enum stage {
    STAGE_JOB = 1,
    STAGE_REPORTING = 2,
    STAGE_OFFERED = 4,
    STAGE_TALKING = 8,
    STAGE_OVER = 16,
    STAGE_KEYING = 32,  /* before STAGE_REPORTING, where the model is sealed */
    STAGE_PROVING = 64, /* before both, where there are GPUs */
};

struct session {
    const struct session_conf *conf;
    struct loop *loop;
    struct port *port;
    struct loop_timer *tick;
    enum stage stage;
    struct job_request q;
    struct keypair *me;
    struct wrap_keys *keys;
    struct talk *talk;
    struct blobs *blobs;
    struct xfer_in *files;
    struct answers *answers;
    struct modelkey *asking;  /* while STAGE_KEYING */
    struct secret *model_key; /* from its owner, until the load takes it */
    bool had_model_key;       /* for the receipt */
    struct load *load;
    struct workload *workload;
    struct buf ready; /* body of `ready`, once the workload has said it is */
    bool told_ready, dying;
    bool loaded, gpus_open; /* a workload that needs GPUs starts when both are true */
    uint8_t hello_id[32], accept_id[32];
    const struct rumor *taking; /* the message in hand */
    struct {                    /* the rumor that began each file */
        uint8_t xid[16], id[32];
    } begun[XFER_OPEN_MAX];
    unsigned n_begun, n_auth;
    int64_t hello_at, stage_until, idle_until, lease_until; /* loop_now milliseconds; 0 = not set */
    char reason[32];
    uint8_t error;
};

/* Only the first call counts: what follows is a consequence. error 0: an orderly end. */
void session_stop(struct session *s, const char *reason, uint8_t error);
/* One message to the customer; a session that cannot speak any more ends. */
void session_say(struct session *s, const char *type, struct view body, uint8_t *id);

/* JOB has come: key, report, hello. */
void session_brief(struct session *s, struct view job);
void session_report(struct session *s, struct view report); /* of the simulator */
/* A report for one of the two that need one, from the kernel or from the host's simulator. */
void session_ask_report(struct session *s, const uint8_t data[static 64]);
void session_send_event(struct session *s, const struct event *ev);

/* session_gpu.c. Without GPUs each does at once what comes after it. */
void session_prove(struct session *s);     /* evidence over our nonce, then session_proved */
void session_proved(struct session *s);    /* session_hello.c goes on: model key or report */
void session_open_gpus(struct session *s); /* accepted: then session_start_workload */
void session_close_gpus(struct session *s);
struct view session_gpu_digest(const struct session *s); /* E */
struct view session_gpu_json(const struct session *s);
void session_start_workload(struct session *s); /* once it is loaded and GPUs are open */

/* session_model.c: the key of a sealed model, before the report for the customer. */
void session_ask_key(struct session *s);
void session_key_event(struct session *s, const struct event *wrap);
void session_key_report(struct session *s, struct view report);
/* Once it is there (or none is needed): session_hello.c goes on. */
void session_attest(struct session *s);

/* Handlers of the talk, the files, the blobs and the load, all with the session as their argument.
 */
extern const struct talk_handler session_talk_handler;
extern const struct xfer_in_handler session_file_handler;
extern const struct blobs_handler session_blob_handler;
extern const struct load_handler session_load_handler;

void session_frame(struct session *s, const struct chan_frame *f);

#endif
