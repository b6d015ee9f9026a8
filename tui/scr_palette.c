/* The palette, drawn over a screen. */
#include "tui/scr.h"

#include <stdio.h>
#include <string.h>

#include "tui/palette.h"

#define NAME_W 20

static void draw_row(const struct palette_row *r, struct rect at, enum scr on, bool here) {
    bool elsewhere = r->key && r->on != on;
    int name = at.w < 60 ? NAME_W - 4 : NAME_W;
    enum role role = elsewhere ? ROLE_DIM : ROLE_TEXT;
    char key[64];

    palette_name(r, key);
    draw_fmt(at.y, at.x, name - 1, ROLE_ACCENT, "%s", key);
    draw_fmt(at.y, at.x + name, at.w - name, role, "%s%s%s", r->cmd ? r->cmd->help : r->key->help,
             elsewhere ? ", " : "", elsewhere ? keys_screen_name(r->on) : "");
    if (here)
        draw_look(at.y, at.x, at.w, ROLE_CURSOR);
}

struct scr_cursor scr_palette_draw(const struct app *a, const struct scr_sizes *s) {
    const struct palette *p = a->palette;
    struct rect r = s->help, frame = {r.y - 1, r.x - 2, r.h + 2, r.w + 4};
    int typed;

    draw_box(frame, safe_lit(" Everything "));
    draw_text(r.y, r.x, 2, ROLE_ACCENT, safe_lit("> "));
    typed = scr_typed_draw(p->edit, r.y, r.x + 2, r.w - 2);
    if (p->list.n == 0)
        draw_text(r.y + 1, r.x, r.w, ROLE_DIM, safe_lit("nothing is called like that"));
    for (int i = 0; i < r.h - 1 && p->list.top + (size_t)i < p->list.n; i++) {
        size_t row = p->list.top + (size_t)i;

        draw_row(&p->row[row], (struct rect){r.y + 1 + i, r.x, 1, r.w}, a->screen,
                 row == p->list.cur);
    }
    return (struct scr_cursor){r.y, r.x + 2 + typed};
}
