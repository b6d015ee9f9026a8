/* The search line of the chat: words are looked for while they are typed; then n and N go from
 * place to place, until Esc. */
#include "tui/app.h"

static void look(struct app *a) {
    struct buf words = {0};

    edit_text(a->find, &words);
    a->found = a->job->chat ? pager_search(a->job->chat, buf_view(&words)) : 0;
    buf_wipe(&words);
}

/* Ctrl-F: begins, or goes on from the words of the last time. */
void app_find_open(struct app *a) {
    if (!a->job->chat)
        return;
    a->finding = FIND_TYPING;
    look(a);
}

void app_find_typed(struct app *a) {
    look(a);
    if (a->found > 0)
        (void)pager_seek(a->job->chat, true);
}

void app_find_older(struct app *a) {
    if (a->found > 0 && a->job->chat && !pager_seek(a->job->chat, true))
        app_say(a, ROLE_DIM, "nothing older holds those words");
}

void app_find_newer(struct app *a) {
    if (a->found > 0 && a->job->chat && !pager_seek(a->job->chat, false))
        app_say(a, ROLE_DIM, "nothing newer holds those words");
}

void app_find_keep(struct app *a) {
    if (edit_len(a->find) == 0)
        app_find_end(a);
    else
        a->finding = FIND_KEPT;
}

/* The view stays where it has come to. */
void app_find_end(struct app *a) {
    a->finding = FIND_OFF;
    a->found = 0;
    if (a->job->chat)
        (void)pager_search(a->job->chat, view_str(""));
}
