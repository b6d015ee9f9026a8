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

static void draw_head(const struct app *a, const struct scr_sizes *s) {
    const struct app_job *j = a->job;
    struct scr_state look = scr_check(j->verdict.state, j->simulated);
    char guest[20], age[16], words[160];
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
        if (j->model.chats && s->chat.y <= y + 2) /* no line of its own here */
            model_words(&j->model, words, sizeof words);
        else
            snprintf(words, sizeof words, "%s  %s", j->model.chats ? "chat" : j->workload,
                     j->price);
        draw_right(y, a->cols - 1, a->cols - x - 1, ROLE_DIM, "%s", words);
    }
    if (s->chat.y > y + 2)
        draw_model(a, y + 1);
    if (s->chat.y > y + 1)
        draw_rule(s->chat.y - 1, 0, a->cols, RULE_THIN);
}

static void draw_talk(const struct app *a, const struct scr_sizes *s) {
    const struct pager *p = a->job->chat;
    struct pager_row row;

    for (int i = 0; p && i < s->chat.h && pager_row(p, pager_top(p) + (size_t)i, &row); i++) {
        draw_text(s->chat.y + i, s->chat.x, s->indent - 1, ROLE_DIM, row.gutter);
        draw_text(s->chat.y + i, s->chat.x + s->indent, s->chat.w - s->indent, row.role, row.text);
    }
}

static void draw_file(const struct app *a, const struct app_file *f, int y) {
    char done[16], size[16], rate[16], left[16];
    int64_t ms = f->moved > f->began ? f->moved - f->began : 1;
    uint64_t per_s = f->done * 1000 / (uint64_t)ms;
    int bar = a->cols >= 100 ? 30 : a->cols >= 80 ? 14 : 8, x = 7;

    scr_bytes(f->done, done);
    scr_bytes(f->size, size);
    scr_bytes(per_s, rate);
    scr_elapsed(per_s ? (int64_t)((f->size - f->done) * 1000 / per_s) : 0, left);
    draw_text(y, 2, 5, ROLE_DIM, f->up ? safe_lit("up") : safe_lit("down"));
    draw_fmt(y, x, 16, ROLE_TEXT, "%s", f->name);
    draw_bar(y, x + 17, bar, f->done, f->size);
    draw_fmt(y, x + 18 + bar, a->cols - x - 19 - bar, ROLE_TEXT, "%s of %s  %s/s%s%s", done, size,
             rate, per_s ? "  left " : "", per_s ? left : "");
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

/* The rule over the input tells how the answer comes along and what waits below. */
static void draw_mark(const struct app *a, int y) {
    const struct app_turn *t = app_answering(a);
    int right = a->cols - 2;
    char for_s[16];

    draw_rule(y, 0, a->cols, RULE_THIN);
    if (a->job->chat && !pager_following(a->job->chat))
        right =
            draw_right(y, right, 20, ROLE_ACCENT, " v %zu new ", pager_unseen(a->job->chat)) - 2;
    if (!t)
        return;
    scr_elapsed(a->now - t->asked, for_s);
    if (t->chars > 0)
        draw_right(y, right, 40, ROLE_DIM, " answering, %" PRIu64 " bytes, %s ", t->chars, for_s);
    else
        draw_right(y, right, 40, ROLE_DIM, " waiting for the answer, %s ", for_s);
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
    return draw_input(a, s);
}
