/* Over a screen: the help, made of the table of keys, and questions. */
#include "tui/scr.h"

#include <stdio.h>
#include <string.h>

#include "tui/cmd.h"
#include "tui/flow.h"

static void help_row(struct pager *p, const struct key_row *row) {
    char keys[100] = "", name[24];

    for (size_t k = 0; k < 4 && row->key[k]; k++) {
        if (row->key[k] == K_PASTED_ENTER)
            continue;
        keys_name(row->key[k], name);
        snprintf(keys + strlen(keys), sizeof keys - strlen(keys), "%s%s", k ? " " : "", name);
    }
    pager_add(p, keys, ROLE_TEXT, false, view_str(row->help));
}

static void help_screen(struct pager *p, enum scr s) {
    const struct key_row *row;
    size_t n;

    row = keys_table(&n);
    pager_add(p, keys_screen_name(s), ROLE_TITLE, false, view_str(""));
    for (size_t i = 0; i < n; i++)
        if (keys_on(&row[i], s))
            help_row(p, &row[i]);
    pager_gap(p);
}

static void help_commands(struct pager *p) {
    const struct cmd *c;
    size_t n;

    c = cmd_table(&n);
    pager_add(p, "Commands in the chat", ROLE_TITLE, false, view_str(""));
    for (size_t i = 0; i < n; i++) {
        char typed[24];

        snprintf(typed, sizeof typed, "/%s %s", c[i].name, c[i].args);
        pager_add(p, typed, ROLE_TEXT, false, view_str(c[i].help));
    }
    pager_gap(p);
}

static void help_words(struct pager *p) {
    static const struct {
        const char *word, *means;
    } WORDS[] = {
        {"[+] PASS", "verified on this machine"},
        {"[!] WARN", "goes on only with your typed consent"},
        {"[x] FAIL", "contradicted: nothing is sent"},
        {"[ ] NOT CHECKED", "could not be verified; blocks where it is required"},
        {"[S] SIMULATED", "no hardware behind it: for trying out, never for secrets"},
    };

    pager_add(p, "Words", ROLE_TITLE, false, view_str(""));
    for (size_t i = 0; i < COUNT(WORDS); i++)
        pager_add(p, WORDS[i].word, ROLE_TEXT, false, view_str(WORDS[i].means));
    pager_gap(p);
}

/* This screen first, then words and commands, then the other screens. */
void scr_help_fill(const struct app *a, struct pager *p) {
    if (pager_rows(p) > 0)
        return;
    help_screen(p, a->screen);
    if (a->screen == SCR_CHAT)
        help_commands(p);
    help_words(p);
    for (enum scr s = SCR_OFFERS; s <= SCR_END; s++)
        if (s != a->screen)
            help_screen(p, s);
    if (a->screen != SCR_CHAT)
        help_commands(p);
    pager_move(p, LIST_TOP);
}

void scr_help_draw(const struct app *a, const struct scr_sizes *s) {
    struct rect frame = {s->help.y - 1, s->help.x - 2, s->help.h + 2, s->help.w + 4};

    draw_box(frame, safe_lit(" Help "));
    scr_page_draw(a->help_page, s->help, SCR_HELP_INDENT, ROLE_ACCENT);
}

static int body_rows(struct view body, int w) {
    int rows = 0;

    for (size_t at = 0; at < body.n; rows++) {
        at += flow_break(view_of(body.p + at, body.n - at), w);
        at += at < body.n && body.p[at] == '\n';
    }
    return rows;
}

static void draw_title(const struct prompt *p, struct rect r) {
    draw_fmt(r.y - 1, r.x, r.w, ROLE_TITLE, " %s ", p->title);
}

int scr_typed_draw(const struct edit *e, int y, int x, int w) {
    cleanup_buf struct buf text = {0};
    struct edit_row row;
    struct edit_place at;
    size_t first;
    char utf8[4];

    (void)edit_layout(e, w - 1, &row, 1, &first, &at);
    for (size_t i = row.from; i < row.to; i++)
        buf_add(&text, utf8, utf8_put(edit_at(e, i), utf8));
    buf_str(&text, "");
    draw_fmt(y, x, w, ROLE_TEXT, "%s", (char *)text.p);
    return at.col;
}

/* Of one width whatever is in it; the cursor stays where it is. */
static struct scr_cursor draw_hidden(const struct hidden *h, int y, struct rect in) {
    int x = in.x;

    x += draw_text(y, x, 2, ROLE_ACCENT, safe_lit("> "));
    if (hidden_view(h).n)
        draw_text(y, x, in.w - 2, ROLE_TEXT, safe_lit("[****************] not shown"));
    else
        draw_text(y, x, in.w - 2, ROLE_DIM, safe_lit("[                ] not shown"));
    return (struct scr_cursor){y, x + 1};
}

static struct scr_cursor draw_wait(const struct app *a, int y, struct rect in) {
    int64_t left = (a->prompt.until - a->now + 999) / 1000;

    draw_fmt(y, in.x, in.w, ROLE_DIM, "at most %lld s more; Esc stops",
             (long long)(left > 0 ? left : 0));
    return (struct scr_cursor){-1, 0};
}

struct scr_cursor scr_prompt_draw(const struct app *a) {
    const struct prompt *p = &a->prompt;
    cleanup_buf struct buf safe = {0};
    struct safe_text body = text_safe(buf_view(&p->body), TEXT_PROSE, 4000, &safe);
    int w = a->cols < 80 ? a->cols - 4 : 72;
    int h = body_rows(view_of(body.s, body.n), w - 4) + 4;
    struct rect in;
    int y, x;

    h = h > a->rows - 3 ? a->rows - 3 : h; /* the banner stays in sight */
    in = draw_box((struct rect){2 + (a->rows - 3 - h) / 2, (a->cols - w) / 2, h, w}, safe_lit(""));
    draw_title(p, in);
    draw_wrap(in.y, in.x, in.w, in.h - 2, ROLE_TEXT, body);
    y = in.y + in.h - 1;
    if (p->until)
        return draw_wait(a, y, in);
    if (p->hidden)
        return draw_hidden(p->hidden, y, in);
    if (!p->edit) {
        x = in.x + draw_text(y, in.x, in.w, ROLE_ACCENT, safe_lit("y / N  "));
        return (struct scr_cursor){y, x};
    }
    x = in.x + draw_text(y, in.x, 2, ROLE_ACCENT, safe_lit("> "));
    return (struct scr_cursor){y, x + scr_typed_draw(p->edit, y, x, in.w - 2)};
}
