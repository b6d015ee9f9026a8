/* The conversation, files on their way, and the line being written. */
#include "tui/scr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/nip19.h"
#include "tui/cmd.h"

/* Who answers: never a small model without its size beside it. */
static void draw_model(const struct app *a, int y) {
    const struct model *m = &a->job->model;
    char words[160];
    int x = 1;

    if (!model_named(m)) {
        draw_text(y, x, a->cols - 2, ROLE_WARN,
                  safe_lit("no language model: answers are passages of your documents"));
        return;
    }
    model_words(m, words, sizeof words);
    x += draw_fmt(y, x, a->cols - 2, ROLE_TITLE, "%s", words);
    if (!m->by_guest)
        draw_text(y, x, a->cols - x - 1, ROLE_DIM, safe_lit("  (the seller's words)"));
    else if (model_caution(m))
        draw_text(y, x, a->cols - x - 1, ROLE_WARN, safe_lit("  small: go by the passages"));
}

/* What is left of the lease, and what was spent of its price. */
static void money_words(const struct app *a, char *out, size_t n) {
    const struct app_job *j = a->job;
    int64_t began = j->step[STEP_ACCEPT].seen, ms = began ? a->now - began : 0;
    int64_t left = (int64_t)j->minutes - ms / 60000;
    uint64_t minutes = (uint64_t)(ms / 60000) + 1;

    if (!began || session_state_final(j->state))
        snprintf(out, n, "%s", j->price);
    else if (j->per_minute)
        snprintf(out, n, "left %" PRId64 " min  spent %" PRIu64 " sat", left > 0 ? left : 0,
                 (minutes * j->price_msat + 999) / 1000);
    else
        snprintf(out, n, "left %" PRId64 " min  %s", left > 0 ? left : 0, j->price);
}

static void draw_head(const struct app *a, const struct scr_sizes *s) {
    const struct app_job *j = a->job;
    struct scr_state look = scr_check(j->verdict.state, j->simulated);
    char guest[20], age[16], words[160], money[64];
    int x = 1, y = s->body.y;

    if (!j->has_verdict) {
        draw_fmt(y, x, a->cols - 2, ROLE_WARN, "no guest yet: %s", session_state_name(j->state));
    } else {
        npub_short(j->verdict.guest, guest);
        scr_age(a->unix_now - j->verdict.as_of, age);
        x += draw_fmt(y, x, 10, j->simulated ? ROLE_SIM : ROLE_TITLE, "%s",
                      j->simulated ? "SIMULATED" : "SEALED") +
             2;
        x += draw_fmt(y, x, 28, ROLE_TEXT, "guest %s", guest) + 2;
        x += draw_fmt(y, x, 30, look.role, "%s %s ago", look.word, age) + 2;
        money_words(a, money, sizeof money);
        if (j->model.chats && s->chat.y <= y + 2) /* no line of its own here */
            model_words(&j->model, words, sizeof words);
        else
            snprintf(words, sizeof words, "%s", money);
        draw_right(y, a->cols - 1, a->cols - x - 1, ROLE_DIM, "%s", words);
    }
    if (s->chat.y > y + 2)
        draw_model(a, y + 1);
    if (s->chat.y > y + 1)
        draw_rule(s->chat.y - 1, 0, a->cols, RULE_THIN);
}

/* --- what was said --- */

static void draw_row(const struct pager *p, size_t i, const struct scr_sizes *s, int y) {
    struct pager_hit hits[PAGER_HITS];
    struct pager_row row;
    int x = s->chat.x + s->indent, w = s->chat.w - s->indent;
    size_t n = pager_hits(p, i, hits);

    if (!pager_row(p, i, &row))
        return;
    draw_text(y, s->chat.x, s->indent - 1, ROLE_DIM, row.gutter);
    draw_text(y, x, w, row.role, row.text);
    if (row.tag.n > 0)
        draw_text(y, x + w - text_width(view_of(row.tag.s, row.tag.n)), PAGER_TAG, ROLE_DIM,
                  row.tag);
    while (n-- > 0)
        if (hits[n].from < w)
            draw_look(y, x + hits[n].from, (hits[n].to < w ? hits[n].to : w) - hits[n].from,
                      hits[n].current ? ROLE_CURSOR : ROLE_ACCENT);
}

/* Between the text that is read and the newest: what has come in the meantime. */
static void draw_split(const struct pager *p, int y, int cols) {
    size_t unseen = pager_unseen(p);

    draw_rule(y, 0, cols, RULE_THIN);
    if (unseen > 0)
        draw_right(y, cols - 2, 30, ROLE_ACCENT, " v %zu new ", unseen);
    else
        draw_right(y, cols - 2, 30, ROLE_DIM, " the newest ");
}

static void draw_talk(const struct app *a, const struct scr_sizes *s) {
    const struct pager *p = a->job->chat;
    int view, tail;

    if (!p)
        return;
    view = pager_view(p);
    tail = pager_tail(p);
    for (int i = 0; i < view; i++)
        draw_row(p, pager_top(p) + (size_t)i, s, s->chat.y + i);
    if (tail > 0)
        draw_split(p, s->chat.y + view, a->cols);
    for (int i = 0; i < tail; i++)
        draw_row(p, pager_rows(p) - (size_t)(tail - i), s, s->chat.y + view + 1 + i);
}

static void draw_file(const struct app *a, const struct app_file *f, int y) {
    int name = a->cols >= 100 ? 24 : 16;

    draw_text(y, 2, 5, ROLE_DIM, f->up ? safe_lit("up") : safe_lit("down"));
    draw_fmt(y, 7, name, ROLE_TEXT, "%s", f->name);
    scr_transfer_draw(a, f, y, 8 + name, a->cols - 9 - name);
}

/* The words first; a bar where they leave room for one. */
static void draw_progress(const struct app *a, int y) {
    const struct pace *p = &a->job->pace;
    int x = 2 + draw_fmt(y, 2, a->cols - 4, ROLE_TEXT, "guest: %s", a->job->progress);
    int room = a->cols - 2 - x - 2;

    room = room < 18 ? room : 18;
    if (p->total && room >= 10)
        draw_bar(y, a->cols - 2 - room, room, p->done, p->total);
}

static void draw_transfers(const struct app *a, const struct scr_sizes *s) {
    const struct app_job *j = a->job;
    int y = s->chat.y + s->chat.h, last = y + s->transfers;

    if (*j->progress && y < last)
        draw_progress(a, y++);
    for (size_t i = j->n_files; i-- > 0 && y < last;)
        if (j->file[i].state == FILE_MOVING)
            draw_file(a, &j->file[i], y++);
}

static void answer_words(const struct app *a, const struct app_turn *t, char *out, size_t n) {
    int64_t ms = a->now - t->first;
    char for_s[16], rate[32] = "";

    scr_elapsed(a->now - t->asked, for_s);
    if (t->words > 0 && ms >= 1000)
        snprintf(rate, sizeof rate, ", %.1f/s", (double)t->words * 1000 / (double)ms);
    if (t->first > 0)
        snprintf(out, n, " answering, %" PRIu64 " words%s, %s ", t->words, rate, for_s);
    else
        snprintf(out, n, " waiting for the answer, %s ", for_s);
}

/* The rule over the input tells how the answer comes along and what waits below. */
static void draw_mark(const struct app *a, int y) {
    const struct app_turn *t = app_answering(a);
    const struct pager *p = a->job->chat;
    int right = a->cols - 2;
    char words[80];

    draw_rule(y, 0, a->cols, RULE_THIN);
    if (p && !pager_following(p) && pager_tail(p) == 0)
        right = draw_right(y, right, 20, ROLE_ACCENT, " v %zu new ", pager_unseen(p)) - 2;
    if (!t)
        return;
    answer_words(a, t, words, sizeof words);
    draw_right(y, right, 50, ROLE_DIM, "%s", words);
}

/* In the place of the draft, which stays as it is. */
static struct scr_cursor draw_find(const struct app *a, const struct scr_sizes *s) {
    cleanup_buf struct buf words = {0};
    struct edit_row row;
    struct edit_place at;
    size_t first;
    int y = s->input.y, x = 1, room;
    char found[40];

    edit_text(a->find, &words);
    buf_str(&words, "");
    snprintf(found, sizeof found, "%s%zu found", a->found == PAGER_FOUND_MAX ? "over " : "",
             a->found);
    x += draw_text(y, x, 7, ROLE_ACCENT, safe_lit("find: "));
    room = a->cols - x - 18;
    (void)edit_layout(a->find, 10000, &row, 1, &first, &at);
    draw_fmt(y, x, room, ROLE_ACCENT, "%s", (char *)words.p);
    draw_right(y, a->cols - 1, 16, a->found || words.n == 0 ? ROLE_DIM : ROLE_WARN, "%s",
               words.n ? found : "");
    if (a->finding == FIND_KEPT)
        return (struct scr_cursor){-1, 0};
    return (struct scr_cursor){y, x + (at.col < room ? at.col : room)};
}

static struct scr_cursor draw_input(const struct app *a, const struct scr_sizes *s) {
    struct edit_row rows[64];
    struct edit_place at;
    size_t first, n;
    int h = s->input.h < 64 ? s->input.h : 64;
    enum role role = cmd_typed(a) ? ROLE_ACCENT : ROLE_TEXT;

    n = edit_layout(a->input, s->input.w, rows, (size_t)h, &first, &at);
    draw_text(s->input.y, 1, 1, ROLE_ACCENT, cmd_typed(a) ? safe_lit(":") : safe_lit(">"));
    for (int i = 0; i < h && first + (size_t)i < n; i++) {
        cleanup_buf struct buf b = {0};
        char utf8[4];

        for (size_t k = rows[i].from; k < rows[i].to; k++)
            buf_add(&b, utf8, utf8_put(edit_at(a->input, k), utf8));
        draw_text(s->input.y + i, s->input.x, s->input.w, role,
                  (struct safe_text){(char *)b.p, b.n});
        if (b.p)
            explicit_bzero(b.p, b.n);
    }
    return (struct scr_cursor){s->input.y + (int)(at.row - first), s->input.x + at.col};
}

struct scr_cursor scr_chat_draw(const struct app *a, const struct scr_sizes *s) {
    draw_head(a, s);
    draw_talk(a, s);
    draw_transfers(a, s);
    draw_mark(a, s->input.y - 1);
    return a->finding != FIND_OFF ? draw_find(a, s) : draw_input(a, s);
}
