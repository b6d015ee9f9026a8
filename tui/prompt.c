#include "tui/prompt.h"

#include <stdio.h>
#include <string.h>

void prompt_ask(struct prompt *p, enum prompt_then then, const char *title, const char *word) {
    prompt_close(p);
    p->open = true;
    p->then = then;
    snprintf(p->title, sizeof p->title, "%s", title);
    if (!word)
        return;
    snprintf(p->word, sizeof p->word, "%s", word);
    p->edit = edit_new(sizeof p->word, false);
}

void prompt_ask_text(struct prompt *p, enum prompt_then then, const char *title, size_t max) {
    prompt_ask(p, then, title, NULL);
    p->free = true;
    p->edit = edit_new(max, false);
}

void prompt_ask_hidden(struct prompt *p, enum prompt_then then, const char *title) {
    prompt_ask(p, then, title, NULL);
    p->hidden = hidden_new();
}

void prompt_wait(struct prompt *p, enum prompt_then then, const char *title, int64_t until) {
    prompt_ask(p, then, title, NULL);
    p->until = until;
}

struct hidden *prompt_hidden(struct prompt *p) {
    struct hidden *h = p->hidden;

    p->hidden = NULL;
    return h;
}

void prompt_text(const struct prompt *p, struct buf *out) {
    if (p->edit)
        edit_text(p->edit, out);
}

bool prompt_answer(struct prompt *p) {
    cleanup_buf struct buf typed = {0};
    bool ok = true;

    if (p->edit && !p->free) {
        edit_text(p->edit, &typed);
        ok = view_is(buf_view(&typed), p->word) || (*p->also && view_is(buf_view(&typed), p->also));
    }
    prompt_close(p);
    return ok;
}

void prompt_close(struct prompt *p) {
    edit_free(p->edit);
    hidden_free(p->hidden);
    buf_free(&p->body);
    memset(p, 0, sizeof *p);
}
