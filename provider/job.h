/* One job: its state machine, its guest, its end.
 *
 * The machine is one const table of (step, event) -> step + action; what is not in the table is
 * refused and logged. A job owns its guest: job_free kills and reaps QEMU and removes the run
 * directory before it returns, so a freed job is a destroyed one. A lost guest ends its job;
 * nothing is ever resumed in another guest (cdvm-protocol(7), "Who may speak"). */
#ifndef CDVM_JOB_H
#define CDVM_JOB_H

#include "accel.h"
#include "core/dvm.h"
#include "core/http.h"
#include "core/ws.h"
#include "gpu_pool.h"
#include "image.h"
#include "papers.h"
#include "psp_sim.h"
#include "snp_host.h"
#include "tell.h"

enum job_step {
    STEP_RECEIVED,
    STEP_QUEUED,    /* waits for a slot */
    STEP_CREATING,  /* QEMU is being started */
    STEP_BOOTING,   /* QEMU runs; the agent has not spoken */
    STEP_ATTESTING, /* the agent is up; it makes its key and gets its report */
    STEP_WAITING,   /* hello is sent; the customer has not accepted */
    STEP_ACCEPTED,  /* accepted; the workload is still loading */
    STEP_LOADED,    /* loaded; not yet accepted */
    STEP_SERVING,
    STEP_ENDING,  /* SHUTDOWN sent, the guest may still sign its receipt */
    STEP_WIPING,  /* the guest wipes and powers off by itself */
    STEP_FAILING, /* something went wrong; the guest is going away */
    STEP_DONE,
    STEP_FAILED,
};
#define JOB_STEPS (STEP_FAILED + 1)

enum job_event {
    ON_SLOT,     /* there is room: start */
    ON_WAIT,     /* there is none, but the queue has room */
    ON_STARTED,  /* QEMU runs */
    ON_FAULT,    /* this host could not do its part */
    ON_BOOTED,   /* STATE booted */
    ON_KEYED,    /* STATE keyed */
    ON_HELLO,    /* STATE attested */
    ON_ACCEPTED, /* STATE accepted */
    ON_READY,    /* STATE ready */
    ON_WIPING,   /* STATE wiping */
    ON_REFUSED,  /* STATE error n */
    ON_BROKEN,   /* the guest broke the channel's rules */
    ON_DIED,     /* QEMU is gone and reaped, its GPU reset */
    ON_TIMEOUT,  /* the step's deadline has passed */
    ON_END,      /* the provider stops, or an operator ends the job */
    ON_CANCEL,   /* the customer gave up before a guest was accepted */
};
#define JOB_EVENTS (ON_CANCEL + 1)

enum job_action {
    ACT_NONE,
    ACT_QUEUE,       /* deadline: the request's expiry */
    ACT_START,       /* run directory, descriptors, QEMU */
    ACT_BOOT,        /* deadline for hello */
    ACT_BRIEF,       /* hand JOB to the agent; send collateral */
    ACT_LEARN,       /* ask the agent for its key */
    ACT_HELLO,       /* boot measured; deadline for accept */
    ACT_LEASE,       /* lease begins: deadline */
    ACT_SHUTDOWN,    /* ask the guest to sign its receipt and wipe; deadline */
    ACT_WIPE,        /* deadline */
    ACT_LEAVE,       /* the guest leaves before it served; deadline */
    ACT_GUEST_ERROR, /* the guest said why it leaves; deadline */
    ACT_STOP,        /* kill ladder */
    ACT_FINISH,      /* destroy; tell: done */
    ACT_FAIL,        /* destroy; tell: error */
};

struct job_rule {
    enum job_step at;
    enum job_event on;
    enum job_step next;
    enum job_action act;
    const char *code; /* failure code that this transition sets unless one is set; NULL none */
    const char *why;  /* its sentence */
};
/* NULL when the event is not allowed at that step. */
const struct job_rule *job_rule(enum job_step at, enum job_event on);
const char *job_step_name(enum job_step s);
const char *job_event_name(enum job_event e);
enum job_phase job_step_phase(enum job_step s); /* what the customer is told */
/* How long a guest may take to say hello, in ms: ten times this machine's measured boot (-1: not
 * measured yet), at least two minutes. */
int64_t job_boot_limit(int64_t measured_ms);
bool job_step_over(enum job_step s);       /* done or failed */
bool job_step_holds_slot(enum job_step s); /* a guest exists or is being made */

/* --- a running job --- */

struct job;
/* What all jobs of a provider share; borrowed, outlives them. */
struct job_env {
    struct ws_net *net;
    struct http *http;
    struct tell *tell;
    const struct image *image;
    const struct accel *accel;
    const struct psp_sim *psp;   /* NULL: the processor signs */
    const struct snp_host *snp;  /* NULL: guests of the simulator */
    struct gpu_pool *gpus;       /* NULL: none */
    const struct papers *papers; /* what AMD signs of this processor; NULL: nothing */
    const char *rundir;          /* rundir_base */
    const char *const *blossom;  /* blob servers of the offer */
    size_t n_blossom;
    bool allow_private;
    uint32_t vcpus, memory_mib; /* where the offer's template names none */
    const char *vcpu_type;      /* that the launch digest is computed for */
    uint64_t features;
    int64_t accept_ms, lease_ms;
    int64_t (*boot_ms)(void *arg); /* this machine's measured boot (spawn to hello), -1: none yet */
    /* The step has changed: for ledger and console. */
    void (*stepped)(void *arg, const struct job *j);
    void (*booted)(void *arg, const struct job *j, int64_t ms);
    /* Over, and nothing is left to send: the job may be freed. Never called from within job_*. */
    void (*over)(void *arg, struct job *j);
    void *arg;
};
/* Copies request and q. sold: what the offer names; NULL for a job that is refused at once. */
struct job *job_new(const struct job_env *env, const struct rumor *request,
                    const struct job_request *q, const struct image_offer *sold);
/* Destroys whatever is left of the guest before it returns. NULL legal. */
void job_free(struct job *j);
/* Gives the machine an event; one that the table does not allow is logged and dropped. */
void job_event(struct job *j, enum job_event on);
/* Is there what it needs beside a slot: a free GPU, or none wanted? */
bool job_has_room(const struct job *j);
/* Ends it with that code: ON_FAULT where nothing runs yet. */
void job_refuse(struct job *j, const char *code, const char *why);

enum job_step job_at(const struct job *j);
const struct job_request *job_asked(const struct job *j);
const char *job_code(const struct job *j); /* "" while nothing went wrong */
int64_t job_age_ms(const struct job *j);   /* since it was received */
bool job_ran(const struct job *j);         /* a guest was started for it */
int job_pid(const struct job *j);          /* QEMU's; 0: none */

#endif
