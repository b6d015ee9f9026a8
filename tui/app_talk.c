/* The conversation: questions and what became of them, answers as they stream, and asking again. */
#include "tui/app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/links.h"

#define ANSWER_SHOWN ((size_t)4 << 20) /* bytes; the guest may send 64 MiB */

/* --- turns --- */

void app_turn_free(struct app_turn *t) {
    sources_free(&t->sources);
    buf_wipe(&t->question);
    buf_wipe(&t->held);
}

struct app_turn *app_turn_of(struct app_job *j, const uint8_t *id) {
    for (size_t i = j->n_turns; id && i-- > 0;)
        if (!memcmp(j->turn[i].id, id, 32))
            return &j->turn[i];
    return NULL;
}

const struct app_turn *app_job_answering(const struct app_job *j) {
    for (size_t i = j->n_turns; i-- > 0;)
        if (j->turn[i].open)
            return &j->turn[i];
    return NULL;
}

const struct app_turn *app_answering(const struct app *a) {
    return app_job_answering(a->job);
}

static struct app_turn *turn_add(struct app_job *j, const uint8_t id[static 32], int64_t now) {
    struct app_turn *t;

    if (j->n_turns == APP_TURNS) {
        app_turn_free(&j->turn[0]);
        memmove(j->turn, j->turn + 1, (APP_TURNS - 1) * sizeof j->turn[0]);
        j->n_turns--;
    }
    t = &j->turn[j->n_turns++];
    *t = (struct app_turn){.open = true, .asked = now};
    memcpy(t->id, id, 32);
    return t;
}

/* --- asking --- */

bool app_send(struct app *a, struct view text) {
    struct app_job *j = a->job;
    struct app_turn *t;
    const char *why;
    uint8_t id[32];
    struct err e;

    if (!app_may_send(a, &why)) {
        app_say(a, ROLE_WARN, "%s", why);
        return false;
    }
    if (a->conf.port->ask(a->conf.port_arg, j->number, text, id, &e) != 0) {
        app_say(a, ROLE_BAD, "not sent: %s", e.text);
        return false;
    }
    t = turn_add(j, id, a->now);
    buf_add(&t->question, text.p, text.n);
    t->said = app_job_chat(a, j, "you", ROLE_ACCENT, false, text);
    pager_tag(j->chat, t->said, "sending");
    pager_move(j->chat, LIST_BOTTOM);
    return true;
}

/* The nth newest question, from 1, when it is done with. */
static const struct app_turn *turn_closed(struct app *a, size_t n) {
    const struct app_job *j = a->job;
    const struct app_turn *t = n >= 1 && n <= j->n_turns ? &j->turn[j->n_turns - n] : NULL;

    if (!t && j->n_turns == 0)
        app_say(a, ROLE_WARN, "nothing was asked yet");
    else if (!t)
        app_say(a, ROLE_WARN, "the last %zu questions are kept: 1 is the newest", j->n_turns);
    else if (t->open)
        app_say(a, ROLE_WARN, "%s",
                t->acked ? "that question is being answered: Ctrl-C stops it"
                         : "that question is on its way, and is repeated until the guest has it");
    return t && !t->open ? t : NULL;
}

void app_resend(struct app *a, size_t n) {
    const struct app_turn *t = turn_closed(a, n);
    cleanup_buf struct buf text = {0};

    if (!t)
        return;
    buf_add(&text, t->question.p, t->question.n); /* its turn may go when one is added */
    (void)app_send(a, buf_view(&text));
    explicit_bzero(text.p, text.n);
}

/* The draft that stands there goes into the history, so that Up brings it back. */
void app_edit_again(struct app *a, size_t n) {
    const struct app_turn *t = turn_closed(a, n);

    if (!t)
        return;
    edit_remember(a->input);
    edit_set(a->input, buf_view(&t->question));
}

void app_stop_answer(struct app *a) {
    const struct app_turn *t = app_answering(a);
    struct err e;

    if (!t)
        app_say(a, ROLE_DIM, "no answer is being given");
    else if (a->conf.port->cancel(a->conf.port_arg, a->job->number, t->id, &e) != 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_DIM, "asked the guest to stop");
}

/* --- what comes --- */

void app_on_sent(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_turn *t;

    if (app_file_sent(a, j, ev->id))
        return;
    t = app_turn_of(j, ev->id);
    if (!t || t->acked)
        return;
    t->acked = true;
    if (t->open)
        pager_tag(j->chat, t->said, "sent");
}

static void show_more(struct app *a, struct app_job *j, struct app_turn *t, size_t n) {
    cleanup_buf struct buf shown = {0};

    if (n == 0)
        return;
    if (t->entry == 0)
        t->entry = app_job_chat(a, j, "guest", ROLE_TEXT, false, view_str(""));
    links_plain(view_of(t->held.p, n), &shown);
    pager_extend(j->chat, t->entry, buf_view(&shown));
    buf_drop(&t->held, n);
}

static void count_words(struct app_turn *t, struct view text) {
    for (size_t i = 0; i < text.n; i++) {
        bool letter = text.p[i] > ' ';

        t->words += letter && !t->in_word;
        t->in_word = letter;
    }
}

void app_on_delta(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_turn *t = app_turn_of(j, ev->id);

    if (!t || !t->open || ev->text.n == 0)
        return;
    if (t->first == 0)
        t->first = a->now;
    count_words(t, ev->text);
    if (t->shown >= ANSWER_SHOWN)
        return;
    t->shown += ev->text.n;
    buf_add(&t->held, ev->text.p, ev->text.n);
    show_more(a, j, t, links_settled(buf_view(&t->held)));
}

/* What it took, in the guest's own count. */
static void note_usage(struct app *a, struct app_job *j, const struct app_turn *t,
                       const struct talk_usage *u) {
    int64_t ms = a->now - t->first;
    char rate[40] = "";

    if (u->completion == 0)
        return;
    if (t->first > 0 && ms >= 1000)
        snprintf(rate, sizeof rate, ", %.1f a second", (double)u->completion * 1000 / (double)ms);
    app_job_note(a, j, ROLE_DIM, "%" PRIu64 " tokens%s%s.", u->completion, rate,
                 strcmp(u->finish, "length") ? "" : "; it ended at its limit");
}

static void put_answer(struct app *a, struct app_job *j, struct app_turn *t, enum role r,
                       struct view text) {
    cleanup_buf struct buf shown = {0};

    links_plain(view_of(text.p, text.n < ANSWER_SHOWN ? text.n : ANSWER_SHOWN), &shown);
    if (t && t->entry)
        pager_replace(j->chat, t->entry, r, buf_view(&shown));
    else if (text.n > 0) {
        size_t entry = app_job_chat(a, j, "guest", r, false, buf_view(&shown));

        if (t)
            t->entry = entry;
    }
    if (text.n > ANSWER_SHOWN)
        app_job_note(a, j, ROLE_WARN, "The answer has %zu bytes: only the first %zu are shown.",
                     text.n, ANSWER_SHOWN);
}

void app_on_answer(struct app *a, struct app_job *j, const struct session_event *ev) {
    struct app_turn *t = app_turn_of(j, ev->id);

    j->progress[0] = 0;
    j->pace = (struct pace){0};
    put_answer(a, j, t, ev->code ? ROLE_BAD : ROLE_TEXT, ev->text);
    if (ev->code)
        app_job_note(a, j, ROLE_BAD, "Not answered (%s). Alt-r asks again, Alt-e changes it first.",
                     ev->code);
    app_job_news(a, j);
    if (!t)
        return;
    t->open = false;
    buf_wipe(&t->held);
    if (ev->code)
        pager_tag(j->chat, t->said, strcmp(ev->code, "cancelled") ? "failed" : "stopped");
    else
        pager_tag(j->chat, t->said, "answered");
    if (ev->usage && !ev->code)
        note_usage(a, j, t, ev->usage);
    app_sources_under(a, j, t);
}

void app_on_progress(struct app *a, struct app_job *j, const struct session_event *ev) {
    cleanup_free char *unit = text_safe_new(ev->text, TEXT_LINE, 40);
    cleanup_free char *note = text_safe_new(view_str(ev->note ? ev->note : ""), TEXT_LINE, 100);
    char words[120];

    pace_at(&j->pace, a->now, ev->done, ev->total);
    pace_words(&j->pace, unit, words, sizeof words);
    snprintf(j->progress, sizeof j->progress, "%s%s%s", words, *note ? ", " : "", note);
}

void app_talk_over(struct app_job *j) {
    for (size_t i = 0; i < j->n_turns; i++) {
        struct app_turn *t = &j->turn[i];

        if (t->open && t->said)
            pager_tag(j->chat, t->said, t->acked ? "no answer" : "not acked");
        t->open = false;
    }
    j->progress[0] = 0;
}
