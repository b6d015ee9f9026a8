#include "tui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/palette.h"
#include "tui/scr.h"

#define FILTER_MAX 80
#define PAGE_ENTRIES 4000

/* What cannot be read is said, and left alone. */
static void remembered_open(struct app *a) {
    struct err e = {0};

    a->proven = proven_new(a->conf.proven, a->conf.history_days, &e);
    a->known = known_new(a->conf.known, a->conf.unix_now, a->conf.history_days, &e);
    a->marks = marks_new(a->conf.marks, &e);
    if (*e.text)
        app_say(a, ROLE_WARN, "%s", e.text);
}

struct app *app_new(const struct app_conf *c) {
    struct app *a = mem_new(sizeof *a);

    a->conf = *c;
    a->conf.policy = mem_str(c->policy);
    a->conf.folder = mem_str(c->folder);
    a->conf.bundles = mem_str(c->bundles);
    a->conf.proven = mem_str(c->proven);
    a->conf.known = mem_str(c->known);
    a->conf.config = mem_str(c->config);
    a->conf.state = mem_str(c->state);
    a->options = mem_new(sizeof *a->options);
    a->palette = mem_new(sizeof *a->palette);
    a->conf.marks = mem_str(c->marks);
    a->rows = 24;
    a->cols = 80;
    a->shelf = shelf_new();
    a->filter = edit_new(FILTER_MAX, false);
    a->help_page = pager_new(PAGE_ENTRIES);
    a->offer_page = pager_new(PAGE_ENTRIES);
    a->end_page = pager_new(PAGE_ENTRIES);
    a->proof_page = pager_new(PAGE_ENTRIES);
    a->cell_page = pager_new(PAGE_ENTRIES);
    a->find = edit_new(FILTER_MAX, false);
    a->receipts = receipts_new(c->bundles);
    a->shelf_changed = true;
    app_jobs_wipe(a); /* none yet */
    remembered_open(a);
    for (size_t i = 0; i < c->n_params && i < JOB_PARAMS_MAX; i++)
        a->params[a->n_params++] = c->params[i];
    return a;
}

void app_free(struct app *a) {
    if (!a)
        return;
    app_jobs_wipe(a);
    app_job_free(a->none);
    prompt_close(&a->prompt);
    app_identity_drop(a);
    edit_free(a->filter);
    pager_free(a->help_page);
    pager_free(a->offer_page);
    pager_free(a->end_page);
    pager_free(a->proof_page);
    known_free(a->known);
    pager_free(a->cell_page);
    edit_free(a->find);
    app_receipts_free(a);
    shelf_free(a->shelf);
    proven_free(a->proven);
    marks_free(a->marks);
    offer_free(a->offer);
    free((char *)a->conf.policy);
    free((char *)a->conf.folder);
    free((char *)a->conf.bundles);
    free((char *)a->conf.proven);
    free((char *)a->conf.known);
    free((char *)a->conf.config);
    free((char *)a->conf.state);
    free(a->options);
    palette_close(a->palette);
    free(a->palette);
    free((char *)a->conf.marks);
    free(a);
}

void app_clock(struct app *a, int64_t loop_ms, int64_t unix_s) {
    a->now = loop_ms;
    a->unix_now = unix_s;
}

void app_resize(struct app *a, int rows, int cols) {
    a->rows = rows;
    a->cols = cols;
}

void app_prepare(struct app *a) {
    struct scr_sizes s = scr_sizes(a);

    app_offers_view(a, false);
    if (app_looks_at(a, a->job))
        a->job->unread = 0;
    list_resize(&a->offers, shelf_shown(a->shelf), (size_t)s.offers);
    app_jobs_prepare(a, (size_t)s.jobs);
    if (a->job->tree)
        tree_resize(a->job->tree, (size_t)s.tree);
    if (a->job->chat) {
        pager_split(a->job->chat, s.split);
        pager_resize(a->job->chat, s.chat.w, s.chat.h, s.indent);
    }
    if (a->screen == SCR_SETTINGS)
        app_settings_fill(a, (size_t)s.options);
    if (a->palette->open)
        app_palette_fill(a);
    list_resize(&a->files, a->job->n_files, (size_t)s.files);
    if (app_table(a))
        app_table_fit(app_table(a), s.table.w, s.table.h);
    if (a->screen == SCR_FIRST)
        app_first_fill(a, (size_t)s.first);
    if (a->help)
        scr_help_fill(a, a->help_page);
    if (a->screen == SCR_OFFER)
        scr_offer_fill(a, a->offer_page);
    if (a->screen == SCR_END)
        scr_end_fill(a, a->end_page);
    app_receipts_prepare(a, (size_t)s.receipts);
    if (a->screen == SCR_PROOF)
        scr_proof_fill(a, a->proof_page);
    if (a->job->source_page)
        pager_resize(a->job->source_page, s.source.w, s.source.h, 0);
    pager_resize(a->help_page, s.help.w, s.help.h, SCR_HELP_INDENT);
    pager_resize(a->offer_page, s.page.w, s.page.h, 0);
    pager_resize(a->end_page, s.page.w, s.page.h, SCR_END_INDENT);
    pager_resize(a->proof_page, s.proof.w, s.proof.h, 0);
    pager_resize(a->cell_page, s.page.w, s.page.h, 0);
}

__attribute__((format(printf, 3, 0))) static void say_ap(struct app *a, enum role r,
                                                         const char *fmt, va_list ap) {
    cleanup_free char *clean = NULL;
    char text[sizeof a->status];

    vsnprintf(text, sizeof text, fmt, ap);
    clean = text_safe_new(view_str(text), TEXT_LINE, sizeof text);
    snprintf(a->status, sizeof a->status, "%s", clean);
    a->status_role = r;
}

void app_say(struct app *a, enum role r, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    say_ap(a, r, fmt, ap);
    va_end(ap);
}

/* --- events about offers --- */

void app_on_relays(struct app *a, size_t up) {
    a->relays_up = up;
}

void app_on_focus(struct app *a, bool here) {
    a->away = !here;
    a->tells_focus = true;
}

void app_on_settled(struct app *a) {
    a->settled = true;
}

/* --- what others ask --- */

bool app_simulated(const struct app *a) {
    const enum scr s = a->screen == SCR_PROOF ? a->proof_from : a->screen;

    if (s == SCR_RECEIPT || (s == SCR_RECEIPTS && a->screen == SCR_PROOF))
        return app_look(a).simulated;
    return a->job->exists && a->job->simulated && s != SCR_OFFERS && s != SCR_OFFER &&
           s != SCR_RECEIPTS;
}

enum scr app_focus(const struct app *a) {
    if (a->prompt.open)
        return a->prompt.until    ? SCR_WAIT
               : a->prompt.hidden ? SCR_HIDDEN
               : a->prompt.edit   ? SCR_WORD
                                  : SCR_YESNO;
    if (a->palette->open)
        return SCR_PALETTE;
    if (a->help)
        return SCR_HELP;
    if (a->finding != FIND_OFF && a->screen == SCR_CHAT)
        return a->finding == FIND_TYPING ? SCR_FIND : SCR_FOUND;
    return a->filtering ? SCR_FILTER : a->screen;
}
