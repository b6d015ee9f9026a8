#include "tui/notify.h"

#include <stdlib.h>
#include <string.h>

const char *const notify_names[] = {"auto", "off", "osc9", "osc777", NULL};

/* From the terminals' own manuals; the first row that fits counts. */
static const struct {
    const char *variable, *begins;
    enum notify takes;
} KNOWN[] = {
    {"TMUX", "", NOTIFY_OFF},
    {"STY", "", NOTIFY_OFF},
    {"TERM", "xterm-kitty", NOTIFY_OSC9},
    {"TERM", "xterm-ghostty", NOTIFY_OSC9},
    {"TERM", "foot", NOTIFY_OSC777},
    {"TERM", "rxvt-unicode", NOTIFY_OSC777},
    {"TERM_PROGRAM", "iTerm.app", NOTIFY_OSC9},
    {"TERM_PROGRAM", "WezTerm", NOTIFY_OSC9},
    {"TERM_PROGRAM", "ghostty", NOTIFY_OSC9},
};

enum notify notify_here(enum notify asked) {
    if (asked != NOTIFY_AUTO)
        return asked;
    for (size_t i = 0; i < COUNT(KNOWN); i++) {
        const char *v = getenv(KNOWN[i].variable);

        if (v && *v && !strncmp(v, KNOWN[i].begins, strlen(KNOWN[i].begins)))
            return KNOWN[i].takes;
    }
    return NOTIFY_OFF;
}

/* ';' parts the fields of OSC 777, '$' begins padding in terminfo's language, and what is not ASCII
 * may be a control byte to a terminal that is not in UTF-8. */
static void plain_words(struct safe_text words, struct buf *out) {
    static const char PLAIN[] = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                ".,:'()-";
    size_t n = words.n < NOTIFY_WORDS_MAX ? words.n : NOTIFY_WORDS_MAX;

    for (size_t i = 0; i < n; i++)
        buf_add(out, words.s[i] && strchr(PLAIN, words.s[i]) ? &words.s[i] : "?", 1);
}

void notify_bytes(enum notify how, bool bell, struct safe_text words, struct buf *out) {
    if (bell)
        buf_str(out, "\007");
    if (how != NOTIFY_OSC9 && how != NOTIFY_OSC777)
        return;
    /* "cdvm" also keeps a number from being the first word: OSC 9;4 draws a progress bar. */
    buf_str(out, how == NOTIFY_OSC9 ? "\033]9;cdvm: " : "\033]777;notify;cdvm;");
    plain_words(words, out);
    buf_str(out, "\033\\");
}
