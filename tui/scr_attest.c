/* What was verified: a tree that folds; the line under the cursor explains itself below. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/nip19.h"
#include "tui/remedy.h"

static const char *decision(const struct app *a) {
    switch (a->job->state) {
    case SESSION_DECISION:
        return "nothing sent yet: a decides";
    case SESSION_REFUSED:
        return "nothing was sent, nor will be";
    case SESSION_ACCEPTED:
        return "accepted";
    case SESSION_READY:
        return "accepted; the guest is ready";
    case SESSION_REQUESTED:
    case SESSION_STARTING:
    case SESSION_VERIFYING:
        return "nothing was sent";
    case SESSION_ENDING:
    case SESSION_ENDED:
    case SESSION_FAILED:
        return "the job is over";
    }
    return "";
}

/* When it was verified on this machine, how old that is, and how long it took. */
static int draw_when(const struct app *a, int y) {
    const struct app_verdict *v = &a->job->verdict;
    char time[16], age[16];

    scr_age(a->unix_now - v->as_of, age);
    scr_clock(v->as_of, true, time);
    if (a->cols < 80)
        return draw_right(y, a->cols - 1, 20, ROLE_DIM, " %s ago", age);
    return draw_right(y, a->cols - 1, 48, ROLE_DIM, " %s%s, %s ago, %.1f ms",
                      a->cols < 100 ? "" : "verified here ", time, age, (double)v->took_us / 1000);
}

static void draw_verdict(const struct app *a, int y) {
    const struct app_verdict *v = &a->job->verdict;
    struct scr_state look = scr_check(v->state, v->simulated);
    int x = 1, right = draw_when(a, y);

    x += draw_text(y, x, 9, ROLE_TITLE, safe_lit("VERDICT  "));
    if (v->simulated)
        x +=
            draw_text(y, x, 10, ROLE_SIM, safe_lit("SIMULATED ")); /* the word, beside the banner */
    x += draw_fmt(y, x, 12, look.role, "%s", look.word) + 2;
    draw_fmt(y, x, right - x, ROLE_TEXT, "%s", decision(a));
}

/* What is other than last time here, in a word. */
static int draw_since(const struct app *a, int y) {
    const struct app_job *j = a->job;
    size_t n = j->facts && j->before ? facts_differ(j->before, j->facts) : 0;
    char age[16];

    if (!j->facts)
        return a->cols - 1;
    if (!j->before)
        return draw_right(y, a->cols - 1, 24, ROLE_DIM, " first time here");
    scr_age(j->facts->when - j->before->when, age);
    if (n == 0)
        return draw_right(y, a->cols - 1, 24, ROLE_DIM, " same as %s ago", age);
    return draw_right(y, a->cols - 1, 28, ROLE_WARN, " %zu changed since %s", n, age);
}

/* Whose guest this is, and for which job: always in sight. */
static void draw_whose(const struct app *a, int y) {
    const struct app_job *j = a->job;
    int x = 1, right = draw_since(a, y) - 1;
    char key[20], guest[20];

    npub_short(j->provider, key);
    npub_short(j->verdict.guest, guest);
    x += draw_fmt(y, x, right - x, ROLE_TEXT, "job %02x%02x  ", j->id[0], j->id[1]);
    x += draw_fmt(y, x, right - x, ROLE_TEXT, "%.*s  ", a->cols >= 100 ? 20 : 9, key);
    if (j->verdict.has_guest)
        x += draw_fmt(y, x, right - x, ROLE_DIM, "guest %.9s  ", guest);
    draw_fmt(y, x, right - x, ROLE_TEXT, "%s", j->provider_name);
}

/* A digest that does not fit shows its two ends. */
static void value(const char *s, int w, char *out, size_t n) {
    size_t len = strlen(s);

    if (len > (size_t)w && len >= 32 && !strchr(s, ' '))
        snprintf(out, n, "%.8s..%s", s, s + len - 4);
    else
        snprintf(out, n, "%s", *s ? s : "nothing");
}

/* At the right: what was got, or what was expected where that differs. Returns where it starts. */
static int draw_value(const struct check *c, int y, int right, int w) {
    bool differs = c->state != CHECK_PASS && *c->expected;
    char got[128], expected[128];

    if (w < 12 || (!*c->got && !differs))
        return right + 2;
    value(c->got, differs ? w / 2 - 3 : w, got, sizeof got);
    value(c->expected, w / 2 - 3, expected, sizeof expected);
    if (differs)
        return draw_right(y, right, w, ROLE_TEXT, "%s, not %s", got, expected);
    return draw_right(y, right, w, ROLE_DIM, "%s", got);
}

/* What else is to be known of a line: accepted now or earlier, not as last time, asserted by the
 * measured guest where others are signed by hardware or computed here. */
static int draw_marks(const struct scr_proof *p, const struct check *c, int y, int x) {
    int from = x;

    if (c->confirmed && c->remembered)
        x += draw_text(y, x, 16, ROLE_DIM, safe_lit("accepted earlier")) + 1;
    else if (c->confirmed)
        x += draw_text(y, x, 9, ROLE_DIM, safe_lit("accepted")) + 1;
    else if (p->accepted && p->accepted(p->arg, c))
        x += draw_text(y, x, 16, ROLE_DIM, safe_lit("accepted earlier")) + 1;
    if (p->changed && p->changed(p->arg, c))
        x += draw_text(y, x, 8, ROLE_WARN, safe_lit("changed")) + 1;
    if (c->source == SOURCE_GUEST)
        x += draw_text(y, x, 13, ROLE_DIM, safe_lit("guest's word:")) + 1;
    return x - from;
}

static void draw_check(const struct scr_proof *p, const struct tree_row *r, int y, int cols,
                       bool cursor) {
    struct scr_state look = scr_check(r->check->state, p->simulated);
    int x = 2 + 2 * (int)(r->depth < 8 ? r->depth : 8), right = cols - 1, title;

    if (cursor)
        draw_text(y, 0, 1, ROLE_ACCENT, safe_lit(">"));
    if (r->branch)
        draw_text(y, x, 1, ROLE_DIM, r->folded ? safe_lit("+") : safe_lit("-"));
    x += 2;
    x += draw_fmt(y, x, 16, look.role, "%s %s", look.symbol, look.word) + 1;
    x += draw_marks(p, r->check, y, x);
    title = text_width(view_str(r->check->title));
    if (title > (right - x) * 5 / 8)
        title = (right - x) * 5 / 8; /* what is left of a long one when the value is long too */
    right = draw_value(r->check, y, right, right - x - title - 2) - 2;
    draw_fmt(y, x, right - x, ROLE_TEXT, "%s", r->check->title);
    if (cursor)
        draw_look(y, 0, cols, ROLE_CURSOR);
}

void scr_tree_draw(const struct scr_proof *p, int y, int h, int cols) {
    struct tree_row row;

    for (int i = 0; i < h; i++) {
        size_t at = tree_list(p->tree)->top + (size_t)i;

        if (tree_row(p->tree, at, &row))
            draw_check(p, &row, y + i, cols, at == tree_list(p->tree)->cur);
    }
}

/* --- the explanation below --- */

static void draw_hex(const struct scr_proof *p, const struct check *c, int y, int cols) {
    const struct exhibit_item *it = exhibit_behind(p->exhibit, c->id, 0);
    cleanup_buf struct buf hex = {0};

    if (!it)
        return;
    exhibit_hex(it, cols >= 100 ? 16 : 8, &hex);
    draw_text(y, 1, 5, ROLE_TITLE, safe_lit("HEX"));
    if (it->offset == EXHIBIT_NOWHERE)
        draw_fmt(y, 6, cols - 7, ROLE_TEXT, "%s %s", it->name, (char *)hex.p);
    else
        draw_fmt(y, 6, cols - 7, ROLE_TEXT, "0x%03zx %s %s", it->offset, it->name, (char *)hex.p);
}

/* Whose word it is stays in sight; a digest that is cut off is whole on the page of the evidence.
 */
static void draw_values(const struct check *c, int y, int cols) {
    int right = draw_right(y, cols - 1, 30, ROLE_DIM, " %s, %s", check_source_name(c->source),
                           c->required ? "required" : "optional");

    draw_fmt(y, 1, right - 2, ROLE_DIM, "%s%s%s%s%s%s%s", *c->got ? "got " : "", c->got,
             *c->got ? "   " : "", *c->expected ? "expected " : "", c->expected,
             *c->expected ? "   " : "", c->id);
}

void scr_why_draw(const struct scr_proof *p, int y, int h, int cols) {
    const struct check *c = tree_current(p->tree);
    const char *remedy = c ? remedy_of(c) : "";
    cleanup_buf struct buf b = {0};
    int x = 6, at = y + 1, end = y + h - 2; /* HEX and values */

    draw_rule(y, 0, cols, RULE_THIN);
    if (!c)
        return;
    draw_text(at, 1, 5, ROLE_TITLE, safe_lit("WHY"));
    at += draw_wrap(at, x, cols - x - 1, *remedy && end - at > 1 ? end - at - 1 : end - at,
                    ROLE_TEXT, text_safe(view_str(c->why), TEXT_PROSE, 2000, &b));
    if (*remedy && at < end) {
        draw_text(at, 1, 5, ROLE_TITLE, safe_lit("DO"));
        draw_wrap(at, x, cols - x - 1, end - at, ROLE_TEXT,
                  text_safe(view_str(remedy), TEXT_PROSE, 400, &b));
    }
    draw_hex(p, c, end, cols);
    draw_values(c, end + 1, cols);
}

/* --- the screen --- */

struct of_job {
    const struct app *a;
    const struct app_job *j;
};

static bool job_changed(const void *arg, const struct check *c) {
    const struct of_job *o = arg;

    return app_check_changed(o->j, c);
}

static bool job_accepted(const void *arg, const struct check *c) {
    const struct of_job *o = arg;

    return app_check_accepted(o->a, o->j, c) != 0;
}

struct scr_cursor scr_attest_draw(const struct app *a, const struct scr_sizes *s) {
    const struct app_job *j = a->job;
    const struct of_job of = {a, j};
    const struct scr_proof p = {.tree = j->tree,
                                .exhibit = j->exhibit,
                                .simulated = j->verdict.simulated,
                                .changed = job_changed,
                                .accepted = job_accepted,
                                .arg = &of};
    int y = s->body.y;

    if (!j->has_verdict) {
        draw_text(y + 1, 2, a->cols - 4, ROLE_TEXT, safe_lit("No report from a guest yet."));
        return (struct scr_cursor){-1, 0};
    }
    draw_verdict(a, y);
    draw_whose(a, y + 1);
    if (s->head > 2)
        draw_rule(y + 2, 0, a->cols, RULE_THIN);
    scr_tree_draw(&p, y + s->head, s->tree, a->cols);
    scr_why_draw(&p, y + s->head + s->tree, s->why, a->cols);
    return (struct scr_cursor){-1, 0};
}
