#include "tui/plain_run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/lineterm.h"
#include "tui/offscreen.h"
#include "tui/plain.h"

#define TELL_MS 100 /* between two times */

struct plain_run {
    struct loop *loop;
    struct app *a;
    const struct tui_handler *h;
    void *arg;
    struct plain *plain;
    struct lineterm *term;
    struct loop_timer *again;
    int64_t told;
    bool dirty, lent; /* lent: another program has the terminal */
};

/* --- from the terminal --- */

static void on_line(void *arg, struct view text, bool pasted) {
    struct plain_run *r = arg;

    app_clock(r->a, loop_now(), unix_now());
    plain_line(r->plain, text, pasted);
    r->h->draw(r->arg);
}

static bool on_ready(void *arg, struct view line) {
    struct plain_run *r = arg;

    return plain_ready(r->plain, line);
}

static void on_key(void *arg, uint32_t key) {
    struct plain_run *r = arg;

    r->h->key(r->arg, key);
    r->h->draw(r->arg);
}

static void on_paste(void *arg, struct view text, bool cut) {
    struct plain_run *r = arg;

    r->h->paste(r->arg, text, cut);
}

static void on_complete(void *arg, struct edit *line) {
    struct plain_run *r = arg;

    plain_complete(r->plain, line);
}

/* As Ctrl-C on the screen of the chat: stops an answer, twice: leaves. */
static void on_interrupt(void *arg) {
    struct plain_run *r = arg;

    if (r->a->job->exists && !r->a->prompt.open)
        app_go(r->a, SCR_CHAT);
    on_key(r, K_CTRL('C'));
}

static void on_leave(void *arg) {
    struct plain_run *r = arg;

    r->h->leave(r->arg);
}

static const struct lineterm_handler TERM = {
    .line = on_line,
    .ready = on_ready,
    .key = on_key,
    .paste = on_paste,
    .complete = on_complete,
    .interrupt = on_interrupt,
    .leave = on_leave,
};

/* --- to the terminal --- */

static void say(void *arg, struct safe_text line) {
    struct plain_run *r = arg;

    lineterm_say(r->term, line);
}

static void prompt(void *arg, const char *words, bool hidden) {
    struct plain_run *r = arg;

    lineterm_prompt(r->term, words, hidden);
}

static const struct plain_out OUT = {say, prompt};

void plain_run_tell(struct plain_run *r) {
    if (r->lent)
        return;
    r->dirty = false;
    r->told = loop_now();
    plain_tell(r->plain);
    lineterm_show(r->term);
    lineterm_more(r->term);
}

static void on_idle(void *arg) {
    struct plain_run *r = arg;

    if (!r->dirty)
        return;
    if (loop_now() - r->told >= TELL_MS)
        r->h->draw(r->arg);
    else
        loop_timer_set(r->again, r->told + TELL_MS);
}

static void on_again(void *arg) {
    (void)arg; /* waking up is all: on_idle tells */
}

/* --- start and end --- */

bool plain_run_needed(void) {
    const char *term = getenv("TERM");

    return !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !term || !*term ||
           !strcmp(term, "dumb");
}

struct plain_run *plain_run_start(struct loop *l, bool ascii, struct app *a,
                                  const struct tui_handler *h, void *arg, struct err *e) {
    struct plain_run *r = mem_new(sizeof *r);

    *r = (struct plain_run){.loop = l, .a = a, .h = h, .arg = arg, .dirty = true};
    app_resize(a, OFFSCREEN_ROWS, OFFSCREEN_COLS);
    r->plain = plain_new(a, &OUT, r);
    r->term = lineterm_start(l, ascii, &TERM, r, e);
    if (!r->term) {
        plain_run_stop(r);
        return NULL;
    }
    r->again = loop_timer_add(l, -1, on_again, r);
    loop_on_idle(l, on_idle, r);
    return r;
}

void plain_run_stop(struct plain_run *r) {
    if (!r)
        return;
    loop_on_idle(r->loop, NULL, NULL);
    loop_timer_del(r->again);
    lineterm_stop(r->term);
    plain_free(r->plain);
    free(r);
}

void plain_run_dirty(struct plain_run *r) {
    r->dirty = true;
}

void plain_run_suspend(struct plain_run *r) {
    lineterm_suspend(r->term);
}

void plain_run_bell(struct plain_run *r) {
    lineterm_bell(r->term);
}

int plain_run_lend(struct plain_run *r, struct err *e) {
    if (lineterm_lend(r->term, e) != 0)
        return -1;
    r->lent = true;
    return 0;
}

void plain_run_reclaim(struct plain_run *r) {
    r->lent = false;
    lineterm_reclaim(r->term);
}
