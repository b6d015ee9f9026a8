/* The first start: all steps on one page, the one that is being answered unfolded. */
#include "tui/scr.h"

#include <stdio.h>
#include <string.h>

#define WELCOME                                                                                    \
    "Welcome. This program finds people who rent sealed computers, checks with AMD's own "         \
    "signatures that the computer really is sealed, and only then lets you send it your data."
#define ABOUT_W 34 /* of what a choice means, beside it */

static void draw_simulator(const struct app *a, struct rect b) {
    static const struct {
        int indent;
        const char *text;
    } LINES_SAID[] = {
        {0, "The simulator runs all of it on this machine, with a processor that is none: what it "
            "shows is marked SIMULATED, and nothing about it is secret."},
        {0, "It is started by the command line of one run alone, never by a file or a key in here, "
            "so that nobody is in it without knowing. Leave with q, then"},
        {4, "make demo"},
        {0, "in the source folder, or in two terminals"},
        {4, "cdvm provider --run-relay"},
        {4, "cdvm --policy demo --relay ws://127.0.0.1:PORT"},
        {0, "with the PORT that the first one prints."},
    };
    int y = b.y + (b.h >= 16);

    for (size_t i = 0; i < COUNT(LINES_SAID) && y < b.y + b.h; i++) {
        cleanup_buf struct buf safe = {0};
        int in = LINES_SAID[i].indent;

        y += draw_wrap(y, 3 + in, a->cols - 6 - in, b.y + b.h - y, in ? ROLE_ACCENT : ROLE_TEXT,
                       text_safe(view_str(LINES_SAID[i].text), TEXT_PROSE, 1000, &safe));
        y += b.h >= 18 && !in;
    }
}

/* "ok 41 ms", "trying", or why not, at the right end. */
static void draw_relay(const struct app *a, const char *url, struct rect at, bool here) {
    bool on = settings_in_use(a->conf.set, settings_key("relay"), url);
    char state[160], numbers[64];
    enum role r = options_relay_words(a->options, url, on, state, numbers);
    int words = (int)strlen(state) < at.w / 2 ? (int)strlen(state) : at.w / 2;

    draw_fmt(at.y, at.x, at.w - words - 1, here ? ROLE_ACCENT : ROLE_TEXT, "[%c] %s",
             on ? 'x' : ' ', url);
    draw_fmt(at.y, at.x + at.w - words, words, r, "%s", state);
}

static void draw_choice(const struct first_choice *c, struct rect at, bool chosen, bool here) {
    bool beside = at.w >= 40 + ABOUT_W;

    draw_fmt(at.y, at.x, at.w, here ? ROLE_ACCENT : ROLE_TEXT, "(%c) %s", chosen ? 'o' : ' ',
             c->label);
    if (beside)
        draw_fmt(at.y, at.x + at.w - ABOUT_W, ABOUT_W, ROLE_DIM, "%s", c->about);
}

/* The rows of the step in hand; returns how many were drawn. */
static int draw_rows(const struct app *a, struct rect at) {
    const struct first *f = &a->first;
    const struct conf_list *known = settings_known(a->conf.set, settings_key("relay"));
    const struct first_choice *c = first_titles[f->step].choice;
    int y = 0;

    for (; y < at.h; y++) {
        size_t row = f->top + (size_t)y;
        struct rect line = {at.y + y, at.x + 2, 1, at.w - 2};
        bool here = row == f->cur;

        if (f->step == FIRST_RELAYS ? row > known->n : !c[row].label)
            break;
        if (here)
            draw_text(line.y, at.x, 1, ROLE_ACCENT, safe_lit(">"));
        if (f->step != FIRST_RELAYS)
            draw_choice(&c[row], line, f->chosen[f->step] == row, here);
        else if (row < known->n)
            draw_relay(a, known->v[row], line, here);
        else
            draw_text(line.y, line.x, line.w, here ? ROLE_ACCENT : ROLE_DIM,
                      safe_lit("+ add a relay"));
    }
    return y;
}

static void answer_words(const struct app *a, enum first_step step, char out[static 80]) {
    const struct identity *who = app_identity(a);

    if (step == FIRST_RELAYS)
        snprintf(out, 80, "%zu relays", a->conf.set->relay.n);
    else if (step == FIRST_WHO && who)
        snprintf(out, 80, "%s", who->name);
    else
        snprintf(out, 80, "%s", first_titles[step].choice[a->first.chosen[step]].label);
}

/* Titles of all steps; what was answered stands beside those that are behind. */
static int draw_steps(const struct app *a, struct rect at) {
    const struct first *f = &a->first;
    bool roomy = at.h >= 17;
    int y = at.y;
    char answer[80];

    for (enum first_step s = 0; s < FIRST_STEPS; s++) {
        bool now = s == f->step;

        draw_fmt(y, at.x, at.w, now ? ROLE_TITLE : ROLE_DIM, "%d  %s", (int)s + 2,
                 first_titles[s].title);
        answer_words(a, s, answer);
        if (s < f->step)
            draw_fmt(y, at.x + 32, at.w - 32, ROLE_TEXT, "%s", answer);
        y++;
        if (now)
            y += draw_rows(a, (struct rect){y, at.x + 3, scr_sizes(a).first, at.w - 3});
        y += roomy;
    }
    return y;
}

static void draw_notes(const struct app *a, struct rect b) {
    const struct first *f = &a->first;
    const struct first_choice *c = first_titles[f->step].choice;
    int y = b.y + b.h - 2;

    if (f->step != FIRST_RELAYS && a->cols < 80)
        draw_fmt(y, 3, a->cols - 4, ROLE_DIM, "%s: %s", c[f->cur].label, c[f->cur].about);
    else if (f->step == FIRST_RELAYS)
        draw_text(y, 3, a->cols - 4, ROLE_DIM,
                  safe_lit("Space: on, and timed, or off.  t: time its answer again."));
    draw_text(y + 1, 3, a->cols - 4, ROLE_DIM,
              safe_lit("No hardware, no money:  s  tells of the simulator."));
}

struct scr_cursor scr_first_draw(const struct app *a, const struct scr_sizes *s) {
    struct rect b = s->body;
    cleanup_buf struct buf safe = {0};
    int y = b.y, ok;

    if (a->first.simulator) {
        draw_simulator(a, b);
        return (struct scr_cursor){-1, 0};
    }
    if (b.h >= 20)
        y += 2 + draw_wrap(y + 1, 3, a->cols - 6, 3, ROLE_TEXT,
                           text_safe(view_str(WELCOME), TEXT_PROSE, 1000, &safe));
    draw_fmt(y, 3, a->cols - 4, ROLE_DIM, "1  Terminal");
    ok = 35 + draw_fmt(y, 35, a->cols - 36, ROLE_OK, "ok  %d x %d, %s", a->cols, a->rows,
                       a->conf.ascii ? "ASCII" : "UTF-8");
    if (ok + 2 + (int)strlen(a->terminal) <= a->cols - 3)
        draw_right(y, a->cols - 3, 40, ROLE_DIM, "%s", a->terminal);
    y += b.h >= 20 ? 2 : 1;
    (void)draw_steps(a, (struct rect){y, 3, b.y + b.h - 2 - y, a->cols - 6});
    draw_notes(a, b);
    return (struct scr_cursor){-1, 0};
}
