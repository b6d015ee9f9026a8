/* The program under the screens: relays, a session for each job, the terminal, all on the loop. It
 * turns what happens into app_on_* and what the model asks into calls of the session. */
#ifndef CDVM_ENGINE_H
#define CDVM_ENGINE_H

#include "attest/policy.h"
#include "core/dvm.h"
#include "tui/settings.h"
#include "tui/tui.h"

struct engine_conf {
    struct settings *set; /* relays may be none: then a hint is shown */
    const struct policy *policy;
    bool policy_given; /* on this run's command line */
    struct tui_options tui;
    struct job_param params[JOB_PARAMS_MAX]; /* of every job */
    size_t n_params;
};

/* Runs until the person leaves. 0, or -1 with e when it could not start. */
int engine_run(const struct engine_conf *c, struct err *e) WARN_UNUSED;

#endif
