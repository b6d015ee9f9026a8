/* Several jobs at once: one is on the screens, the others go on receiving without ever taking them.
 * A job is known to the world by its number, which no other job of this run will have. */
#include "tui/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/enc.h"
#include "tui/path.h"

/* --- one --- */

struct app_job *app_job_new(void) {
    struct app_job *j = mem_new(sizeof *j);

    j->input = edit_new(DRAFT_MAX, true);
    return j;
}

void app_job_free(struct app_job *j) {
    if (!j)
        return;
    for (size_t i = 0; i < j->n_files; i++)
        app_file_free(&j->file[i]);
    for (size_t i = 0; i < j->n_turns; i++)
        app_turn_free(&j->turn[i]);
    for (size_t i = 0; i < j->n_tables; i++)
        app_table_free(&j->table[i]);
    tree_free(j->tree);
    exhibit_free(j->exhibit);
    free(j->facts);
    free(j->before);
    pager_free(j->chat);
    pager_free(j->source_page);
    edit_free(j->input);
    free(j->bundle);
    for (size_t i = 0; i < j->n_kept && i < APP_KEPT; i++)
        free(j->kept[i].path);
    explicit_bzero(j, sizeof *j);
    free(j);
}

void app_job_keep(struct app_job *j, const char *what, const char *path) {
    if (j->n_kept < APP_KEPT)
        j->kept[j->n_kept] = (struct app_kept){what, path_shown(path)};
    j->n_kept++;
}

bool app_job_alive(const struct app_job *j) {
    return j->exists && !session_state_final(j->state);
}

/* --- all of them --- */

struct app_job *app_job_of(const struct app *a, unsigned number) {
    for (size_t i = 0; i < a->n_jobs; i++)
        if (a->jobs[i]->number == number)
            return a->jobs[i];
    return NULL;
}

size_t app_jobs_alive(const struct app *a) {
    size_t n = 0;

    for (size_t i = 0; i < a->n_jobs; i++)
        n += app_job_alive(a->jobs[i]);
    return n;
}

size_t app_jobs_unread(const struct app *a) {
    size_t n = 0;

    for (size_t i = 0; i < a->n_jobs; i++)
        n += a->jobs[i]->unread > 0;
    return n;
}

bool app_jobs_full(const struct app *a) {
    return app_jobs_alive(a) == APP_JOBS;
}

struct app_job *app_jobs_oldest_ended(const struct app *a) {
    for (size_t i = 0; i < a->n_jobs && a->n_jobs == APP_JOBS; i++)
        if (!app_job_alive(a->jobs[i]))
            return a->jobs[i];
    return NULL;
}

struct app_job *app_job_add(struct app *a) {
    struct app_job *j = app_jobs_oldest_ended(a);

    if (j)
        app_job_forget(a, j);
    if (a->n_jobs == APP_JOBS)
        return NULL;
    j = app_job_new();
    j->exists = true;
    j->number = ++a->last_job;
    a->jobs[a->n_jobs++] = j;
    return j;
}

/* --- the one on the screens --- */

static void show(struct app *a, struct app_job *j) {
    a->job = j;
    a->input = j->input;
    pager_clear(a->end_page);
}

void app_job_show(struct app *a, struct app_job *j) {
    if (j != a->job)
        show(a, j);
}

static size_t index_of(const struct app *a, const struct app_job *j) {
    size_t i = 0;

    while (i < a->n_jobs && a->jobs[i] != j)
        i++;
    return i;
}

void app_job_open(struct app *a) {
    static const enum scr HOME[] = {
        [SESSION_REQUESTED] = SCR_CHAT,   [SESSION_STARTING] = SCR_CHAT,
        [SESSION_VERIFYING] = SCR_ATTEST, [SESSION_DECISION] = SCR_ATTEST,
        [SESSION_ACCEPTED] = SCR_CHAT,    [SESSION_READY] = SCR_CHAT,
        [SESSION_ENDING] = SCR_CHAT,      [SESSION_ENDED] = SCR_END,
        [SESSION_REFUSED] = SCR_END,      [SESSION_FAILED] = SCR_END,
    };

    if (a->job->exists)
        app_go(a, HOME[a->job->state]);
}

void app_jobs_prepare(struct app *a, size_t height) {
    list_resize(&a->job_list, a->n_jobs, height);
    list_to(&a->job_list, index_of(a, a->job));
}

void app_jobs_move(struct app *a, enum list_move m) {
    if (a->n_jobs == 0)
        return;
    app_jobs_prepare(a, a->job_list.height); /* one may have come since the last frame */
    list_move(&a->job_list, m);
    app_job_show(a, a->jobs[a->job_list.cur]);
}

/* In the list the cursor goes there, elsewhere the screen on which that job goes on. */
static void go_to(struct app *a, struct app_job *j) {
    app_job_show(a, j);
    if (a->screen != SCR_JOBS)
        app_job_open(a);
}

void app_jobs_step(struct app *a, int by) {
    size_t n = a->n_jobs;

    if (n < 2)
        app_say(a, ROLE_DIM, n == 0 ? "there is no job yet" : "there is no other job");
    else
        go_to(a, a->jobs[(index_of(a, a->job) + n + (by < 0 ? n - 1 : 1)) % n]);
}

void app_job_named(struct app *a, const char *word) {
    uint64_t n = 0;

    if (!*word) {
        app_go(a, SCR_JOBS);
        return;
    }
    if (!decimal_parse(word, &n) || n > a->n_jobs)
        n = 0;
    for (size_t i = 0; i < a->n_jobs && n == 0; i++) {
        char id[5];

        hex_encode(view_of(a->jobs[i]->id, 2), id);
        if (!strcmp(id, word))
            n = i + 1;
    }
    if (n == 0)
        app_say(a, ROLE_WARN, "there is no such job: /job lists them");
    else
        go_to(a, a->jobs[n - 1]);
}

void app_jobs_next_unread(struct app *a) {
    size_t n = a->n_jobs, at = index_of(a, a->job);

    for (size_t i = 1; i <= n; i++) {
        struct app_job *j = a->jobs[(at + i) % n];

        if (j->unread == 0 || app_looks_at(a, j))
            continue;
        app_job_show(a, j);
        app_job_open(a);
        return;
    }
    app_say(a, ROLE_DIM, "nothing new in any other job");
}

bool app_looks_at(const struct app *a, const struct app_job *j) {
    static const bool ITS[SCR_COUNT] = {
        [SCR_ATTEST] = true, [SCR_PROOF] = true, [SCR_CHAT] = true,  [SCR_SOURCE] = true,
        [SCR_TABLE] = true,  [SCR_CELL] = true,  [SCR_FILES] = true, [SCR_END] = true};

    return j == a->job && ITS[a->screen];
}

/* --- going --- */

void app_job_forget(struct app *a, struct app_job *j) {
    unsigned number = j->number;
    bool shown = app_looks_at(a, j);
    size_t i = index_of(a, j);

    if (i == a->n_jobs || app_job_alive(j))
        return;
    memmove(a->jobs + i, a->jobs + i + 1, (--a->n_jobs - i) * sizeof a->jobs[0]);
    if (j == a->job)
        show(a, a->n_jobs == 0 ? a->none : a->jobs[i < a->n_jobs ? i : i - 1]);
    if (shown)
        app_go(a, SCR_JOBS);
    app_job_free(j);
    a->conf.port->forget(a->conf.port_arg, number);
}

void app_jobs_wipe(struct app *a) {
    app_job_free(a->none);
    a->none = app_job_new();
    show(a, a->none);
    while (a->n_jobs > 0)
        app_job_free(a->jobs[--a->n_jobs]);
}

/* --- what is said in them --- */

/* Lines tell the hour: where a day begins, one tells the day. */
static void put_day(struct app_job *j, const struct tm *tm) {
    int day = tm->tm_year * 366 + tm->tm_yday;
    char words[64];

    if (j->day != 0 && j->day != day) {
        strftime(words, sizeof words, "--- %A, %d %B %Y ---", tm);
        pager_add(j->chat, "", ROLE_DIM, false, view_str(words));
    }
    j->day = day;
}

size_t app_job_chat(struct app *a, struct app_job *j, const char *who, enum role r, bool fixed,
                    struct view text) {
    char gutter[24];
    struct tm tm;
    time_t t = (time_t)a->unix_now;

    if (!j->chat)
        return 0;
    localtime_r(&t, &tm);
    put_day(j, &tm);
    snprintf(gutter, sizeof gutter, "%02d:%02d %s", tm.tm_hour, tm.tm_min, who);
    return pager_add(j->chat, *who ? gutter : "", r, fixed, text);
}

__attribute__((format(printf, 4, 0))) static void
note_ap(struct app *a, struct app_job *j, enum role r, const char *fmt, va_list ap) {
    char text[1024];

    vsnprintf(text, sizeof text, fmt, ap);
    app_job_chat(a, j, "", r, false, view_str(text));
}

void app_job_note(struct app *a, struct app_job *j, enum role r, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    note_ap(a, j, r, fmt, ap);
    va_end(ap);
}

void app_note(struct app *a, enum role r, const char *fmt, ...) {
    va_list ap;

    va_start(ap, fmt);
    note_ap(a, a->job, r, fmt, ap);
    va_end(ap);
}

void app_chat(struct app *a, const char *who, enum role r, bool fixed, struct view text) {
    app_job_chat(a, a->job, who, r, fixed, text);
}
