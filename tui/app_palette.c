/* The palette over a screen: what its keys do. */
#include "tui/app.h"
#include "tui/palette.h"

#include <stdio.h>
#include <string.h>

void app_palette_open(struct app *a) {
    palette_open(a->palette);
}

void app_palette_fill(struct app *a) {
    palette_fill(a->palette, a->screen, (size_t)(a->rows > 7 ? a->rows - 7 : 1));
}

/* The action where it belongs: its screen is brought up first. */
static void run_key(struct app *a, const struct palette_row *r) {
    if (a->screen != r->on)
        app_do(a, palette_way(r->on));
    if (a->screen == r->on) /* else it was said why not */
        app_do(a, r->key->action);
}

/* A command that wants an argument and has none waits for it. */
static bool wants_more(const struct cmd *c, const char *arg) {
    return *c->args && *c->args != '[' && !*arg;
}

static void type_name(struct palette *p, const struct cmd *c) {
    cleanup_free char *line = mem_fmt("/%s ", c->name);

    edit_set(p->edit, view_str(line));
}

void app_palette_run(struct app *a) {
    struct palette *p = a->palette;
    const struct palette_row *at = palette_at(p);
    struct palette_row r = at ? *at : (struct palette_row){0};
    cleanup_free char *arg = r.cmd ? palette_argument(p, r.cmd) : NULL;

    if (!at)
        return;
    if (r.cmd && wants_more(r.cmd, arg)) {
        type_name(p, r.cmd);
        app_say(a, ROLE_DIM, "/%s %s: type it, then Enter", r.cmd->name, r.cmd->args);
        return;
    }
    palette_close(p);
    if (r.cmd)
        r.cmd->run(a, arg);
    else
        run_key(a, &r);
}

/* As the chat completes what is typed there. */
static void complete_argument(struct app *a) {
    struct edit *chat = a->input;

    a->input = a->palette->edit;
    cmd_complete(a);
    a->input = chat;
}

void app_palette_complete(struct app *a) {
    const struct palette_row *r = palette_at(a->palette);

    if (r && r->cmd && palette_named(a->palette, r->cmd))
        complete_argument(a);
    else if (r && r->cmd)
        type_name(a->palette, r->cmd);
}
