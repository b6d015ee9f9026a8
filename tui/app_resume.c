/* Jobs that outlive a crash of this program: the passphrase that is set for it, and the questions
 * at the next start. */
#include "tui/app.h"

#include <stdio.h>
#include <string.h>

bool app_resume_on(const struct app *a) {
    return a->conf.resume && resume_on(a->conf.resume);
}

/* --- setting it --- */

void app_resume_set(struct app *a) {
    struct prompt *p = &a->prompt;

    if (!a->conf.resume) {
        app_say(a, ROLE_WARN, "nothing can be kept here");
        return;
    }
    app_identity_drop(a);
    prompt_ask_hidden(p, THEN_RESUME_SET, "A passphrase for picking jobs up");
    buf_fmt(&p->body,
            "At least %d characters. While a job runs, its key and what has not reached the guest "
            "yet are then kept on disk, encrypted, so that a crash of this program does not end "
            "it. They go when the job ends.",
            IDENTITY_PASSPHRASE_MIN);
}

void app_resume_unset(struct app *a) {
    struct err e;

    if (!app_resume_on(a))
        app_say(a, ROLE_DIM, "no job is kept on disk");
    else if (resume_unset(a->conf.resume, &e))
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "no job is kept on disk any more; a crash ends them");
}

static void set_typed(struct app *a, struct hidden *typed) {
    if (hidden_view(typed).n < IDENTITY_PASSPHRASE_MIN) {
        app_say(a, ROLE_WARN, "that is shorter than %d characters: nothing was done",
                IDENTITY_PASSPHRASE_MIN);
        hidden_free(typed);
        return;
    }
    a->identity.first = typed;
    prompt_ask_hidden(&a->prompt, THEN_RESUME_AGAIN, "The same passphrase again");
}

static void set_again(struct app *a, struct hidden *typed) {
    struct err e;

    if (!hidden_eq(a->identity.first, typed))
        app_say(a, ROLE_WARN, "the two passphrases differ: nothing was done");
    else if (resume_set(a->conf.resume, hidden_view(typed), &e))
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "jobs that are accepted from now on survive a crash of this program");
    hidden_free(typed);
    app_identity_drop(a);
}

/* --- what was left --- */

static size_t left(struct app *a, struct resume_left out[static RESUME_JOBS]) {
    size_t stale, n = resume_scan(a->conf.resume, a->unix_now, out, &stale);

    if (stale)
        app_say(a, ROLE_WARN,
                "%zu interrupted job%s cannot be picked up any more: the guest has wiped itself, "
                "having heard nothing for ten minutes",
                stale, stale > 1 ? "s" : "");
    return n;
}

static void list_left(const struct app *a, struct buf *body) {
    struct resume_left job[RESUME_JOBS];
    size_t stale, n = resume_scan(a->conf.resume, a->unix_now, job, &stale);

    for (size_t i = 0; i < n; i++) {
        int64_t over = job[i].until == INT64_MAX ? 0 : (job[i].until - a->unix_now) / 60;

        buf_fmt(body, "job %.8s", job[i].job);
        if (over > 0)
            buf_fmt(body, ", whose guest waits %lld minutes more", (long long)over);
        buf_str(body, "\n");
    }
}

void app_resume_look(struct app *a) {
    struct resume_left job[RESUME_JOBS];
    struct prompt *p = &a->prompt;
    size_t n;

    if (!a->conf.resume || (n = left(a, job)) == 0)
        return;
    prompt_ask(p, THEN_RESUME, n > 1 ? "Pick these jobs up again?" : "Pick this job up again?",
               NULL);
    buf_str(&p->body, "This program ended in the middle of it:\n");
    list_left(a, &p->body);
    buf_str(&p->body, "The guest is verified anew; what was said before is not here.");
}

static void ask_passphrase(struct app *a) {
    prompt_ask_hidden(&a->prompt, THEN_RESUME_PASSPHRASE, "Passphrase");
    list_left(a, &a->prompt.body);
}

static int pick_up(struct app *a, const char *job, struct err *e) {
    struct buf text = {.max = RESUME_FILE_MAX};
    int rc = resume_read(a->conf.resume, job, a->unix_now, &text, e);

    if (rc == 0)
        rc = a->conf.port->resume(a->conf.port_arg, buf_view(&text), e);
    buf_wipe(&text);
    return rc;
}

static void pick_all_up(struct app *a) {
    struct resume_left job[RESUME_JOBS];
    size_t n = left(a, job), picked = 0;
    struct err e = {0};

    for (size_t i = 0; i < n; i++)
        picked += pick_up(a, job[i].job, &e) == 0;
    resume_lock(a->conf.resume);
    if (picked < n)
        app_say(a, ROLE_BAD, "%s", e.text);
    else if (n > 0)
        app_say(a, ROLE_TEXT, "picked up; its guest is being verified again");
}

static void passphrase_typed(struct app *a, struct hidden *typed) {
    struct err e;
    int rc = resume_unlock(a->conf.resume, hidden_view(typed), &e);

    hidden_free(typed);
    if (rc == 0) {
        pick_all_up(a);
        return;
    }
    app_say(a, ROLE_BAD, "%s", e.text);
    ask_passphrase(a);
}

void app_resume_refused(struct app *a) {
    struct prompt *p = &a->prompt;

    prompt_ask(p, THEN_RESUME_FORGET, "Forget it then?", NULL);
    list_left(a, &p->body);
    buf_str(&p->body, "y deletes what is left of it here: its guest wipes itself when it hears "
                      "nothing more. Otherwise the next start asks again.");
}

static void forget_all(struct app *a) {
    struct resume_left job[RESUME_JOBS];
    size_t n = left(a, job);
    struct err e;

    for (size_t i = 0; i < n; i++)
        if (resume_forget(a->conf.resume, job[i].job, &e)) {
            app_say(a, ROLE_BAD, "%s", e.text);
            return;
        }
    app_say(a, ROLE_TEXT, "forgotten");
}

void app_resume_answered(struct app *a, enum prompt_then then, struct hidden *secret) {
    if (then == THEN_RESUME)
        ask_passphrase(a);
    else if (then == THEN_RESUME_PASSPHRASE)
        passphrase_typed(a, secret);
    else if (then == THEN_RESUME_FORGET)
        forget_all(a);
    else if (then == THEN_RESUME_SET)
        set_typed(a, secret);
    else
        set_again(a, secret);
}
