#include "tui/input.h"

#include <stdlib.h>

#include "core/text.h"

struct input {
    const struct input_handler *h;
    void *arg;
    bool brackets;
    bool pasting;     /* between the brackets */
    bool escaped;     /* an ESC came and nothing yet behind it */
    bool entered;     /* an Enter came and nothing yet behind it */
    bool after_paste; /* still in the burst that brought a paste */
    unsigned burst;   /* keys since the last idle */
    uint32_t last;
    struct buf paste;
};

struct input *input_new(bool brackets, const struct input_handler *h, void *arg) {
    struct input *in = mem_new(sizeof *in);

    in->h = h;
    in->arg = arg;
    in->brackets = brackets;
    buf_init(&in->paste, PASTE_MAX);
    return in;
}

void input_free(struct input *in) {
    if (!in)
        return;
    buf_wipe(&in->paste);
    free(in);
}

static void paste_put(struct input *in, uint32_t cp) {
    char utf8[4];

    if (cp == '\r')
        cp = '\n';
    if (cp >= 0x110000 || (cp < 0x20 && cp != '\n' && cp != '\t') || cp == 0x7f)
        return;
    buf_add(&in->paste, utf8, utf8_put(cp, utf8));
}

static void paste_end(struct input *in) {
    in->pasting = false;
    in->after_paste = true;
    in->h->paste(in->arg, buf_view(&in->paste), in->paste.full);
    buf_wipe(&in->paste);
    buf_init(&in->paste, PASTE_MAX);
}

/* The end mark got lost, and the person wants out. */
static void paste_give_up(struct input *in) {
    in->pasting = false;
    buf_wipe(&in->paste);
    buf_init(&in->paste, PASTE_MAX);
}

static void enter_out(struct input *in, bool alone) {
    in->entered = false;
    in->h->key(in->arg, alone && !in->after_paste ? K_ENTER : (uint32_t)K_PASTED_ENTER);
}

static void key_out(struct input *in, uint32_t key) {
    bool escaped = in->escaped;

    in->escaped = false;
    if (key == '\n')
        key = K_ENTER;
    if (key == '\b')
        key = K_BACKSPACE;
    if (escaped && key == K_ESC) {
        in->h->key(in->arg, K_ESC);
        in->escaped = true;
    } else if (escaped && key < 0x110000)
        in->h->key(in->arg, K_ALT(key));
    else if (key == K_ESC)
        in->escaped = true;
    else if (key == K_ENTER)
        in->entered = true;
    else
        in->h->key(in->arg, key);
}

void input_put(struct input *in, uint32_t key) {
    in->burst++;
    in->last = key;
    if (key == K_PASTE_END && in->pasting) {
        paste_end(in);
        return;
    }
    if (in->pasting) {
        paste_put(in, key);
        return;
    }
    if (in->entered)
        enter_out(in, false);
    if (key == K_PASTE_BEGIN)
        in->pasting = true;
    else if (key != K_PASTE_END)
        key_out(in, key);
}

void input_idle(struct input *in) {
    if (in->pasting && in->burst == 1 && in->last == K_CTRL('C'))
        paste_give_up(in);
    if (in->entered)
        enter_out(in, in->brackets || in->burst == 1);
    if (in->escaped)
        in->h->key(in->arg, K_ESC);
    in->escaped = false;
    in->after_paste = false;
    in->burst = 0;
}
