/* Keys and settings: what counts now, where it lies, and what the row under the cursor means. */
#include "tui/scr.h"

#include <stdio.h>
#include <string.h>

#define LABEL_W 13   /* of keys and notes with a short label */
#define STATE_W 8    /* of a relay */
#define NUMBERS_W 13 /* its ping and events */

static void draw_pair(const struct option_row *r, struct rect at, bool here) {
    int label = (int)strlen(r->label), w = at.w - 2, note = (int)strlen(r->note);
    int gap = *r->value ? (label > LABEL_W ? label + 2 : LABEL_W + 1) : label;
    enum role role = here ? ROLE_ACCENT : r->role;

    draw_fmt(at.y, at.x + 2, w, role, "%s", r->label);
    if (gap < w && *r->value)
        gap += 2 + draw_fmt(at.y, at.x + 2 + gap, w - gap, here ? ROLE_ACCENT : ROLE_TEXT, "%s",
                            r->value);
    if (gap + note < w)
        draw_right(at.y, at.x + at.w, note, r->kind == OPTION_NOTE ? r->role : ROLE_DIM, "%s",
                   r->note);
}

/* One that is in use has its state in columns; of another, all the room says how it was tried. */
static void draw_entry(const struct option_row *r, struct rect at, bool here) {
    bool columns = *r->note != 0;
    int end = at.x + at.w - (columns ? NUMBERS_W : 0), words = (int)strlen(r->value);
    int right = columns ? STATE_W : words < at.w / 2 ? words : at.w / 2;

    draw_fmt(at.y, at.x + 2, end - right - at.x - 3, here ? ROLE_ACCENT : ROLE_TEXT, "%s %s",
             r->on ? "[x]" : "[ ]", r->label);
    draw_fmt(at.y, end - right, right, r->role, "%s", r->value);
    if (columns)
        draw_right(at.y, at.x + at.w, NUMBERS_W, ROLE_DIM, "%s", r->note);
}

static void draw_who(const struct option_row *r, struct rect at, bool here) {
    int note = (int)strlen(r->note), room = at.w - 3 - note;

    room -= draw_fmt(at.y, at.x + 2, room, here ? ROLE_ACCENT : ROLE_TEXT, "(%c) %s",
                     r->on ? 'o' : ' ', r->label);
    if (room > 2)
        draw_fmt(at.y, at.x + at.w - note - room + 1, room - 2, ROLE_DIM, "%s", r->value);
    draw_right(at.y, at.x + at.w, note, ROLE_DIM, "%s", r->note);
}

static void draw_row(const struct option_row *r, struct rect at, bool here) {
    if (here)
        draw_text(at.y, at.x, 1, ROLE_ACCENT, safe_lit(">"));
    switch (r->kind) {
    case OPTION_HEAD:
        draw_fmt(at.y, at.x + 1, at.w - 1, ROLE_TITLE, "%s", r->label);
        draw_right(at.y, at.x + at.w, at.w, ROLE_DIM, "%s", r->note);
        return;
    case OPTION_WHO:
        draw_who(r, at, here);
        return;
    case OPTION_ADD:
    case OPTION_MAKE:
    case OPTION_IMPORT:
    case OPTION_SIGNER:
        draw_fmt(at.y, at.x + 2, at.w - 2, here ? ROLE_ACCENT : ROLE_DIM, "+ %s", r->label);
        return;
    case OPTION_ENTRY:
        draw_entry(r, at, here);
        return;
    case OPTION_NOTE:
    case OPTION_KEY:
        draw_pair(r, at, here);
        return;
    }
}

/* Rows [first, last) from `top` of them on. */
static void draw_column(const struct options *o, struct rect at, size_t first, size_t last,
                        size_t top) {
    for (int i = 0; i < at.h && first + top + (size_t)i < last; i++) {
        size_t row = first + top + (size_t)i;

        draw_row(&o->row[row], (struct rect){at.y + i, at.x, 1, at.w}, row == o->cur);
    }
    if (first + top + (size_t)at.h < last)
        draw_right(at.y + at.h - 1, at.x + at.w, 5, ROLE_ACCENT, " more");
}

static void draw_columns(const struct app *a, struct rect at) {
    const struct options *o = a->options;
    int half = at.w / 2;

    if (at.w < APP_TWO_COLUMNS) {
        draw_column(o, (struct rect){at.y, at.x, at.h, at.w - 1}, 0, o->n, o->top[0]);
        return;
    }
    draw_column(o, (struct rect){at.y, at.x, at.h, half - 2}, 0, o->right, o->top[0]);
    for (int i = 0; i < at.h; i++)
        draw_text(at.y + i, half - 1, 1, ROLE_DIM, safe_lit("|"));
    draw_column(o, (struct rect){at.y, half + 1, at.h, at.w - half - 2}, o->right, o->n, o->top[1]);
}

/* What the row under the cursor is, and whether it is in the file yet. */
static void draw_about(const struct app *a, int y, int rows) {
    const struct option_row *r = options_at(a->options);
    cleanup_buf struct buf text = {0}, safe = {0};

    if (r && r->key)
        buf_fmt(&text, "%s: %s. ", r->kind == OPTION_ENTRY ? r->label : r->key->name, r->key->help);
    else if (r)
        buf_str(&text, "Keys are kept in locked memory, stored only as ncryptsec, never shown, "
                       "never logged. ");
    if (r && r->key && settings_at_start(r->key))
        buf_str(&text, "Counts from the next start on. ");
    if (a->conf.set->changed)
        buf_str(&text, "Changes count for this run until w writes them.");
    draw_wrap(y, 2, a->cols - 3, rows, ROLE_TEXT,
              text_safe(buf_view(&text), TEXT_PROSE, 1000, &safe));
}

struct scr_cursor scr_settings_draw(const struct app *a, const struct scr_sizes *s) {
    struct rect b = s->body;
    int y = b.y + s->options;

    draw_columns(a, (struct rect){b.y, b.x, s->options, b.w});
    draw_rule(y, 0, a->cols, RULE_THIN);
    draw_about(a, y + 1, b.h - s->options - 2);
    draw_fmt(b.y + b.h - 1, 1, a->cols - 2, ROLE_WARN,
             "PANIC  Ctrl-Q twice: destroy guests, wipe all, clear, leave");
    return (struct scr_cursor){-1, 0};
}
