/* The questions of the command line: one after the other, each when the answer before it and its
 * files are whole. */
#include "ask_course.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct asking {
    struct ask *k;
    const struct questions *q;
    size_t at; /* how many have been asked */
    uint8_t id[32];
    bool running;  /* the last of them has no answer yet */
    bool stopping; /* it was cancelled */
    bool failed, settled;
};

static void *open_questions(struct ask *k, struct err *e) {
    struct asking *g = mem_new(sizeof *g);

    (void)e;
    *g = (struct asking){.k = k, .q = &ask_args_of(k)->questions};
    return g;
}

static void ask_next(struct asking *g) {
    const char *text = g->q->v[g->at];
    struct err e;

    g->at++;
    g->running = true;
    g->stopping = false;
    ask_question(ask_out_of(g->k), g->at, g->q->n, text);
    if (session_ask(ask_session(g->k), view_str(text), g->id, &e))
        ask_fail(g->k, &e, EX_DATAERR);
}

/* What comes after an answer whose files are whole. */
static void go_on(struct asking *g) {
    bool more = g->at < g->q->n && (!g->failed || ask_args_of(g->k)->keep_going);

    if (g->running || g->settled || session_state(ask_session(g->k)) != SESSION_READY ||
        session_files_open(ask_session(g->k)))
        return;
    g->settled = !more;
    if (more)
        ask_next(g);
    else
        ask_end(g->k);
}

static void on_ready(void *arg) {
    ask_next(arg);
}

static void on_answer(struct asking *g, const struct session_event *ev) {
    if (!g->running || memcmp(ev->id, g->id, 32) != 0)
        return;
    g->running = false;
    if (!ev->code && !g->stopping)
        return;
    g->failed = true;
    ask_set_code(g->k, EX_DATAERR);
}

static void on_event(void *arg, const struct session_event *ev) {
    struct asking *g = arg;

    if (ev->type == SE_ANSWER)
        on_answer(g, ev);
    else if (ev->type == SE_FILE_FAILED)
        g->failed = true;
    if (ev->type == SE_ANSWER || ev->type == SE_FILE || ev->type == SE_FILE_FAILED)
        go_on(g);
}

static bool interrupt(void *arg) {
    struct asking *g = arg;
    struct err e;

    if (!g->running || g->stopping)
        return false;
    g->stopping = true;
    return session_cancel(ask_session(g->k), g->id, &e) == 0;
}

static bool done(void *arg) {
    const struct asking *g = arg;

    return g->at == g->q->n && !g->running;
}

static void over(void *arg, const struct err *why, bool leaving) {
    (void)arg, (void)why, (void)leaving;
}

const struct ask_course questions_course = {
    .open = open_questions,
    .free = free,
    .ready = on_ready,
    .event = on_event,
    .interrupt = interrupt,
    .done = done,
    .over = over,
};
