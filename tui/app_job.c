#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "tui/scr.h"

#define LEASE_MINUTES 60 /* what accept states; an offer may give less */

unsigned app_on_started(struct app *a, const struct offer *o, const uint8_t id[static 32]) {
    struct app_job *j = app_job_add(a);

    if (!j)
        return 0;
    j->simulated = offer_simulated(o);
    j->began = a->now;
    j->began_unix = a->unix_now;
    memcpy(j->id, id, 32);
    memcpy(j->provider, o->pubkey, 32);
    text_clip(j->provider_name, sizeof j->provider_name, o->provider_name);
    model_of_offer(o, &j->model);
    if (model_named(&j->model))
        model_words(&j->model, j->what, sizeof j->what);
    else
        text_clip(j->what, sizeof j->what, o->workload_name);
    shelf_price(o, j->price, sizeof j->price);
    j->minutes = offer_limit(o, "lease", LEASE_MINUTES * 60) / 60;
    if (j->minutes > LEASE_MINUTES)
        j->minutes = LEASE_MINUTES;
    j->price_msat = o->price_msat;
    j->patience = offer_accept_ms(o);
    j->per_minute = !strcmp(o->price_unit, "minute");
    j->remembered.msat = (int64_t)o->price_msat;
    j->chat = pager_new(CHAT_ENTRIES);
    j->state = SESSION_REQUESTED;
    j->step[STEP_REQUEST].seen = a->now;
    app_job_note(a, j, ROLE_DIM, "Nothing leaves this machine before the guest is verified.");
    app_job_show(a, j);
    app_go(a, SCR_JOBS);
    return j->number;
}

/* A precision for "%.*s" of a view, whose p may then be NULL. */
static int words(struct view v, size_t max) {
    return (int)(v.n < max ? v.n : max);
}

/* Something that a person will want to know of has come: marked until its screens are shown. */
void app_job_news(const struct app *a, struct app_job *j) {
    j->unread += !app_looks_at(a, j);
}

/* A state of the job that a person waits for: told aloud, unless it is known that the eyes are on
 * it. Never a message. */
static void tell(struct app *a, struct app_job *j, const char *what) {
    bool away = a->away || !a->tells_focus;
    char words[64];

    app_job_news(a, j);
    if (!away && j == a->job && (app_looks_at(a, j) || a->screen == SCR_JOBS))
        return;
    snprintf(words, sizeof words, "job %02x%02x %s", j->id[0], j->id[1], what);
    if (j != a->job)
        app_say(a, ROLE_WARN, "%s: Alt-a goes there", words);
    a->conf.port->tell(a->conf.port_arg, words, away);
}

/* --- the way of the job --- */

static void step_claimed(const struct app *a, struct app_job *j, enum step s) {
    if (j->step[s].claimed == 0)
        j->step[s].claimed = a->now;
}

static void step_seen(const struct app *a, struct app_job *j, enum step s) {
    if (j->step[s].seen == 0)
        j->step[s].seen = a->now;
}

static void on_phase(struct app *a, struct app_job *j, const struct session_event *ev) {
    static const enum step STEP[] = {
        [PHASE_QUEUED] = STEP_QUEUED,   [PHASE_CREATING] = STEP_CREATING,
        [PHASE_BOOTING] = STEP_BOOTING, [PHASE_ATTESTING] = STEP_ATTESTING,
        [PHASE_SERVING] = STEP_READY,   [PHASE_WIPING] = STEP_WIPING,
        [PHASE_DONE] = STEP_GONE,
    };
    cleanup_free char *text = text_safe_new(ev->text, TEXT_LINE, 200);

    snprintf(j->claim, sizeof j->claim, "%s%s%s", job_phase_name(ev->phase), *text ? ": " : "",
             text);
    if (ev->phase < COUNT(STEP) && STEP[ev->phase] != STEP_REQUEST)
        step_claimed(a, j, STEP[ev->phase]);
}

static void state_ended(struct app *a, struct app_job *j, const struct session_event *ev) {
    static const char *const ENDED[] = {[SESSION_ENDED] = "has ended",
                                        [SESSION_REFUSED] = "was refused",
                                        [SESSION_FAILED] = "has failed"};

    j->ended = a->now;
    app_talk_over(j);
    if (ev->why) {
        snprintf(j->why_code, sizeof j->why_code, "%s", ev->why->code);
        snprintf(j->why, sizeof j->why, "%s", ev->why->text);
    }
    app_job_note(a, j, j->state == SESSION_ENDED ? ROLE_DIM : ROLE_BAD, "The job is over (%s).%s%s",
                 session_state_name(j->state), *j->why ? " " : "", j->why);
    app_save_ended(a, j);
    app_remember_end(a, j);
    tell(a, j, ENDED[j->state]);
    if (j == a->job && (a->screen == SCR_JOBS || a->screen == SCR_CHAT || a->screen == SCR_ATTEST))
        app_go(a, SCR_END);
}

static void on_state(struct app *a, struct app_job *j, const struct session_event *ev) {
    j->state = ev->state;
    switch (ev->state) {
    case SESSION_REQUESTED:
        return;
    case SESSION_STARTING:
        return;
    case SESSION_VERIFYING:
        step_seen(a, j, STEP_HELLO);
        return;
    case SESSION_DECISION:
        j->decide_by = a->now + j->patience;
        tell(a, j, "needs your decision");
        if (j == a->job && a->screen == SCR_JOBS)
            app_go(a, SCR_ATTEST);
        return;
    case SESSION_ACCEPTED:
        step_seen(a, j, STEP_ACCEPT);
        app_attest_accepted(a, j);
        return;
    case SESSION_READY:
        step_seen(a, j, STEP_READY);
        return;
    case SESSION_ENDING:
        step_seen(a, j, STEP_END);
        app_job_note(a, j, ROLE_DIM, "Ending: waiting for the guest's receipt.");
        return;
    case SESSION_ENDED:
    case SESSION_REFUSED:
    case SESSION_FAILED:
        state_ended(a, j, ev);
        return;
    }
}

/* Who will answer, and how far to trust it. */
static void note_model(struct app *a, struct app_job *j) {
    const struct model *m = &j->model;
    const char *caution = model_caution(m);
    char words[160];

    model_words(m, words, sizeof words);
    if (model_named(m))
        app_job_note(a, j, ROLE_TITLE, "Model: %s%s.", words,
                     m->by_guest ? "" : ", says the seller");
    if (caution)
        app_job_note(a, j, ROLE_WARN, "%s", caution);
    if (m->emulated)
        app_job_note(a, j, ROLE_DIM, "The guest's processor is emulated: an answer takes minutes.");
}

static void on_ready(struct app *a, struct app_job *j, const struct session_event *ev) {
    cleanup_free char *name = text_safe_new(ev->text, TEXT_LINE, 60);

    step_seen(a, j, STEP_READY);
    snprintf(j->workload, sizeof j->workload, "%s", name);
    model_learn(&j->model, ev->json);
    app_job_note(a, j, ROLE_DIM,
                 "Ready: %s. /attach PATH sends a file, /help lists the rest. What is said here "
                 "stays in memory; /save writes it to a file.",
                 j->model.by_guest ? "chat" : name); /* whose name is its model's */
    note_model(a, j);
    tell(a, j, "is ready");
    if (j == a->job && (a->screen == SCR_JOBS || a->screen == SCR_ATTEST))
        app_go(a, SCR_CHAT);
}

/* --- the end --- */

static void on_receipt(const struct app *a, struct app_job *j, const struct session_event *ev) {

    step_seen(a, j, STEP_RECEIPT);
    j->has_receipt = true;
    if (ev->receipt)
        j->receipt = *ev->receipt;
    j->uncovered = ev->uncovered;
    snprintf(j->receipt_note, sizeof j->receipt_note, "%.*s", words(ev->text, 250),
             (const char *)ev->text.p);
}

static void on_teardown(const struct app *a, struct app_job *j, const struct session_event *ev) {
    step_claimed(a, j, STEP_GONE);
    j->has_teardown = true;
    j->teardown = *ev->teardown;
}

static void on_notice(struct app *a, struct app_job *j, const struct session_event *ev) {
    app_job_note(a, j, ROLE_WARN, "%.*s (%s)", words(ev->text, 900), (const char *)ev->text.p,
                 ev->code ? ev->code : "notice");
    if (j == a->job)
        app_say(a, ROLE_WARN, "%.*s", words(ev->text, 200), (const char *)ev->text.p);
}

void app_on_session(struct app *a, unsigned job, const struct session_event *ev) {
    struct app_job *j = app_job_of(a, job);

    if (!j)
        return; /* forgotten in a hurry: the engine alone cares now */
    switch (ev->type) {
    case SE_STATE:
        on_state(a, j, ev);
        return;
    case SE_PHASE:
        on_phase(a, j, ev);
        return;
    case SE_VERDICT: /* app_on_verdict */
    case SE_CLOSED:
        return;
    case SE_NOTICE:
        on_notice(a, j, ev);
        return;
    case SE_READY:
        on_ready(a, j, ev);
        return;
    case SE_SENT:
        app_on_sent(a, j, ev);
        return;
    case SE_DELTA:
        app_on_delta(a, j, ev);
        return;
    case SE_PROGRESS:
        app_on_progress(a, j, ev);
        return;
    case SE_SOURCES:
        app_on_sources(a, j, ev);
        return;
    case SE_TABLE:
        app_on_table(a, j, ev->json);
        return;
    case SE_ANSWER:
        app_on_answer(a, j, ev);
        return;
    case SE_FILE_UP:
        app_on_file_moved(a, j, ev, true);
        return;
    case SE_FILE_DOWN:
        app_on_file_moved(a, j, ev, false);
        return;
    case SE_FILE:
        app_on_file(a, j, ev);
        return;
    case SE_FILE_FAILED:
        app_on_file_failed(a, j, ev);
        return;
    case SE_RECEIPT:
        on_receipt(a, j, ev);
        return;
    case SE_TEARDOWN:
        on_teardown(a, j, ev);
        return;
    }
}
