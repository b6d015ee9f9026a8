/* The job on its way: what the provider says beside what this machine has seen itself. */
#include "tui/scr.h"

#include <stdio.h>

#include "core/nip19.h"

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
    [STEP_VERDICT] = {"verdict", "checked on this machine", false, true},
    [STEP_ACCEPT] = {"accepted", "guest told to go on", false, true},
    [STEP_READY] = {"ready", "workload loaded", true, true},
};

/* When one side told of a step; a dash while it is still to come. */
static void side(int y, int x, int w, int64_t at, int64_t began, bool past) {
    char when[16];

    scr_elapsed(at - began, when);
    if (at)
        draw_fmt(y, x, w, ROLE_TEXT, "after %s", when);
    else if (!past)
        draw_text(y, x, w, ROLE_DIM, safe_lit("-"));
}

static bool reached(const struct app_job *j, enum step from) {
    for (size_t i = from; i < STEP_COUNT; i++)
        if (j->step[i].claimed || j->step[i].seen)
            return true;
    return false;
}

/* The newest thing that happened, by either side's account; 0 = nothing. */
static int64_t newest(const struct app_job *j) {
    int64_t at = j->began;

    for (size_t i = 0; i < STEP_COUNT; i++) {
        at = j->step[i].claimed > at ? j->step[i].claimed : at;
        at = j->step[i].seen > at ? j->step[i].seen : at;
    }
    return at;
}

static void draw_step(const struct app *a, enum step i, int y) {
    const struct app_job *j = a->job;
    bool there = j->step[i].claimed || j->step[i].seen, past = reached(j, i + 1);
    int col = a->cols >= 80 ? 20 : 15, x = 2;

    x += 12;
    draw_fmt(y, 2, 12, there ? ROLE_TITLE : ROLE_DIM, "%s", STEPS[i].name);
    side(y, x, col, j->step[i].claimed, j->began, past || !STEPS[i].claimed);
    side(y, x + col, col, j->step[i].seen, j->began, past || !STEPS[i].seen);
    if (a->cols >= 80)
        draw_fmt(y, x + 2 * col, a->cols - x - 2 * col - 1, ROLE_DIM, "%s", STEPS[i].means);
}

static void draw_head(const struct app *a, int y) {
    const struct app_job *j = a->job;
    char key[20], time[16];

    npub_short(j->provider, key);
    scr_clock(j->began_unix, true, time);
    draw_fmt(y, 1, a->cols - 2, ROLE_TITLE, "job %02x%02x  %s  %s  (%s)", j->id[0], j->id[1],
             j->what, j->provider_name, key);
    if (a->cols >= 80)
        draw_right(y, a->cols - 1, 24, ROLE_DIM, " asked %s", time);
}

static void draw_now_line(const struct app *a, int y) {
    const struct app_job *j = a->job;
    char waited[16], all[16];

    if (session_state_final(j->state)) {
        draw_fmt(y, 1, a->cols - 2, ROLE_BAD, "%s. %s", session_state_name(j->state), j->why);
        return;
    }
    scr_elapsed(a->now - newest(j), waited);
    scr_elapsed(a->now - j->began, all);
    draw_fmt(y, 1, a->cols - 2, ROLE_ACCENT, "%s   this step %s, all %s",
             session_state_name(j->state), waited, all);
}

struct scr_cursor scr_boot_draw(const struct app *a, const struct scr_sizes *s) {
    int y = s->body.y, col = a->cols >= 80 ? 20 : 15;

    draw_head(a, y);
    draw_text(y + 1, 2, 12, ROLE_DIM, safe_lit("STEP"));
    draw_text(y + 1, 14, col, ROLE_DIM, safe_lit("PROVIDER SAYS"));
    draw_text(y + 1, 14 + col, col, ROLE_DIM, safe_lit("WE SAW"));
    for (int i = 0; i < STEP_COUNT; i++)
        draw_step(a, (enum step)i, y + 2 + i);
    draw_now_line(a, y + 2 + STEP_COUNT);
    if (*a->job->claim && s->body.h > 14)
        draw_fmt(y + 4 + STEP_COUNT, 1, a->cols - 2, ROLE_DIM, "provider: \"%s\"", a->job->claim);
    if (s->body.h > 17) {
        draw_text(y + 6 + STEP_COUNT, 1, a->cols - 2, ROLE_DIM,
                  safe_lit("What the provider says proves nothing. What counts is the report,"));
        draw_text(y + 7 + STEP_COUNT, 1, a->cols - 2, ROLE_DIM,
                  safe_lit("checked on this machine; until then nothing of yours is sent."));
    }
    return (struct scr_cursor){-1, 0};
}
