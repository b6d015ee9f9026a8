/* The draft in the person's own editor: it belongs to its job, whichever is on the screens when the
 * editor ends. */
#include "tui/app.h"

#include <string.h>

void app_edit_outside(struct app *a) {
    struct buf draft = {0};
    struct err e;

    if (a->editing) {
        app_say(a, ROLE_WARN, "an editor is open already");
        return;
    }
    edit_text(a->input, &draft);
    a->editing = a->job->number;
    if (a->conf.port->edit(a->conf.port_arg, buf_view(&draft), &e) != 0) {
        a->editing = 0;
        app_say(a, ROLE_BAD, "%s", e.text);
    }
    buf_wipe(&draft);
}

/* Editors end a file with a newline that nobody typed. */
static struct view without_last_newline(struct view text) {
    return view_of(text.p, text.n - (text.n > 0 && text.p[text.n - 1] == '\n'));
}

void app_on_edited(struct app *a, struct view text, const struct err *e) {
    struct app_job *j = app_job_of(a, a->editing);

    a->editing = 0;
    if (e)
        app_say(a, ROLE_BAD, "%s", e->text);
    if (e || !j)
        return;
    edit_set(j->input, without_last_newline(text));
    if (edit_full(j->input))
        app_say(a, ROLE_WARN, "the draft was too long: only its beginning is here");
    else
        app_say(a, ROLE_DIM, "the draft is here, and nowhere else any more: Enter sends it");
}
