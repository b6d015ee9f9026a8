/* Jobs: all of them above; below, the way of the one under the cursor: what the provider claims
 * beside what this machine has observed itself. */
#include "tui/scr.h"

#include <stdio.h>

#include "core/nip19.h"
#include "tui/scr_columns.h"

/* --- the list --- */

static void cell_id(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%02x%02x", j->id[0], j->id[1]);
}

static void cell_state(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;
    static const enum role ROLE[] = {
        [SESSION_DECISION] = ROLE_WARN,
        [SESSION_ENDED] = ROLE_DIM,
        [SESSION_REFUSED] = ROLE_BAD,
        [SESSION_FAILED] = ROLE_BAD,
    };

    (void)a;
    snprintf(c->text, sizeof c->text, "%s",
             app_job_answering(j) ? "answering" : session_state_name(j->state));
    c->role = ROLE[j->state];
}

/* Simulated before anything else: no other word of such a verdict is to be taken for a proof. */
static void cell_verdict(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;
    struct scr_state look = scr_check(j->verdict.state, j->simulated);
    const char *word = j->simulated && j->verdict.state != CHECK_FAIL ? "SIMULATED" : look.word;

    if (!j->has_verdict) {
        snprintf(c->text, sizeof c->text, "-");
        return;
    }
    snprintf(c->text, sizeof c->text, "%s%s%s", a->cols < 80 ? "" : look.symbol,
             a->cols < 80 ? "" : " ", word);
    c->role = look.role;
}

static void cell_what(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%.79s", j->what);
}

static void cell_provider(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", *j->provider_name ? j->provider_name : "?");
}

static void cell_key(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;
    struct scr_key k = scr_key(j->provider);

    (void)a;
    snprintf(c->text, sizeof c->text, "%s", k.text);
    c->role = k.role;
}

static void cell_time(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;
    char t[16];

    scr_elapsed((j->ended ? j->ended : a->now) - j->began, t);
    snprintf(c->text, sizeof c->text, "%s", t);
}

static void cell_news(const struct app *a, const void *row, struct scr_cell *c) {
    const struct app_job *j = row;

    (void)a;
    if (j->unread > 0)
        snprintf(c->text, sizeof c->text, "+%zu", j->unread);
    c->role = ROLE_ACCENT;
}

/* A name never goes without its key. */
static const struct scr_column COLUMNS[] = {
    {"JOB", {5, 5, 5, 6}, cell_id},
    {"STATE", {11, 11, 11, 12}, cell_state},
    {"VERDICT", {12, 16, 16, 18}, cell_verdict},
    {"MODEL / TOOL", {10, 14, 24, 32}, cell_what},
    {"PROVIDER", {0, 12, 18, 26}, cell_provider},
    {"KEY", {6, 6, 6, 7}, cell_key},
    {"TIME", {10, 10, 10, 10}, cell_time},
    {"NEW", {5, 5, 8, 8}, cell_news},
};

/* --- the way of one --- */

static const struct {
    const char *name, *means;
    bool claimed, seen; /* which of the two sides can tell */
} STEPS[STEP_COUNT] = {
    [STEP_REQUEST] = {"request", "sealed request sent", false, true},
    [STEP_QUEUED] = {"queued", "the provider has it", true, false},
    [STEP_CREATING] = {"creating", "a machine is made", true, false},
    [STEP_BOOTING] = {"booting", "its kernel starts", true, false},
    [STEP_ATTESTING] = {"attesting", "it asks its CPU", true, false},
    [STEP_HELLO] = {"report", "signed report came", false, true},
    [STEP_VERDICT] = {"verdict", "checked; you decide", false, true},
    [STEP_ACCEPT] = {"accepted", "guest told to go on", false, true},
    [STEP_READY] = {"ready", "workload loaded", true, true},
    [STEP_END] = {"end", "guest told to finish", false, true},
    [STEP_WIPING] = {"wiping", "it wipes its memory", true, false},
    [STEP_RECEIPT] = {"receipt", "signed by the guest", false, true},
    [STEP_GONE] = {"teardown", "the machine is gone", true, false},
};

const char *scr_step_name(enum step s) {
    return STEPS[s].name;
}

const char *scr_step_means(enum step s) {
    return STEPS[s].means;
}

static bool told(const struct app_job *j, size_t i) {
    return j->step[i].claimed || j->step[i].seen;
}

static bool reached(const struct app_job *j, size_t from) {
    for (size_t i = from; i < STEP_COUNT; i++)
        if (told(j, i))
            return true;
    return false;
}

/* When a step began: by our own account where there is one. */
static int64_t start_of(const struct app_job *j, size_t i) {
    return j->step[i].seen ? j->step[i].seen : j->step[i].claimed;
}

/* How long a step took: until the next one that was told of, or until now. */
static void took(const struct app *a, size_t i, int y, int x) {
    const struct app_job *j = a->job;
    size_t next = i + 1;
    int64_t until = j->ended ? j->ended : a->now;
    char time[16];

    while (next < STEP_COUNT && !told(j, next))
        next++;
    if (!told(j, i) || (next == STEP_COUNT && session_state_final(j->state)))
        return;
    if (next < STEP_COUNT)
        until = start_of(j, next);
    scr_elapsed(until - start_of(j, i), time);
    draw_fmt(y, x, 10, next < STEP_COUNT ? ROLE_TEXT : ROLE_ACCENT, "%s", time);
}

/* When one side told of a step; a dash while it is still to come. */
static void side(int y, int x, int w, int64_t at, int64_t began, bool past) {
    char when[16];

    scr_elapsed(at - began, when);
    if (at)
        draw_fmt(y, x, w, ROLE_TEXT, "after %s", when);
    else if (!past)
        draw_text(y, x, w, ROLE_DIM, safe_lit("-"));
}

enum { AT_NAME = 2, AT_CLAIM = 13, AT_SEEN = 29, AT_TOOK = 45, AT_MEANS = 56, SIDE = 15 };

static void draw_step(const struct app *a, size_t i, int y) {
    const struct app_job *j = a->job;
    bool past = reached(j, i + 1);

    draw_fmt(y, AT_NAME, 10, told(j, i) ? ROLE_TITLE : ROLE_DIM, "%s", STEPS[i].name);
    side(y, AT_CLAIM, SIDE, j->step[i].claimed, j->began, past || !STEPS[i].claimed);
    side(y, AT_SEEN, SIDE, j->step[i].seen, j->began, past || !STEPS[i].seen);
    took(a, i, y, AT_TOOK);
    if (a->cols >= 80)
        draw_fmt(y, AT_MEANS, a->cols - AT_MEANS - 1, ROLE_DIM, "%s", STEPS[i].means);
}

/* The end of the way is shown when it has begun; where rows are short, what was last and what comes
 * next. */
static int draw_steps(const struct app *a, int y, int rows) {
    const struct app_job *j = a->job;
    int n = reached(j, STEP_END) ? STEP_COUNT : STEP_END, last = 0, first;

    for (int i = 0; i < n; i++)
        last = told(j, (size_t)i) ? i : last;
    first = last + 2 - rows;
    first = first > n - rows ? n - rows : first;
    first = first < 0 ? 0 : first;
    for (int i = first; i < n && i < first + rows; i++)
        draw_step(a, (size_t)i, y + i - first);
    return n - first < rows ? n - first : rows;
}

/* What it is at the left; at the right who runs it, and the key is never what is cut off. */
static void draw_head(const struct app *a, int y) {
    const struct app_job *j = a->job;
    char key[20], of[24] = "";
    int right;

    npub_short(j->provider, key);
    draw_rule(y, 0, a->cols, RULE_THIN);
    right = draw_right(y, a->cols - 1, 24, ROLE_TITLE, " (%s) ", key);
    right = draw_right(y, right, a->cols >= 80 ? 24 : 14, ROLE_TITLE, " %s", j->provider_name);
    if (a->n_jobs > 1)
        snprintf(of, sizeof of, " %zu/%zu", a->job_list.cur + 1, a->n_jobs);
    draw_fmt(y, 1, right - 2, ROLE_TITLE, " job %02x%02x%s  %s ", j->id[0], j->id[1], of, j->what);
}

/* What waits for the person does so for a while only. */
static void draw_state(const struct app *a, int y, int w) {
    const struct app_job *j = a->job;
    char left[16];

    scr_elapsed(j->decide_by - a->now, left);
    if (*j->why)
        draw_fmt(y, 1, w, ROLE_BAD, "%s. %s", session_state_name(j->state), j->why);
    else if (j->state == SESSION_DECISION)
        draw_fmt(y, 1, w, ROLE_WARN, "decision, %s left", left);
    else
        draw_fmt(y, 1, w, ROLE_ACCENT, "%s", session_state_name(j->state));
}

static void draw_now(const struct app *a, int y) {
    const struct app_job *j = a->job;
    char all[16], asked[16];
    int right = a->cols - 1;

    scr_elapsed((j->ended ? j->ended : a->now) - j->began, all);
    scr_clock(j->began_unix, true, asked);
    right = draw_right(y, right, 36, ROLE_DIM, " asked %s, all %s", asked, all);
    draw_state(a, y, right - 1);
}

static void draw_way(const struct app *a, int y, int h) {
    int rows;

    draw_head(a, y);
    draw_text(y + 1, AT_NAME, 10, ROLE_DIM, safe_lit("STEP"));
    draw_text(y + 1, AT_CLAIM, SIDE, ROLE_DIM, safe_lit("PROVIDER CLAIMS"));
    draw_text(y + 1, AT_SEEN, SIDE, ROLE_DIM, safe_lit("WE OBSERVED"));
    draw_text(y + 1, AT_TOOK, 10, ROLE_DIM, safe_lit("TOOK"));
    rows = draw_steps(a, y + 2, h - 3);
    draw_now(a, y + 2 + rows);
    if (*a->job->claim && rows + 4 <= h)
        draw_fmt(y + 3 + rows, 1, a->cols - 2, ROLE_DIM, "provider: \"%s\"", a->job->claim);
    if (rows + 7 > h)
        return;
    draw_text(y + 5 + rows, 1, a->cols - 2, ROLE_DIM,
              safe_lit("What the provider claims proves nothing. What counts is the report,"));
    draw_text(y + 6 + rows, 1, a->cols - 2, ROLE_DIM,
              safe_lit("checked on this machine; until then nothing of yours is sent."));
}

static void draw_none(const struct app *a, int y) {
    draw_text(y + 1, 2, a->cols - 3, ROLE_TITLE, safe_lit("No job yet."));
    draw_wrap(
        y + 3, 2, a->cols - 4, 4, ROLE_TEXT,
        safe_lit("Choose an offer (1), press Enter to read it in full and Enter again to have "
                 "a guest started. Several may run at once; each is shown here."));
}

struct scr_cursor scr_jobs_draw(const struct app *a, const struct scr_sizes *s) {
    int y = s->body.y;

    if (a->n_jobs == 0) {
        draw_none(a, y);
        return (struct scr_cursor){-1, 0};
    }
    if (s->job_titles)
        scr_columns_titles(a, COLUMNS, COUNT(COLUMNS), y++);
    for (size_t i = 0; i < (size_t)s->jobs && a->job_list.top + i < a->n_jobs; i++)
        scr_columns_row(a, COLUMNS, COUNT(COLUMNS), y + (int)i, a->jobs[a->job_list.top + i],
                        ROLE_TEXT, a->jobs[a->job_list.top + i] == a->job);
    draw_way(a, y + s->jobs, s->body.y + s->body.h - y - s->jobs);
    return (struct scr_cursor){-1, 0};
}
