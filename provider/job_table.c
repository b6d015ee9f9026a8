/* The job's state machine, as data (job.h). */
#include "job.h"

#define DIED "guest-died", "the guest stopped before the job was done"
#define BROKE "guest-died", "the guest broke the rules of its channel and was stopped"
#define BOOT "boot-timeout", "the guest did not say hello in time and was stopped"
#define STOPS "provider-stopping", "the provider is shutting down"
#define LEFT "cancelled", "the customer gave up before a guest was accepted"
#define UNACCEPTED "not-accepted", "the guest left because its evidence was not accepted"

static const struct job_rule rules[] = {
    {STEP_RECEIVED, ON_SLOT, STEP_CREATING, ACT_START, NULL, NULL},
    {STEP_RECEIVED, ON_WAIT, STEP_QUEUED, ACT_QUEUE, NULL, NULL},
    {STEP_RECEIVED, ON_FAULT, STEP_FAILED, ACT_FAIL, NULL, NULL},
    {STEP_RECEIVED, ON_END, STEP_FAILED, ACT_FAIL, STOPS},

    {STEP_QUEUED, ON_SLOT, STEP_CREATING, ACT_START, NULL, NULL},
    {STEP_QUEUED, ON_TIMEOUT, STEP_FAILED, ACT_FAIL, "no-capacity",
     "no slot became free before the request expired"},
    {STEP_QUEUED, ON_FAULT, STEP_FAILED, ACT_FAIL, NULL, NULL},
    {STEP_QUEUED, ON_END, STEP_FAILED, ACT_FAIL, STOPS},
    {STEP_QUEUED, ON_CANCEL, STEP_FAILED, ACT_FAIL, LEFT},

    {STEP_CREATING, ON_STARTED, STEP_BOOTING, ACT_BOOT, NULL, NULL},
    {STEP_CREATING, ON_FAULT, STEP_FAILED, ACT_FAIL, NULL, NULL},
    {STEP_CREATING, ON_END, STEP_FAILED, ACT_FAIL, STOPS},
    {STEP_CREATING, ON_CANCEL, STEP_FAILED, ACT_FAIL, LEFT},

    {STEP_BOOTING, ON_BOOTED, STEP_ATTESTING, ACT_BRIEF, NULL, NULL},
    {STEP_BOOTING, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_BOOTING, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_BOOTING, ON_DIED, STEP_FAILED, ACT_FAIL, DIED},
    {STEP_BOOTING, ON_TIMEOUT, STEP_FAILING, ACT_STOP, BOOT},
    {STEP_BOOTING, ON_END, STEP_FAILING, ACT_STOP, STOPS},
    {STEP_BOOTING, ON_CANCEL, STEP_FAILING, ACT_STOP, LEFT},

    {STEP_ATTESTING, ON_KEYED, STEP_ATTESTING, ACT_LEARN, NULL, NULL},
    {STEP_ATTESTING, ON_HELLO, STEP_WAITING, ACT_HELLO, NULL, NULL},
    {STEP_ATTESTING, ON_WIPING, STEP_FAILING, ACT_LEAVE, UNACCEPTED},
    {STEP_ATTESTING, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_ATTESTING, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_ATTESTING, ON_DIED, STEP_FAILED, ACT_FAIL, DIED},
    {STEP_ATTESTING, ON_TIMEOUT, STEP_FAILING, ACT_STOP, BOOT},
    {STEP_ATTESTING, ON_END, STEP_FAILING, ACT_STOP, STOPS},
    {STEP_ATTESTING, ON_CANCEL, STEP_FAILING, ACT_STOP, LEFT},

    {STEP_WAITING, ON_ACCEPTED, STEP_ACCEPTED, ACT_LEASE, NULL, NULL},
    {STEP_WAITING, ON_READY, STEP_LOADED, ACT_NONE, NULL, NULL},
    {STEP_WAITING, ON_WIPING, STEP_FAILING, ACT_LEAVE, UNACCEPTED},
    {STEP_WAITING, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_WAITING, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_WAITING, ON_DIED, STEP_FAILED, ACT_FAIL, DIED},
    {STEP_WAITING, ON_TIMEOUT, STEP_FAILING, ACT_STOP, UNACCEPTED},
    {STEP_WAITING, ON_END, STEP_FAILING, ACT_STOP, STOPS},
    {STEP_WAITING, ON_CANCEL, STEP_FAILING, ACT_STOP, LEFT},

    {STEP_ACCEPTED, ON_READY, STEP_SERVING, ACT_NONE, NULL, NULL},
    {STEP_ACCEPTED, ON_WIPING, STEP_WIPING, ACT_WIPE, NULL, NULL},
    {STEP_ACCEPTED, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_ACCEPTED, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_ACCEPTED, ON_DIED, STEP_FAILED, ACT_FAIL, DIED},
    {STEP_ACCEPTED, ON_TIMEOUT, STEP_ENDING, ACT_SHUTDOWN, NULL, NULL},
    {STEP_ACCEPTED, ON_END, STEP_ENDING, ACT_SHUTDOWN, NULL, NULL},

    {STEP_LOADED, ON_ACCEPTED, STEP_SERVING, ACT_LEASE, NULL, NULL},
    {STEP_LOADED, ON_WIPING, STEP_FAILING, ACT_LEAVE, UNACCEPTED},
    {STEP_LOADED, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_LOADED, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_LOADED, ON_DIED, STEP_FAILED, ACT_FAIL, DIED},
    {STEP_LOADED, ON_TIMEOUT, STEP_FAILING, ACT_STOP, UNACCEPTED},
    {STEP_LOADED, ON_END, STEP_FAILING, ACT_STOP, STOPS},
    {STEP_LOADED, ON_CANCEL, STEP_FAILING, ACT_STOP, LEFT},

    {STEP_SERVING, ON_WIPING, STEP_WIPING, ACT_WIPE, NULL, NULL},
    {STEP_SERVING, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_SERVING, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_SERVING, ON_DIED, STEP_FAILED, ACT_FAIL, DIED},
    {STEP_SERVING, ON_TIMEOUT, STEP_ENDING, ACT_SHUTDOWN, NULL, NULL},
    {STEP_SERVING, ON_END, STEP_ENDING, ACT_SHUTDOWN, NULL, NULL},

    {STEP_ENDING, ON_WIPING, STEP_WIPING, ACT_WIPE, NULL, NULL},
    {STEP_ENDING, ON_REFUSED, STEP_FAILING, ACT_GUEST_ERROR, NULL, NULL},
    {STEP_ENDING, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_ENDING, ON_DIED, STEP_DONE, ACT_FINISH, NULL, NULL},
    {STEP_ENDING, ON_TIMEOUT, STEP_FAILING, ACT_STOP, "guest-stuck",
     "the guest did not wipe itself in time and was stopped"},
    {STEP_ENDING, ON_END, STEP_ENDING, ACT_NONE, NULL, NULL},

    {STEP_WIPING, ON_BROKEN, STEP_FAILING, ACT_STOP, BROKE},
    {STEP_WIPING, ON_REFUSED, STEP_WIPING, ACT_NONE, NULL, NULL},
    {STEP_WIPING, ON_DIED, STEP_DONE, ACT_FINISH, NULL, NULL},
    {STEP_WIPING, ON_TIMEOUT, STEP_FAILING, ACT_STOP, "guest-stuck",
     "the guest did not power off in time and was stopped"},
    {STEP_WIPING, ON_END, STEP_WIPING, ACT_NONE, NULL, NULL},

    {STEP_FAILING, ON_BOOTED, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_KEYED, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_HELLO, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_ACCEPTED, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_READY, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_WIPING, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_REFUSED, STEP_FAILING, ACT_NONE, NULL, NULL},
    {STEP_FAILING, ON_BROKEN, STEP_FAILING, ACT_STOP, NULL, NULL},
    {STEP_FAILING, ON_DIED, STEP_FAILED, ACT_FAIL, NULL, NULL},
    {STEP_FAILING, ON_TIMEOUT, STEP_FAILING, ACT_STOP, NULL, NULL},
    {STEP_FAILING, ON_END, STEP_FAILING, ACT_NONE, NULL, NULL},
};

static const struct {
    const char *name;
    enum job_phase phase;
    bool slot;
} steps[JOB_STEPS] = {
    [STEP_RECEIVED] = {"received", PHASE_NONE, false},
    [STEP_QUEUED] = {"queued", PHASE_QUEUED, false},
    [STEP_CREATING] = {"creating", PHASE_CREATING, true},
    [STEP_BOOTING] = {"booting", PHASE_BOOTING, true},
    [STEP_ATTESTING] = {"attesting", PHASE_ATTESTING, true},
    [STEP_WAITING] = {"waiting", PHASE_ATTESTING, true},
    [STEP_ACCEPTED] = {"accepted", PHASE_ATTESTING, true},
    [STEP_LOADED] = {"loaded", PHASE_ATTESTING, true},
    [STEP_SERVING] = {"serving", PHASE_SERVING, true},
    [STEP_ENDING] = {"ending", PHASE_WIPING, true},
    [STEP_WIPING] = {"wiping", PHASE_WIPING, true},
    [STEP_FAILING] = {"failing", PHASE_WIPING, true},
    [STEP_DONE] = {"done", PHASE_DONE, false},
    [STEP_FAILED] = {"failed", PHASE_DONE, false},
};

static const char *const events[JOB_EVENTS] = {
    [ON_SLOT] = "slot",     [ON_WAIT] = "wait",         [ON_STARTED] = "started",
    [ON_FAULT] = "fault",   [ON_BOOTED] = "booted",     [ON_KEYED] = "keyed",
    [ON_HELLO] = "hello",   [ON_ACCEPTED] = "accepted", [ON_READY] = "ready",
    [ON_WIPING] = "wiping", [ON_REFUSED] = "refused",   [ON_BROKEN] = "broken",
    [ON_DIED] = "died",     [ON_TIMEOUT] = "timeout",   [ON_END] = "end",
    [ON_CANCEL] = "cancel",
};

const struct job_rule *job_rule(enum job_step at, enum job_event on) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].at == at && rules[i].on == on)
            return &rules[i];
    return NULL;
}

const char *job_step_name(enum job_step s) {
    return steps[s].name;
}

const char *job_event_name(enum job_event e) {
    return events[e];
}

enum job_phase job_step_phase(enum job_step s) {
    return steps[s].phase;
}

int64_t job_boot_limit(int64_t measured_ms) {
    return measured_ms > 12000 ? measured_ms * 10 : 120000;
}

bool job_step_over(enum job_step s) {
    return s == STEP_DONE || s == STEP_FAILED;
}

bool job_step_holds_slot(enum job_step s) {
    return steps[s].slot;
}
