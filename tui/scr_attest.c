/* What was verified: a tree that folds; the line under the cursor explains itself below. */
#include "tui/scr.h"

#include <stdio.h>
#include <string.h>

static const char *decision(const struct app *a) {
    switch (a->job->state) {
    case SESSION_DECISION:
        return "nothing sent yet: a decides";
    case SESSION_REFUSED:
        return "nothing was sent, and nothing will be";
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

static void draw_verdict(const struct app *a, int y) {
    const struct app_verdict *v = &a->job->verdict;
    struct scr_state look = scr_check(v->state, v->simulated);
    char time[16];
    int x = 1, right = a->cols - 1;

    scr_clock(v->as_of, true, time);
    if (a->cols >= 80)
        right = draw_right(y, a->cols - 1, 40, ROLE_DIM, " %s, %s", v->policy, time);
    x += draw_text(y, x, 9, ROLE_TITLE, safe_lit("VERDICT  "));
    if (v->simulated)
        x +=
            draw_text(y, x, 10, ROLE_SIM, safe_lit("SIMULATED ")); /* the word, beside the banner */
    x += draw_fmt(y, x, 12, look.role, "%s", look.word) + 2;
    draw_fmt(y, x, right - x, ROLE_TEXT, "%s", decision(a));
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

static void draw_check(const struct app *a, const struct tree_row *r, int y, bool cursor) {
    struct scr_state look = scr_check(r->check->state, a->job->verdict.simulated);
    int x = 2 + 2 * (int)(r->depth < 8 ? r->depth : 8), right = a->cols - 1, title;

    if (cursor)
        draw_text(y, 0, 1, ROLE_ACCENT, safe_lit(">"));
    if (r->branch)
        draw_text(y, x, 1, ROLE_DIM, r->folded ? safe_lit("+") : safe_lit("-"));
    x += 2;
    x += draw_fmt(y, x, 16, look.role, "%s %s", look.symbol, look.word) + 1;
    if (r->check->confirmed)
        x += draw_text(y, x, 9, ROLE_DIM, safe_lit("accepted")) + 1;
    title = text_width(view_str(r->check->title));
    if (title > (right - x) * 5 / 8)
        title = (right - x) * 5 / 8; /* what is left of a long one when the value is long too */
    right = draw_value(r->check, y, right, right - x - title - 2) - 2;
    draw_fmt(y, x, right - x, ROLE_TEXT, "%s", r->check->title);
    if (cursor)
        draw_look(y, 0, a->cols, ROLE_CURSOR);
}

static void draw_why(const struct check *c, int y, int h, int cols) {
    cleanup_buf struct buf b = {0};
    int x = 6, rows = h - 2;

    draw_rule(y, 0, cols, RULE_THIN);
    if (!c)
        return;
    draw_text(y + 1, 1, 5, ROLE_TITLE, safe_lit("WHY"));
    draw_wrap(y + 1, x, cols - x - 1, rows, ROLE_TEXT,
              text_safe(view_str(c->why), TEXT_PROSE, 2000, &b));
    /* Values first: a digest is worth nothing cut off. */
    draw_fmt(y + h - 1, 1, cols - 2, ROLE_DIM, "%s%s%s%s%s%s%s, %s, %s", *c->got ? "got " : "",
             c->got, *c->got ? "   " : "", *c->expected ? "expected " : "", c->expected,
             *c->expected ? "   " : "", c->id, check_source_name(c->source),
             c->required ? "required" : "optional");
}

struct scr_cursor scr_attest_draw(const struct app *a, const struct scr_sizes *s) {
    const struct app_job *j = a->job;
    int y = s->body.y;
    struct tree_row row;

    if (!j->has_verdict) {
        draw_text(y + 1, 2, a->cols - 4, ROLE_TEXT, safe_lit("No report from a guest yet."));
        return (struct scr_cursor){-1, 0};
    }
    draw_verdict(a, y);
    draw_rule(y + 1, 0, a->cols, RULE_THIN);
    for (int i = 0; i < s->tree; i++) {
        size_t at = tree_list(j->tree)->top + (size_t)i;

        if (tree_row(j->tree, at, &row))
            draw_check(a, &row, y + 2 + i, at == tree_list(j->tree)->cur);
    }
    draw_why(tree_current(j->tree), y + 2 + s->tree, s->why, a->cols);
    return (struct scr_cursor){-1, 0};
}
