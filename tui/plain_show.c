/* What a screen would show, as lines. */
#include "tui/plain_priv.h"

#include <stdio.h>
#include <string.h>

#include "core/nip19.h"
#include "tui/cli_tree.h"
#include "tui/offscreen.h"
#include "tui/scr.h"

static void show_offer_line(struct plain *p, size_t n, const struct shelf_row *r) {
    char key[20], age[16], proven[48];

    npub_short(r->pubkey, key);
    scr_age(p->a->unix_now - r->proof.when, age);
    snprintf(proven, sizeof proven, "%s, %s ago", scr_proof(r->proof.state).word, age);
    plain_say(p, "%zu. %s%s, %s, by %s with key %s. Proven here: %s. Claims: %s. Price: %s. %s.", n,
              r->simulated ? "SIMULATED: " : "", r->what, r->task, *r->provider ? r->provider : "?",
              key, r->proof.state == PROOF_NEVER ? "never" : proven, r->claims, r->price,
              r->alive ? "There now" : "Away");
}

void plain_show_offers(struct plain *p) {
    const struct app *a = p->a;
    size_t n = shelf_shown(a->shelf);

    plain_say(p,
              "%zu of %zu offers, sorted by: %s. Claims are the seller's words and prove nothing.",
              n, shelf_count(a->shelf), shelf_sort_name(a->sort));
    p->n_offers = n < PLAIN_OFFERS ? n : PLAIN_OFFERS;
    for (size_t i = 0; i < p->n_offers; i++) {
        const struct shelf_row *r = shelf_at(a->shelf, i);

        memcpy(p->offer[i].pubkey, r->pubkey, 32);
        memcpy(p->offer[i].d, r->d, sizeof p->offer[i].d);
        show_offer_line(p, i + 1, r);
    }
    if (n > PLAIN_OFFERS)
        plain_say(p, "And %zu more: /offers WORDS names fewer.", n - PLAIN_OFFERS);
    if (n > 0)
        plain_say(p, "/offer NUMBER reads one in full.");
}

static void show_page(struct plain *p, const struct pager *page) {
    struct pager_row e;

    for (size_t id = pager_oldest(page); id <= pager_newest(page); id++)
        if (pager_read(page, id, &e) && (e.text.n > 0 || e.gutter.n > 0))
            plain_say(p, "%.*s%s%.*s", (int)e.gutter.n, e.gutter.s, e.gutter.n > 0 ? ": " : "",
                      (int)e.text.n, e.text.s);
}

void plain_show_offer(struct plain *p) {
    show_page(p, p->a->offer_page);
    plain_say(p, "/start asks for a guest; no data is sent by that.");
}

static void show_job_line(struct plain *p, size_t n, const struct app_job *j) {
    const struct app *a = p->a;
    char key[20], all[16];

    npub_short(j->provider, key);
    scr_elapsed((j->ended ? j->ended : a->now) - j->began, all);
    plain_say(p, "%sjob %zu, %02x%02x: %s. Verdict: %s. %s by %s with key %s. %s. %zu new.%s",
              j->simulated ? "SIMULATED: " : "", n, j->id[0], j->id[1],
              session_state_name(j->state),
              j->has_verdict ? check_state_name(j->verdict.state) : "none yet", j->what,
              *j->provider_name ? j->provider_name : "?", key, all, j->unread,
              j == a->job ? " The present one." : "");
}

void plain_show_jobs(struct plain *p) {
    const struct app *a = p->a;
    const struct app_job *j = a->job;

    for (size_t i = 0; i < a->n_jobs; i++)
        show_job_line(p, i + 1, a->jobs[i]);
    if (a->n_jobs == 0)
        plain_say(p, "There is no job yet.");
    for (enum step s = 0; j->exists && s < STEP_COUNT; s++) {
        char claimed[16], seen[16];

        scr_elapsed(j->step[s].claimed - j->began, claimed);
        scr_elapsed(j->step[s].seen - j->began, seen);
        if (j->step[s].claimed)
            plain_say(p, "%s: the provider says so, after %s.", scr_step_name(s), claimed);
        if (j->step[s].seen)
            plain_say(p, "%s: seen from here, after %s.", scr_step_name(s), seen);
    }
    if (*j->claim)
        plain_say(p, "The provider's last words: %s", j->claim);
}

void plain_show_tree(struct plain *p) {
    cleanup_buf struct buf text = {0};
    const struct app_job *j = p->a->job;

    if (!j->has_verdict) {
        plain_say(p, "Nothing was verified yet.");
        return;
    }
    checks_text(j->verdict.top, j->simulated, &text);
    plain_say_text(p, view_of(text.p, text.n > 0 ? text.n - 1 : 0));
    plain_say(p, "/why ID tells more of one; the ID stands behind each line.");
}

static const struct check *check_named(const struct check *c, const char *id) {
    if (!strcmp(c->id, id))
        return c;
    for (size_t i = 0; i < c->n_children; i++) {
        const struct check *found = check_named(c->child[i], id);

        if (found)
            return found;
    }
    return NULL;
}

void plain_show_check(struct plain *p, const char *id) {
    const struct app_job *j = p->a->job;
    const struct check *c = j->has_verdict ? check_named(j->verdict.top, id) : NULL;

    if (!c) {
        plain_say(p, "There is no check %s; /tree lists them.", id);
        return;
    }
    plain_say(p, "%s%s: %s. Source: %s. %s", j->simulated ? "SIMULATED " : "",
              check_state_name(c->state), c->title, check_source_name(c->source), c->why);
    if (*c->expected)
        plain_say(p, "expected: %s", c->expected);
    if (*c->got)
        plain_say(p, "got: %s", c->got);
}

/* Numbers as /get takes them: of the files that came. */
void plain_show_files(struct plain *p) {
    static const char *const STATE[] = {
        [FILE_MOVING] = "on its way", [FILE_WHOLE] = "whole", [FILE_BROKEN] = "broken"};
    const struct app_job *j = p->a->job;
    size_t came = 0;

    for (size_t i = 0; i < j->n_files; i++) {
        const struct app_file *f = &j->file[i];
        char size[16], number[24] = "sent";

        scr_bytes(f->size, size);
        if (!f->up)
            snprintf(number, sizeof number, "file %zu", ++came);
        plain_say(p, "%s: %s, %s, %s%s%s%s%s", number, f->name, size, STATE[f->state],
                  f->saved ? ", saved as " : "", f->saved ? f->saved : "", *f->why ? ": " : "",
                  f->why);
    }
    if (j->n_files == 0)
        plain_say(p, "No files. /attach PATH sends one.");
    if (came > 0)
        plain_say(p, "/get NUMBER saves one that came.");
}

void plain_show_end(struct plain *p) {
    if (!p->a->job->exists) {
        plain_say(p, "There is no job yet.");
        return;
    }
    scr_end_fill(p->a, p->a->end_page);
    show_page(p, p->a->end_page);
}

void plain_show_keys(struct plain *p) {
    enum scr s = app_focus(p->a);
    const struct key_row *row;
    size_t n;

    row = keys_table(&n);
    plain_say(p, "Screen: %s.", keys_screen_name(s));
    for (size_t i = 0; i < n; i++) {
        char name[24];

        keys_name(row[i].key[0], name);
        if (keys_on(&row[i], s))
            plain_say(p, "%s: %s", name, row[i].help);
    }
    plain_say(p, "/press KEY presses one.");
}

void plain_show_status(struct plain *p) {
    const struct app *a = p->a;
    const char *why = NULL;

    plain_say(p, "%zu of %zu relays are up. Screen: %s.", a->relays_up, a->conf.relays,
              keys_screen_name(a->screen));
    if (!a->job->exists)
        plain_say(p, "No job.");
    else
        show_job_line(p, 1, a->job);
    if (*a->job->progress)
        plain_say(p, "%s", a->job->progress);
    if (a->job->exists && !app_may_send(a, &why))
        plain_say(p, "%s", why);
}

static void say_drawn(void *arg, struct safe_text line) {
    struct plain *p = arg;

    p->out->say(p->arg, line);
}

void plain_show_drawn(struct plain *p) {
    offscreen_read(p->a, say_drawn, p);
}

static void show_first_relays(struct plain *p) {
    const struct conf_key *key = settings_key("relay");
    const struct conf_list *known = settings_known(p->a->conf.set, key);

    for (size_t i = 0; i < known->n; i++)
        plain_say(p, "%zu. %s, %s.", i + 1, known->v[i],
                  settings_in_use(p->a->conf.set, key, known->v[i]) ? "on" : "off");
    plain_say(p, "%zu. Add a relay.", known->n + 1);
    plain_say(p, "/first NUMBER switches one on or off; nothing is asked of one that is off.");
}

void plain_show_first(struct plain *p) {
    const struct first *f = &p->a->first;
    const struct first_choice *c = first_titles[f->step].choice;

    plain_say(p, "First start, question %d of %d: %s", (int)f->step + 1, FIRST_STEPS,
              first_titles[f->step].title);
    if (f->step == FIRST_RELAYS)
        show_first_relays(p);
    for (size_t i = 0; c[i].label; i++)
        plain_say(p, "%zu. %s: %s.%s", i + 1, c[i].label, c[i].about,
                  f->chosen[f->step] == i ? " Chosen." : "");
    plain_say(p, "/first NUMBER chooses, /first next goes on%s, /first skip leaves it at that.",
              f->step > 0 ? ", /first back returns" : "");
}

void plain_show_screen(struct plain *p) {
    static void (*const SHOW[SCR_COUNT])(struct plain * p) = {
        [SCR_OFFERS] = plain_show_offers, [SCR_OFFER] = plain_show_offer,
        [SCR_JOBS] = plain_show_jobs,     [SCR_ATTEST] = plain_show_tree,
        [SCR_CHAT] = plain_show_status,   [SCR_END] = plain_show_end,
        [SCR_FIRST] = plain_show_first,
    };

    if (SHOW[p->a->screen])
        SHOW[p->a->screen](p);
    else
        plain_show_drawn(p);
}
