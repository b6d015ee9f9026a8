/* One job: its state machine, its guest, its end.
 *
 * The machine is one const table of (step, event) -> step + action; what is not in the table is
 * refused and logged. A job owns its guest: job_free kills and reaps QEMU and removes the run
 * directory before it returns, so a freed job is a destroyed one. A lost guest ends its job;
 * nothing is ever resumed in another guest (PROTOCOL.md, "Who may speak"). */
#ifndef CDVM_JOB_H
#define CDVM_JOB_H

#include "core/dvm.h"
#include "core/err.h"

enum job_step {
    STEP_RECEIVED,
    STEP_QUEUED,    /* waits for a slot */
    STEP_CREATING,  /* QEMU is being started */
    STEP_BOOTING,   /* QEMU runs; the agent has not spoken */
    STEP_ATTESTING, /* the agent is up; the customer has not accepted */
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
    ON_DIED,     /* QEMU is gone and reaped */
    ON_TIMEOUT,  /* the step's deadline has passed */
    ON_END,      /* the provider stops, or an operator ends the job */
};
#define JOB_EVENTS (ON_END + 1)

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
bool job_step_over(enum job_step s);            /* done or failed */
bool job_step_holds_slot(enum job_step s);      /* a guest exists or is being made */

#endif
