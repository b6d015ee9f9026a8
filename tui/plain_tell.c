/* What is new, said once. */
#include "tui/plain_priv.h"

#include <stdio.h>
#include <string.h>

#include "tui/scr.h"

#define PROGRESS_MS 10000

static struct plain_job *told_of(struct plain *p, const struct app_job *j) {
    struct plain_job *free_one = NULL;

    for (size_t i = 0; i < APP_JOBS; i++) {
        struct plain_job *t = &p->job[i];

        if (t->number == j->number)
            return t;
        if (!app_job_of(p->a, t->number))
            free_one = t; /* also one whose job was forgotten */
    }
    if (free_one) {
        buf_wipe(&free_one->begun);
        *free_one = (struct plain_job){.number = j->number, .state = SESSION_REQUESTED};
    }
    return free_one;
}

/* "Job 7f21", and first of all whether it is simulated. */
static const char *job_name(const struct app_job *j, char out[static 32]) {
    snprintf(out, 32, "%sJob %02x%02x", j->simulated ? "SIMULATED: " : "", j->id[0], j->id[1]);
    return out;
}

static void tell_steps(struct plain *p, const struct app_job *j, struct plain_job *t) {
    char name[32], when[16];

    for (enum step s = 0; s < STEP_COUNT; s++) {
        const struct app_step *at = &j->step[s];

        if (at->claimed && !(t->claimed & 1u << s)) {
            scr_elapsed(at->claimed - j->began, when);
            plain_say(p, "%s, after %s, the provider says: %s (%s).", job_name(j, name), when,
                      scr_step_name(s), scr_step_means(s));
            t->claimed |= 1u << s;
        }
        if (at->seen && !(t->seen & 1u << s)) {
            scr_elapsed(at->seen - j->began, when);
            plain_say(p, "%s, after %s, seen from here: %s (%s).", job_name(j, name), when,
                      scr_step_name(s), scr_step_means(s));
            t->seen |= 1u << s;
        }
    }
}

static void tell_verdict(struct plain *p, const struct app_job *j, struct plain_job *t) {
    const struct app_verdict *v = &j->verdict;
    char name[32];

    if (!j->has_verdict || t->verdict == v->top)
        return;
    t->verdict = v->top;
    plain_say(p, "%s: VERDICT %s%s under the policy %s, checked on this machine.",
              job_name(j, name), j->simulated ? "SIMULATED " : "", check_state_name(v->state),
              v->policy);
    if (j->simulated)
        plain_say(p, "SIMULATED: this guest is not sealed: send no secrets.");
    for (size_t i = 0; i < v->n_open; i++)
        plain_say(p, "%s: %s. %s (%s)", check_state_name(v->open[i]->state), v->open[i]->title,
                  v->open[i]->why, v->open[i]->id);
    plain_say(p, "/tree reads every check.");
}

static void tell_state(struct plain *p, const struct app_job *j, struct plain_job *t) {
    char name[32];

    if (t->state == j->state)
        return;
    t->state = j->state;
    job_name(j, name);
    if (*j->why)
        plain_say(p, "%s: %s. %s (%s)", name, session_state_name(j->state), j->why, j->why_code);
    else
        plain_say(p, "%s: %s.", name, session_state_name(j->state));
    if (j->state == SESSION_DECISION)
        plain_say(p,
                  "Nothing was sent yet. /accept accepts this guest, /destroy does away with it.");
    if (j->state == SESSION_ENDED)
        plain_say(p, "/receipt reads what the guest signed and what stays on this disk.");
}

/* --- what was said in the chat --- */

static bool growing(const struct app_job *j, size_t entry) {
    for (size_t i = 0; i < j->n_turns; i++)
        if (j->turn[i].open && j->turn[i].entry == entry)
            return true;
    return false;
}

/* Whole lines of an entry that grows, everything of one that does not. */
static void tell_entry(struct plain *p, struct plain_job *t, const struct pager_row *e,
                       bool grows) {
    struct view text = view_of(e->text.s, e->text.n);
    struct buf *begun = &t->begun;
    bool first = begun->n == 0;

    if (begun->n > text.n || (begun->n > 0 && memcmp(text.p, begun->p, begun->n) != 0)) {
        buf_reset(begun); /* it was replaced by other words */
        first = true;
    }
    while (grows && text.n > begun->n && text.p[text.n - 1] != '\n')
        text.n--;
    if (text.n == begun->n && (grows || !first))
        return;
    text = view_of(text.p + begun->n, text.n - begun->n);
    if (first && e->gutter.n > 0)
        plain_say(p, "%.*s:", (int)e->gutter.n, e->gutter.s);
    buf_add(begun, text.p, text.n);
    if (text.n > 0 && text.p[text.n - 1] == '\n')
        text.n--;
    plain_say_text(p, text);
}

static void tell_chat(struct plain *p, const struct app_job *j, struct plain_job *t) {
    struct pager_row e;

    if (!j->chat)
        return;
    if (t->entry < pager_oldest(j->chat))
        t->entry = pager_oldest(j->chat);
    while (pager_read(j->chat, t->entry, &e)) {
        bool grows = growing(j, t->entry);

        tell_entry(p, t, &e, grows);
        if (grows)
            return;
        buf_wipe(&t->begun);
        t->entry++;
    }
}

static void tell_progress(struct plain *p, const struct app_job *j, struct plain_job *t) {
    if (!*j->progress || p->a->now - t->progress < PROGRESS_MS)
        return;
    t->progress = p->a->now;
    plain_say(p, "%s", j->progress);
}

static void tell_job(struct plain *p, const struct app_job *j) {
    struct plain_job *t = told_of(p, j);

    if (!t)
        return;
    tell_steps(p, j, t);
    tell_verdict(p, j, t);
    tell_state(p, j, t);
    if (j != p->a->job)
        return;
    tell_chat(p, j, t);
    tell_progress(p, j, t);
}

/* --- questions --- */

static void tell_proposal(struct plain *p, const struct prompt *q) {
    cleanup_buf struct buf there = {0};

    prompt_text(q, &there);
    if (there.n > 0)
        plain_say(p, "Type it and press Enter, or /cancel. Enter alone takes: %.*s", (int)there.n,
                  (char *)there.p);
    else
        plain_say(p, "Type it and press Enter, or /cancel.");
}

static void tell_prompt(struct plain *p) {
    const struct prompt *q = &p->a->prompt;

    if (!q->open) {
        p->asking = false;
        return;
    }
    if (p->asking && p->asked == q->then && p->asked_body == q->body.n)
        return;
    p->asking = true;
    p->asked = q->then;
    p->asked_body = q->body.n;
    plain_say(p, "%s%s", q->until ? "" : "Question: ", q->title);
    if (q->body.n > 0)
        plain_say_text(p, buf_view(&q->body));
    if (q->until)
        plain_say(p, "At most %lld s more; Esc or /cancel stops.",
                  (long long)((q->until - p->a->now + 999) / 1000));
    else if (q->hidden)
        plain_say(p, "Type it and press Enter; it is not shown. Esc cancels.");
    else if (!q->edit)
        plain_say(p, "Type y for yes. Anything else, or nothing, is no.");
    else if (q->free)
        tell_proposal(p, q);
    else
        plain_say(p, "Type %s%s%s and press Enter. Anything else does nothing.", q->word,
                  *q->also ? " or " : "", q->also);
}

static void set_prompt(struct plain *p) {
    const struct prompt *q = &p->a->prompt;
    const char *simulated = p->a->job->exists && p->a->job->simulated ? "SIMULATED " : "";
    char prompt[40];

    if (!q->open)
        snprintf(prompt, sizeof prompt, "%s> ", simulated);
    else if (q->until)
        snprintf(prompt, sizeof prompt, "waiting> ");
    else if (q->hidden)
        snprintf(prompt, sizeof prompt, "not shown> ");
    else if (!q->edit)
        snprintf(prompt, sizeof prompt, "%sy/N> ", simulated);
    else
        snprintf(prompt, sizeof prompt, "%s%s> ", simulated, q->free ? "text" : q->word);
    p->out->prompt(p->arg, prompt, q->open && q->hidden);
}

static void tell_offers(struct plain *p) {
    struct app *a = p->a;

    if (p->settled || (!a->settled && a->conf.relays > 0))
        return;
    p->settled = true;
    if (a->conf.relays == 0)
        plain_say(
            p,
            "No relay is configured. /first asks who you are, where to look and how strict to be; "
            "or start cdvm with --relay URL. /help lists the commands.");
    else
        plain_say(p, "%zu offers from %zu of %zu relays. /offers lists them, /help the commands.",
                  shelf_count(a->shelf), a->relays_up, a->conf.relays);
}

void plain_tell(struct plain *p) {
    struct app *a = p->a;

    tell_offers(p);
    for (size_t i = 0; i < a->n_jobs; i++)
        tell_job(p, a->jobs[i]);
    if (*a->status && strcmp(a->status, p->status) != 0)
        plain_say(p, "%s", a->status);
    snprintf(p->status, sizeof p->status, "%s", a->status);
    tell_prompt(p);
    set_prompt(p);
}
