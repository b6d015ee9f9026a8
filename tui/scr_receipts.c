/* Receipts: what was saved, as it was accepted then and as this machine finds it now; one of them
 * verified anew. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "attest/compare.h"
#include "core/nip19.h"

#define DATE_CELLS 16

static void date(int64_t unix_s, char out[static 24]) {
    time_t t = (time_t)unix_s;
    struct tm tm;

    if (!localtime_r(&t, &tm) || !strftime(out, 24, "%Y-%m-%d %H:%M", &tm))
        snprintf(out, 24, "?");
}

/* --- the list --- */

static struct scr_state look_then(const struct receipt_row *r) {
    static const enum check_state ALL[] = {CHECK_PASS, CHECK_WARN, CHECK_NOT_CHECKED, CHECK_FAIL};
    bool sim = strncmp(r->then, "SIMULATED ", 10) == 0;

    for (size_t i = 0; i < COUNT(ALL); i++)
        if (!strcmp(r->then + (sim ? 10 : 0), check_state_name(ALL[i])))
            return scr_check(ALL[i], sim);
    return (struct scr_state){*r->then ? "unknown" : "-", "[ ]", ROLE_DIM};
}

static struct scr_state look_now(const struct receipt_row *r) {
    if (!r->read)
        return (struct scr_state){"...", "", ROLE_DIM};
    if (!r->judged)
        return (struct scr_state){"unreadable", "[x]", ROLE_BAD};
    return scr_check(r->now, r->simulated);
}

static void draw_state(struct scr_state s, int y, int x, int w) {
    draw_fmt(y, x, w, s.role, "%s%s%s", s.symbol, *s.symbol ? " " : "", s.word);
}

static void draw_titles(const struct app *a, int y, int w) {
    int x = 3;

    draw_text(y, x, DATE_CELLS, ROLE_DIM, safe_lit("ACCEPTED"));
    x += DATE_CELLS + 1;
    draw_text(y, x, w, ROLE_DIM, safe_lit("THEN"));
    draw_text(y, x + w + 1, w, ROLE_DIM, safe_lit("NOW"));
    x += 2 * w + 2;
    draw_text(y, x, a->cols - x, ROLE_DIM, safe_lit("KEY        PROVIDER"));
}

static void draw_row(const struct app *a, const struct receipt_row *r, int y, int w, bool cursor) {
    char when[24], key[20];
    int x = 3;

    if (cursor)
        draw_text(y, 0, 1, ROLE_ACCENT, safe_lit(">"));
    if (a->marked && !strcmp(a->marked, r->name))
        draw_text(y, 1, 1, ROLE_ACCENT, safe_lit("*"));
    date(r->accepted ? r->accepted : r->saved, when);
    npub_short(r->provider, key);
    draw_fmt(y, x, DATE_CELLS, r->accepted ? ROLE_TEXT : ROLE_DIM, "%s", when);
    x += DATE_CELLS + 1;
    if (r->read && !r->judged) {
        draw_state(look_now(r), y, x + w + 1, w);
        draw_fmt(y, x + 2 * w + 2, a->cols - x - 2 * w - 3, ROLE_DIM, "%s", r->name);
    } else {
        draw_state(look_then(r), y, x, w);
        draw_state(look_now(r), y, x + w + 1, w);
        x += 2 * w + 2;
        if (r->read)
            draw_fmt(y, x, a->cols - x - 1, ROLE_TEXT, "%.9s  %s", key, r->provider_name);
    }
    if (cursor)
        draw_look(y, 0, a->cols, ROLE_CURSOR);
}

/* Under the list: the file under the cursor, in words. */
static void draw_pane(const struct app *a, const struct receipt_row *r, int y) {
    char key[20], size[16], job[17] = "";

    draw_rule(y, 0, a->cols, RULE_THIN);
    if (!r)
        return;
    scr_bytes(r->size, size);
    draw_fmt(y + 1, 1, a->cols - 2, ROLE_TEXT, "%s, %s", r->name, size);
    if (*r->why) {
        draw_fmt(y + 2, 1, a->cols - 2, ROLE_BAD, "not read: %s", r->why);
        return;
    }
    if (!r->read)
        return;
    npub_short(r->provider, key);
    snprintf(job, sizeof job, "%02x%02x", r->job[0], r->job[1]);
    draw_fmt(y + 2, 1, a->cols - 2, ROLE_TEXT, "job %s, %s by %s (%s)%s", job, r->what,
             r->provider_name, key, r->claims_sim ? ", SIMULATED" : "");
    draw_fmt(y + 3, 1, a->cols - 2, ROLE_DIM, "%s%s%s",
             r->accepted ? "accepted under policy " : "never accepted",
             r->accepted ? (*r->policy ? r->policy : "unknown") : "",
             r->has_receipt ? "; the guest signed a receipt" : "; no receipt of the guest");
}

struct scr_cursor scr_receipts_draw(const struct app *a, const struct scr_sizes *s) {
    const struct list *l = &a->receipt_list;
    int y = s->body.y, w = a->cols >= 80 ? 15 : 9;

    if (l->n == 0) {
        draw_text(y + 1, 2, a->cols - 4, ROLE_TEXT, safe_lit("Nothing is saved here yet."));
        draw_wrap(y + 3, 2, a->cols - 4, 4, ROLE_DIM,
                  safe_lit("s saves the bundle of a job: its evidence, and at the end the receipt "
                           "that its guest signed. It can be verified again here, or by `cdvm "
                           "verify` on any machine, offline."));
        return (struct scr_cursor){-1, 0};
    }
    draw_titles(a, y, w);
    for (int i = 0; i < s->receipts; i++) {
        const struct receipt_row *r = receipts_at(a->receipts, l->top + (size_t)i);

        if (r)
            draw_row(a, r, y + 1 + i, w, l->top + (size_t)i == l->cur);
    }
    draw_pane(a, receipts_at(a->receipts, l->cur), y + 1 + s->receipts);
    return (struct scr_cursor){-1, 0};
}

/* --- one, verified anew --- */

static void draw_verdicts(const struct app *a, const struct app_receipt *r, int y) {
    const struct verdict *v = r->of_then ? r->then : r->now;
    struct scr_state look = scr_check(verdict_state(v), verdict_simulated(v));
    char when[24], age[16];
    int x = 1;

    date(verdict_as_of(v), when);
    scr_age(a->unix_now - verdict_as_of(v), age);
    x += draw_fmt(y, x, 8, ROLE_TITLE, r->of_then ? "THEN  " : "NOW  ");
    if (verdict_simulated(v))
        x += draw_text(y, x, 10, ROLE_SIM, safe_lit("SIMULATED "));
    x += draw_fmt(y, x, 12, look.role, "%s", look.word) + 2;
    if (r->of_then)
        draw_fmt(y, x, a->cols - x - 1, ROLE_TEXT, "as of %s, %s ago, by your clock", when, age);
    else if (r->then)
        draw_fmt(y, x, a->cols - x - 1, ROLE_TEXT, "here %s; then %s%s (t)", when,
                 verdict_simulated(r->then) ? "SIMULATED " : "",
                 check_state_name(verdict_state(r->then)));
    else
        draw_fmt(y, x, a->cols - x - 1, ROLE_TEXT, "here %s; never accepted", when);
}

static void draw_covers(const struct app *a, const struct app_receipt *r, int y) {
    const struct check *c = verdict_find(r->now, "receipt.coverage");
    char key[20];
    int x = 1;

    npub_short(r->facts[0].provider, key);
    x += draw_fmt(y, x, a->cols - 2, ROLE_TEXT, "job %02x%02x  %.9s  ", r->bundle.request->f.id[0],
                  r->bundle.request->f.id[1], key);
    if (!c)
        draw_text(y, x, a->cols - x - 1, ROLE_WARN, safe_lit("no receipt of the guest"));
    else if (c->state == CHECK_PASS)
        draw_fmt(y, x, a->cols - x - 1, verdict_simulated(r->now) ? ROLE_SIM : ROLE_OK,
                 "receipt covers %s", c->got);
    else
        draw_fmt(y, x, a->cols - x - 1, scr_check(c->state, true).role, "%s", c->why);
}

/* Lines whose state is another now than then. */
static bool differs(const void *arg, const struct check *c) {
    const struct app_receipt *r = arg;
    const struct check *other;

    if (!r->then || c->n_children > 0)
        return false;
    other = verdict_find(r->of_then ? r->now : r->then, c->id);
    return !other || other->state != c->state;
}

struct scr_cursor scr_receipt_draw(const struct app *a, const struct scr_sizes *s) {
    const struct app_receipt *r = a->receipt;
    struct scr_proof p;
    int y = s->body.y;

    if (!r)
        return (struct scr_cursor){-1, 0};
    p = (struct scr_proof){.tree = r->tree[r->of_then],
                           .exhibit = r->exhibit,
                           .simulated = verdict_simulated(r->of_then ? r->then : r->now),
                           .changed = differs,
                           .arg = r};
    draw_verdicts(a, r, y);
    draw_covers(a, r, y + 1);
    if (s->head > 2)
        draw_rule(y + 2, 0, a->cols, RULE_THIN);
    scr_tree_draw(&p, y + s->head, s->tree, a->cols);
    scr_why_draw(&p, y + s->head + s->tree, s->why, a->cols);
    return (struct scr_cursor){-1, 0};
}

/* --- two beside each other --- */

static void fill_whose(const struct app_receipt *r, const char *which, struct pager *p) {
    char when[24], key[20];

    date(r->facts[1].when ? r->facts[1].when : r->facts[0].when, when);
    npub_short(r->facts[0].provider, key);
    pager_line(p, ROLE_TEXT, "%-7s %s  %s  job %02x%02x  %s", which, when, key,
               r->bundle.request->f.id[0], r->bundle.request->f.id[1], r->name);
}

static void fill_change(const struct change *c, struct pager *p) {
    pager_line(p, ROLE_WARN, "%s  (%s)", c->title, c->id);
    pager_line(p, ROLE_TEXT, "  before  %s  %s", check_state_name(c->was), c->before);
    pager_line(p, ROLE_TEXT, "  after   %s  %s", check_state_name(c->is), c->after);
}

void scr_diff_fill(const struct app *a, struct pager *p) {
    struct change c[64];
    size_t n;

    fill_whose(a->other, "before", p);
    fill_whose(a->receipt, "after", p);
    if (memcmp(a->other->facts[0].provider, a->receipt->facts[0].provider, 32) != 0)
        pager_line(p, ROLE_WARN, "These are two different providers.");
    pager_gap(p);
    scr_facts_fill(&a->other->facts[0], &a->receipt->facts[0], p);
    n = verdict_changes(a->other->now, a->receipt->now, c, COUNT(c));
    pager_gap(p);
    pager_line(p, ROLE_TITLE, "LINE BY LINE, both as of now: %zu differ", n);
    for (size_t i = 0; i < n && i < COUNT(c); i++)
        fill_change(&c[i], p);
}
