/* The questions: what is asked before anything is started, accepted, sent or ended, and what a yes
 * then does. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/enc.h"
#include "core/hash.h"
#include "core/nip19.h"
#include "core/text.h"
#include "tui/path.h"

bool app_may_send(const struct app *a, const char **why) {
    static const char *const WHY[] = {
        [SESSION_REQUESTED] = "not sent: the provider has not answered, there is no guest",
        [SESSION_STARTING] = "not sent: the guest is starting and has shown no report",
        [SESSION_VERIFYING] = "not sent: the guest's report is being checked",
        [SESSION_DECISION] = "not sent: the verdict needs your decision (F3, then a)",
        [SESSION_ACCEPTED] = "not sent: the guest is still loading; wait for ready",
        [SESSION_READY] = NULL,
        [SESSION_ENDING] = "not sent: the job is ending",
        [SESSION_ENDED] = "not sent: the job is over, the guest is gone",
        [SESSION_REFUSED] = "not sent: the verdict does not allow it",
        [SESSION_FAILED] = "not sent: the job has failed",
    };

    *why = a->job->exists ? WHY[a->job->state] : "not sent: there is no guest yet";
    return a->job->exists && a->job->state == SESSION_READY;
}

/* --- start --- */

void app_ask_start(struct app *a) {
    struct prompt *p = &a->prompt;
    const struct app_job *goes = app_jobs_oldest_ended(a);
    char key[20], price[48];

    if (!a->offer)
        return;
    if (app_jobs_full(a)) {
        app_say(a, ROLE_WARN, "%d guests are alive: end one of those jobs first (screen 2, then x)",
                APP_JOBS);
        return;
    }
    npub_short(a->offer->pubkey, key);
    shelf_price(a->offer, price, sizeof price);
    prompt_ask(p, THEN_START, "Start a guest?", NULL);
    buf_fmt(&p->body, "%s (%s) starts a machine for this one job. Price: %s.\n",
            a->offer->provider_name, key, price);
    buf_str(&p->body, "No data is sent yet: the machine first has to prove what it is.");
    if (offer_simulated(a->offer))
        buf_str(&p->body, "\nIt is SIMULATED: nothing about it will be secret.");
    app_identity_line(a, &p->body);
    if (goes)
        buf_fmt(&p->body, "\nTo make room, job %02x%02x, which has ended, is forgotten.",
                goes->id[0], goes->id[1]);
}

static void start(struct app *a) {
    struct err e;

    if (a->conf.port->start(a->conf.port_arg, a->offer, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
}

/* --- parameters of the next job --- */

void app_ask_param(struct app *a) {
    struct prompt *p = &a->prompt;

    prompt_ask_text(p, THEN_PARAM, "Set a parameter of the job",
                    sizeof a->params->key + sizeof a->params->value);
    buf_str(&p->body, "KEY=VALUE, for example system=Answer in one sentence.\n");
    buf_str(&p->body, "It goes into the request: the provider can read it. Put nothing private "
                      "here; what you attach and ask later, only the guest can read.");
}

static void set_param(struct app *a, struct view typed) {
    cleanup_free char *text = mem_strn(typed.p, typed.n);
    struct err e;

    if (!*text)
        return;
    if (job_param_put(text, a->params, &a->n_params, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    pager_clear(a->offer_page);
}

/* --- end, quit --- */

void app_ask_end(struct app *a) {
    struct prompt *p = &a->prompt;

    if (!app_job_alive(a->job)) {
        app_say(a, ROLE_WARN, "there is no guest to destroy");
        return;
    }
    prompt_ask(p, THEN_END, "End the job?", NULL);
    p->job = a->job->number;
    buf_str(&p->body, "The guest signs a receipt, wipes its memory and powers off. It cannot be "
                      "brought back.");
}

void app_ask_forget(struct app *a) {
    const struct app_job *j = a->job;
    struct prompt *p = &a->prompt;
    size_t unsaved = 0;

    if (!j->exists || app_job_alive(j)) {
        app_say(a, ROLE_WARN,
                j->exists ? "its guest is alive: end the job first, x"
                          : "there is no job to forget");
        return;
    }
    for (size_t i = 0; i < j->n_files; i++)
        unsaved += !j->file[i].up && j->file[i].state == FILE_WHOLE && !j->file[i].saved;
    prompt_ask(p, THEN_FORGET, "Forget this job?", NULL);
    p->job = j->number;
    buf_fmt(&p->body, "Job %02x%02x, %s: its conversation and its evidence are wiped from memory.",
            j->id[0], j->id[1], j->what);
    if (unsaved > 0)
        buf_fmt(&p->body, "\n%zu %s not saved and will be lost.", unsaved,
                unsaved == 1 ? "file that came is" : "files that came are");
    if (j->has_receipt && !j->bundle)
        buf_str(&p->body, "\nIts receipt is not saved and will be lost: s saves it.");
}

void app_ask_quit(struct app *a) {
    struct prompt *p = &a->prompt;

    size_t n = app_jobs_alive(a);

    prompt_ask(p, THEN_QUIT, "Leave?", NULL);
    if (n == 1)
        buf_str(&p->body,
                "A guest is alive. Leaving ends its job: it wipes its memory and powers off.");
    else
        buf_fmt(&p->body,
                "%zu guests are alive. Leaving ends their jobs: they wipe their memory and power "
                "off.",
                n);
}

static void end_job(struct app *a) {
    if (a->job->state == SESSION_DECISION)
        a->conf.port->refuse(a->conf.port_arg, a->job->number);
    else
        a->conf.port->end(a->conf.port_arg, a->job->number);
}

static void app_refused(struct app *a) {
    enum prompt_then then = a->prompt.then;

    if (then == THEN_SIGNER)
        app_signer_stop(a);
    prompt_close(&a->prompt);
    app_identity_drop(a);
    if (then == THEN_RESUME || then == THEN_RESUME_PASSPHRASE)
        app_resume_refused(a);
}

void app_answered(struct app *a, bool yes) {
    enum prompt_then then = a->prompt.then;
    unsigned job = a->prompt.job;
    cleanup_buf struct buf typed = {0};
    struct hidden *secret;

    if (!yes) {
        app_refused(a);
        return;
    }
    prompt_text(&a->prompt, &typed);
    secret = prompt_hidden(&a->prompt);
    if (!prompt_answer(&a->prompt)) {
        app_say(a, ROLE_WARN, "that is not the word: nothing was done");
        return;
    }
    if (job && job != a->job->number) { /* a yes is for what was asked, and for nothing else */
        app_say(a, ROLE_WARN, "that job is not on the screen any more: nothing was done");
        return;
    }
    switch (then) {
    case THEN_NOTHING:
    case THEN_SIGNER:
    case THEN_COUNT:
        return;
    case THEN_START:
        start(a);
        return;
    case THEN_ACCEPT:
        app_accept(a, view_is(buf_view(&typed), "remember"));
        return;
    case THEN_ATTACH:
        app_attach(a);
        return;
    case THEN_SAVE:
        app_save_named(a, buf_view(&typed));
        return;
    case THEN_PARAM:
        set_param(a, buf_view(&typed));
        return;
    case THEN_SETTING:
        app_settings_typed(a, buf_view(&typed));
        return;
    case THEN_FORGET_SELLER:
        app_offers_forget(a);
        return;
    case THEN_END:
        end_job(a);
        return;
    case THEN_FORGET:
        app_job_forget(a, a->job);
        return;
    case THEN_DELETE:
        app_receipt_delete(a);
        return;
    case THEN_QUIT:
        a->conf.port->quit(a->conf.port_arg, false);
        return;
    case THEN_IDENTITY_NAME:
    case THEN_IDENTITY_KEY:
    case THEN_IDENTITY_SIGNER:
    case THEN_IDENTITY_PASSPHRASE:
    case THEN_IDENTITY_AGAIN:
    case THEN_IDENTITY_UNLOCK:
    case THEN_IDENTITY_REMOVE:
        app_identity_answered(a, then, buf_view(&typed), secret);
        return;
    case THEN_RESUME:
    case THEN_RESUME_PASSPHRASE:
    case THEN_RESUME_FORGET:
    case THEN_RESUME_SET:
    case THEN_RESUME_AGAIN:
        app_resume_answered(a, then, secret);
        return;
    }
}

/* --- the bundle --- */

/* In the usual place a bundle that was saved before is left alone: this one gets another name. */
/* path NULL or "": the usual place, under a name that is free. */
static int save_bundle(struct app *a, struct app_job *j, const char *path, struct err *e) {
    cleanup_free char *usual = NULL, *to = NULL;
    char id[17];

    hex_encode(view_of(j->id, 8), id);
    usual = mem_fmt("%s/%s.json", a->conf.bundles, id);
    to = path && *path ? mem_str(path) : path_free_name(usual);
    if (a->conf.port->save(a->conf.port_arg, j->number, to, e) != 0)
        return -1;
    free(j->bundle);
    j->bundle = path_shown(to);
    j->bundle_receipt = j->has_receipt;
    app_job_keep(j, "evidence", to);
    return 0;
}

void app_save_bundle(struct app *a, const char *path) {
    struct app_job *j = a->job;
    struct err e;

    if (!j->has_verdict)
        app_say(a, ROLE_WARN, "there is no evidence to save yet");
    else if (save_bundle(a, j, path, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "saved %s; `cdvm verify` checks it offline", j->bundle);
}

/* Where the person asked for it. What was saved before the receipt came is saved again, beside. */
void app_save_ended(struct app *a, struct app_job *j) {
    struct err e;

    if (!a->conf.set || !a->conf.set->keep_receipts || !j->has_verdict ||
        (j->bundle && j->bundle_receipt == j->has_receipt))
        return;
    if (save_bundle(a, j, NULL, &e) != 0)
        app_job_note(a, j, ROLE_BAD, "The receipt was not saved: %s", e.text);
    else
        app_job_note(a, j, ROLE_DIM, "Saved %s.", j->bundle);
}
