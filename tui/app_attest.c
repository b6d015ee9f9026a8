/* The verdict on the screens: its lines, the person's decision about it, and what is remembered of
 * both. */
#include "tui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/scr.h"

/* --- a verdict comes --- */

static struct facts *facts_copy(const struct facts *f) {
    struct facts *copy = f ? mem_new(sizeof *copy) : NULL;

    if (copy)
        *copy = *f;
    return copy;
}

/* Beside what was met before; a second verdict of the same job is compared with the same. */
static void take_facts(const struct app *a, struct app_job *j, const struct app_verdict *v) {
    exhibit_free(j->exhibit);
    j->exhibit = v->exhibit;
    free(j->facts);
    j->facts = facts_copy(v->facts);
    if (!j->before && j->facts)
        j->before = facts_copy(known_last(a->known, j->facts));
}

static void take_tree(const struct app *a, struct app_job *j, const struct app_verdict *v) {
    struct tree *old = j->tree;

    j->tree = tree_new(v->top, (size_t)scr_sizes(a).tree);
    if (old)
        tree_adopt(j->tree, old);
    else
        tree_next_open(j->tree);
    tree_free(old);
}

static void step_seen(const struct app *a, struct app_job *j, enum step s) {
    if (j->step[s].seen == 0)
        j->step[s].seen = a->now;
}

void app_on_verdict(struct app *a, unsigned job, const struct app_verdict *v) {
    struct app_job *j = app_job_of(a, job);

    if (!j) {
        exhibit_free(v->exhibit);
        return;
    }
    step_seen(a, j, STEP_HELLO);
    step_seen(a, j, STEP_VERDICT);
    take_facts(a, j, v);
    take_tree(a, j, v);
    j->verdict = *v;
    j->verdict.facts = NULL; /* those were for the call */
    j->verdict.exhibit = NULL;
    j->has_verdict = true;
    j->simulated |= v->simulated;
    app_remember_verdict(a, j, v);
}

void app_attest_accepted(struct app *a, struct app_job *j) {
    struct err e;

    if (j->facts && known_put(a->known, j->facts, &e) != 0)
        app_say(a, ROLE_WARN, "%s", e.text);
}

/* --- what screens ask --- */

static struct app_look look_at_job(const struct app_job *j) {
    return (struct app_look){.tree = j->tree,
                             .exhibit = j->exhibit,
                             .before = j->before,
                             .after = j->facts,
                             .simulated = j->verdict.simulated,
                             .policy = j->verdict.policy,
                             .provider_name = j->provider_name,
                             .job = j->id,
                             .provider = j->provider,
                             .as_of = j->verdict.as_of};
}

static struct app_look look_at_receipt(const struct app_receipt *r) {
    const struct verdict *v = r->of_then ? r->then : r->now;

    return (struct app_look){.tree = r->tree[r->of_then],
                             .exhibit = r->exhibit,
                             .before = r->then ? &r->facts[1] : NULL,
                             .after = &r->facts[0],
                             .simulated = verdict_simulated(v),
                             .policy = verdict_policy(v),
                             .provider_name = "",
                             .job = r->bundle.request->f.id,
                             .provider = r->facts[0].provider,
                             .as_of = verdict_as_of(v)};
}

struct app_look app_look(const struct app *a) {
    const enum scr s = a->screen == SCR_PROOF ? a->proof_from : a->screen;

    if (s == SCR_ATTEST)
        return look_at_job(a->job);
    if ((s == SCR_RECEIPT || s == SCR_RECEIPTS) && a->receipt)
        return look_at_receipt(a->receipt);
    return (struct app_look){0};
}

static struct tree *tree_here(const struct app *a) {
    return a->screen == SCR_ATTEST || a->screen == SCR_RECEIPT ? app_look(a).tree : NULL;
}

/* `id` stands in a list of ids parted by commas. */
static bool list_has(const char *list, const char *id) {
    size_t n = strlen(id);

    for (const char *p = list; (p = strstr(p, id)); p += n)
        if ((p == list || p[-1] == ',') && (p[n] == ',' || p[n] == 0))
            return true;
    return false;
}

bool app_check_changed(const struct app_job *j, const struct check *c) {
    if (!j->facts || !j->before || c->n_children > 0)
        return false;
    for (enum fact f = 0; f < FACT_COUNT; f++)
        if (!strcmp(fact_check(f), c->id) && !fact_same(j->before, j->facts, f))
            return true;
    return list_has(j->before->text[FACT_OPEN], c->id) !=
           list_has(j->facts->text[FACT_OPEN], c->id);
}

int64_t app_check_accepted(const struct app *a, const struct app_job *j, const struct check *c) {
    return j->facts && c->state == CHECK_WARN && c->n_children == 0
               ? known_accepted(a->known, j->facts, c)
               : 0;
}

/* --- the decision --- */

static const char *accept_refusal(const struct app *a) {
    const struct app_job *j = a->job;

    if (!j->has_verdict)
        return "there is no verdict yet";
    if (a->conf.set->look_only)
        return "look-only is set: guests are verified, and never accepted (screen 6)";
    if (j->state == SESSION_ACCEPTED || j->state == SESSION_READY)
        return "this guest is accepted already";
    if (j->state != SESSION_DECISION)
        return "there is nothing to decide";
    for (size_t i = 0; i < j->verdict.n_open; i++)
        if (j->verdict.open[i]->state != CHECK_WARN)
            return "what failed, or was not checked though required, cannot be accepted";
    return NULL;
}

/* Every warning was accepted earlier, with this value, on this machine and image. */
static bool all_remembered(const struct app *a) {
    const struct app_verdict *v = &a->job->verdict;

    for (size_t i = 0; i < v->n_open; i++)
        if (!app_check_accepted(a, a->job, v->open[i]))
            return false;
    return !v->simulated && v->n_open > 0;
}

/* Where something can be remembered at all, and is not yet. */
static bool can_remember(const struct app *a) {
    const struct facts *f = a->job->facts;

    return f && !f->simulated && f->chip_len > 0;
}

static void question_words(const struct app *a, struct prompt *p, bool remembered) {
    const struct app_verdict *v = &a->job->verdict;
    char age[16];

    if (v->simulated)
        buf_str(&p->body, "No hardware protects this guest: its owner can read all you send.\n");
    for (size_t i = 0; i < v->n_open; i++) {
        int64_t when = app_check_accepted(a, a->job, v->open[i]);

        scr_age(a->unix_now - when, age);
        buf_fmt(&p->body, "WARN %s: %s", v->open[i]->id, v->open[i]->why);
        buf_fmt(&p->body, when ? " (accepted %s ago, same value)\n" : "\n", age);
    }
    if (remembered)
        buf_str(&p->body, "You accepted all of it earlier, of this same machine and image.");
    else if (p->also[0])
        buf_fmt(&p->body,
                "Type %s for this job only, or %s to be asked less next time this same "
                "machine shows this same value.",
                p->word, p->also);
    else
        buf_fmt(&p->body, "For this job only. Type %s and press Enter.", p->word);
}

void app_ask_accept(struct app *a) {
    const struct app_verdict *v = &a->job->verdict;
    const char *refusal = accept_refusal(a);
    struct prompt *p = &a->prompt;
    bool remembered;

    if (refusal) {
        app_say(a, ROLE_WARN, "%s", refusal);
        return;
    }
    remembered = all_remembered(a);
    prompt_ask(p, THEN_ACCEPT, v->simulated ? "Accept a SIMULATED guest?" : "Accept warnings?",
               v->simulated ? "simulated"
               : remembered ? NULL
                            : "accept");
    p->job = a->job->number;
    if (!v->simulated && !remembered && can_remember(a))
        snprintf(p->also, sizeof p->also, "remember");
    question_words(a, p, remembered);
}

static int confirm_all(struct app *a, struct err *e) {
    const struct app_verdict v = a->job->verdict;

    for (size_t i = 0; i < v.n_open; i++)
        if (a->conf.port->confirm(a->conf.port_arg, a->job->number, v.open[i]->id,
                                  app_check_accepted(a, a->job, v.open[i]) != 0, e) != 0)
            return -1;
    return 0;
}

static int remember_all(struct app *a, struct err *e) {
    const struct app_verdict v = a->job->verdict;

    for (size_t i = 0; i < v.n_open; i++)
        if (known_accept(a->known, a->job->facts, v.open[i], e) != 0)
            return -1;
    return 0;
}

void app_accept(struct app *a, bool remember) {
    bool simulated = a->job->verdict.simulated;
    struct err e;

    if (confirm_all(a, &e) != 0 ||
        a->conf.port->accept(a->conf.port_arg, a->job->number, simulated, &e) != 0 ||
        (remember && remember_all(a, &e) != 0))
        app_say(a, ROLE_BAD, "%s", e.text);
    else
        app_say(a, ROLE_TEXT, "accepted%s; the guest loads workload and model",
                remember ? " and remembered" : "");
}

/* --- keys of the tree --- */

void app_tree_do(struct app *a, void (*what)(struct tree *t)) {
    if (tree_here(a))
        what(tree_here(a));
}

void app_proof_open(struct app *a, enum proof_page what) {
    a->proof = what;
    a->proof_from = a->screen;
    pager_clear(a->proof_page);
    app_go(a, SCR_PROOF);
}

void app_evidence(struct app *a) {
    if (!app_look(a).tree || !app_look(a).exhibit)
        app_say(a, ROLE_WARN, "there is no evidence yet");
    else
        app_proof_open(a, PROOF_EVIDENCE);
}

void app_changes(struct app *a) {
    const struct app_look look = app_look(a);

    if (!look.after)
        app_say(a, ROLE_WARN, "there is no verdict yet");
    else if (!look.before)
        app_say(a, ROLE_DIM,
                a->screen == SCR_RECEIPT ? "it was never accepted: there is no then"
                                         : "no guest of this provider was accepted here before");
    else
        app_proof_open(a, PROOF_CHANGES);
}

/* The line under the cursor; on the first line, all of this provider. */
void app_forget_accepted(struct app *a) {
    const struct check *c = tree_here(a) ? tree_current(tree_here(a)) : NULL;
    bool all = c && c == a->job->verdict.top;
    struct err e;
    int n;

    if (!c || !a->job->facts) {
        app_say(a, ROLE_WARN, "there is no verdict yet");
        return;
    }
    n = known_forget(a->known, a->job->facts, all ? NULL : c, &e);
    if (n < 0)
        app_say(a, ROLE_BAD, "%s", e.text);
    else if (n == 0)
        app_say(a, ROLE_DIM, "nothing is remembered %s", all ? "of this provider" : "of this line");
    else
        app_say(a, ROLE_TEXT, "%d remembered acceptance%s forgotten: you will be asked again", n,
                n > 1 ? "s" : "");
}
