/* Files of the job, both ways: how far each is, what it hashes to, and where it lies. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/enc.h"

#define STALL_MS 5000

/* --- one transfer --- */

/* "1.3 of 2.1 MB" */
static void amount_words(const struct app_file *f, char out[static 40]) {
    char done[16], size[16], *unit;

    scr_bytes(f->done, done);
    scr_bytes(f->size, size);
    unit = strchr(done, ' ');
    if (unit && strchr(size, ' ') && !strcmp(unit, strchr(size, ' ')))
        *unit = 0;
    snprintf(out, 40, "%s of %s", done, size);
}

struct pace_words {
    char amount[40], rate[24], left[40];
};

static void transfer_words(const struct app *a, const struct app_file *f, struct pace_words *w) {
    int64_t ms = f->pace.moved - f->pace.began;
    uint64_t went = f->pace.done - f->pace.first;
    uint64_t per_s = ms >= 500 ? went * 1000 / (uint64_t)ms : 0;
    char rate[16], left[16];

    *w = (struct pace_words){{0}, {0}, {0}};
    amount_words(f, w->amount);
    scr_bytes(per_s, rate);
    if (a->now - f->moved >= STALL_MS) {
        scr_elapsed(a->now - f->moved, left);
        snprintf(w->left, sizeof w->left, "  nothing for %s", left);
    } else if (per_s) {
        scr_elapsed((int64_t)((f->size - f->done) * 1000 / per_s), left);
        snprintf(w->rate, sizeof w->rate, "  %s/s", rate);
        snprintf(w->left, sizeof w->left, "  left %s", left);
    }
}

/* How far it is always; how long still, how fast and how much where there is room. */
void scr_transfer_draw(const struct app *a, const struct app_file *f, int y, int x, int w) {
    struct pace_words words;
    char line[120];
    unsigned percent = f->size ? (unsigned)((double)f->done / (double)f->size * 100) : 0;
    int bar, n;

    transfer_words(a, f, &words);
    n = snprintf(line, sizeof line, "%3u %%  %s%s%s", percent, words.amount, words.rate,
                 words.left);
    if (n > w)
        n = snprintf(line, sizeof line, "%3u %%  %s%s", percent, words.amount, words.left);
    if (n > w)
        n = snprintf(line, sizeof line, "%3u %%%s", percent, words.left);
    bar = w - n - 1 < 30 ? w - n - 1 : 30;
    if (bar >= 8) {
        draw_bar(y, x, bar, f->done, f->size);
        x += bar + 1;
        w -= bar + 1;
    }
    draw_fmt(y, x, w, ROLE_TEXT, "%s", line);
}

/* --- the list --- */

struct columns {
    int number, way, name, name_w, size, state, state_w;
};

static struct columns columns_of(const struct app *a) {
    struct columns c = {.number = 1, .way = 4, .name = 10};

    c.name_w = a->cols >= 100 ? 30 : a->cols >= 80 ? 22 : 14;
    c.size = c.name + c.name_w + 9;
    c.state = c.size + 2;
    c.state_w = a->cols - c.state - 1;
    return c;
}

static const struct {
    const char *up, *down;
    enum role role;
} STATE[] = {
    [FILE_MOVING] = {"", "", ROLE_TEXT},
    [FILE_WHOLE] = {"with the guest", "here, not saved", ROLE_TEXT},
    [FILE_BROKEN] = {"not sent: ", "failed: ", ROLE_BAD},
};

static void draw_state(const struct app *a, const struct app_file *f, int y,
                       const struct columns *c) {
    if (f->state == FILE_MOVING)
        scr_transfer_draw(a, f, y, c->state, c->state_w);
    else if (f->saved)
        draw_fmt(y, c->state, c->state_w, ROLE_OK, "saved %s", f->saved);
    else
        draw_fmt(y, c->state, c->state_w, STATE[f->state].role, "%s%s",
                 f->up ? STATE[f->state].up : STATE[f->state].down, f->why);
}

static void draw_row(const struct app *a, size_t i, int y, const struct columns *c) {
    const struct app_file *f = &a->job->file[i];
    bool here = i == a->files.cur;
    char size[16];

    scr_bytes(f->size, size);
    draw_text(y, 0, 1, ROLE_ACCENT, here ? safe_lit(">") : safe_lit(" "));
    if (!f->up)
        draw_fmt(y, c->number, 2, ROLE_DIM, "%2zu", app_file_number(a->job, f));
    draw_text(y, c->way, 5, ROLE_DIM, f->up ? safe_lit("up") : safe_lit("down"));
    draw_fmt(y, c->name, c->name_w, here ? ROLE_ACCENT : ROLE_TEXT, "%s", f->name);
    draw_right(y, c->size, 8, ROLE_TEXT, "%s", size);
    draw_state(a, f, y, c);
}

static void draw_titles(int y, const struct columns *c) {
    draw_text(y, c->number, 2, ROLE_DIM, safe_lit(" N"));
    draw_text(y, c->way, 5, ROLE_DIM, safe_lit("WAY"));
    draw_text(y, c->name, c->name_w, ROLE_DIM, safe_lit("NAME"));
    draw_right(y, c->size, 8, ROLE_DIM, "SIZE");
    draw_text(y, c->state, c->state_w, ROLE_DIM, safe_lit("STATE"));
}

/* --- the one under the cursor, in full --- */

static int draw_where(const struct app *a, const struct app_file *f, int y, int last) {
    if (f->path && y < last)
        draw_fmt(y++, 2, a->cols - 3, ROLE_TEXT, "yours    %s", f->path);
    if (f->saved && y < last)
        draw_fmt(y++, 2, a->cols - 3, ROLE_TEXT, "saved    %s, readable by you only", f->saved);
    if (f->state == FILE_BROKEN && y < last)
        draw_fmt(y++, 2, a->cols - 3, ROLE_BAD, "failed   %s", f->why);
    return y;
}

static void draw_detail(const struct app *a, const struct app_file *f, int y, int last) {
    char hex[65];

    hex_encode(view_of(f->sha256, 32), hex);
    draw_fmt(y++, 2, a->cols - 3, ROLE_TITLE, "%s", f->name);
    if (y < last) {
        draw_text(y, 2, 9, ROLE_DIM, safe_lit("sha256"));
        if (a->cols >= 80)
            draw_fmt(y++, 11, a->cols - 12, ROLE_TEXT, "%s", hex);
        else {
            draw_fmt(y++, 11, a->cols - 12, ROLE_TEXT, "%.32s", hex);
            if (y < last)
                draw_fmt(y++, 11, a->cols - 12, ROLE_TEXT, "%s", hex + 32);
        }
    }
    if (y < last)
        draw_fmt(y++, 2, a->cols - 3, ROLE_TEXT, "size     %" PRIu64 " bytes", f->size);
    y = draw_where(a, f, y, last);
    if (y < last && !f->up && f->state == FILE_WHOLE && !f->saved)
        draw_text(y, 2, a->cols - 3, ROLE_DIM,
                  safe_lit("In memory only, gone with the job. The name is the guest's."));
}

struct scr_cursor scr_files_draw(const struct app *a, const struct scr_sizes *s) {
    const struct list *l = &a->files;
    struct columns c = columns_of(a);
    int y = s->body.y, pane = y + 1 + s->files;

    draw_titles(y, &c);
    if (l->n == 0)
        draw_fmt(y + 2, 2, a->cols - 3, ROLE_DIM, "No file came or went yet. %s",
                 a->job->state == SESSION_READY ? "a attaches one."
                 : app_job_alive(a->job)        ? "Once the guest is ready, a attaches one."
                                                : "");
    for (size_t i = l->top; i < l->n && i < l->top + l->height; i++)
        draw_row(a, i, y + 1 + (int)(i - l->top), &c);
    draw_rule(pane, 0, a->cols, RULE_THIN);
    if (app_file_at(a))
        draw_detail(a, app_file_at(a), pane + 1, s->body.y + s->body.h);
    return (struct scr_cursor){-1, 0};
}
