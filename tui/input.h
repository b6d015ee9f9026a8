/* What a person can press, and the decoder that makes it of what the terminal sends. No curses.
 *
 * A key is a code point, or one of K_* above Unicode, with K_ALT added when Alt was held. */
#ifndef CDVM_INPUT_H
#define CDVM_INPUT_H

#include "core/bytes.h"

#define K_CTRL(c) ((uint32_t)(c)&0x1fu)
#define K_ALT(k) ((uint32_t)(k) | 0x1000000u)
#define K_BACKSPACE 0x7fu
#define K_ESC 0x1bu
#define K_TAB 0x09u
#define K_ENTER 0x0du

enum special_key {
    K_UP = 0x110000,
    K_DOWN,
    K_LEFT,
    K_RIGHT,
    K_HOME,
    K_END,
    K_PAGE_UP,
    K_PAGE_DOWN,
    K_DELETE,
    K_BACK_TAB,
    K_F1,
    K_F2,
    K_F3,
    K_F4,
    K_F5,
    K_F6,
    K_WHEEL_UP, /* a line; one notch is several */
    K_WHEEL_DOWN,
    K_FOCUS_IN, /* never seen outside tui.c */
    K_FOCUS_OUT,
    K_PASTE_BEGIN, /* never seen outside the decoder */
    K_PASTE_END,
    K_PASTED_ENTER, /* Enter in the middle of a burst: typed by nobody, so it sends nothing */
};

struct input;
struct input_handler {
    void (*key)(void *arg, uint32_t key);
    /* One whole paste: UTF-8 with newlines, tabs, and no other control character. Borrowed. */
    void (*paste)(void *arg, struct view text, bool cut);
};

#define PASTE_MAX ((size_t)4 << 20)

/* A paste whose end mark got lost is given up by Ctrl-C alone. brackets: the terminal marks pastes.
 * Where it does not, Enter after other keys of the same burst is taken for a pasted newline; where
 * it does, only Enter with more behind it. */
struct input *input_new(bool brackets, const struct input_handler *h, void *arg);
void input_free(struct input *in);              /* wipes an unfinished paste; NULL legal */
void input_put(struct input *in, uint32_t key); /* a code point or a special_key */
void input_idle(struct input *in);              /* nothing more waits to be read */

#endif
