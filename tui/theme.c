#include "tui/theme.h"

#include <curses.h>
#include <stdbool.h>
#include <stdlib.h>
#include <term.h>

struct style {
    attr_t mono;     /* attributes where there is no colour */
    attr_t attr;     /* attributes beside the colour */
    short colour8;   /* the eight names every palette has; -1 = the terminal's foreground */
    short colour256; /* -1 = as with eight */
};

/* Bold never goes with yellow: many palettes turn it into light yellow, unreadable on white. */
static const struct style STYLES[ROLE_COUNT] = {
    [ROLE_TEXT] = {A_NORMAL, A_NORMAL, -1, -1},
    [ROLE_DIM] = {A_DIM, A_DIM, -1, 244},
    [ROLE_TITLE] = {A_BOLD, A_BOLD, -1, -1},
    [ROLE_ACCENT] = {A_BOLD, A_BOLD, COLOR_CYAN, 37},
    [ROLE_OK] = {A_NORMAL, A_NORMAL, COLOR_GREEN, 34},
    [ROLE_WARN] = {A_BOLD, A_NORMAL, COLOR_YELLOW, 172},
    [ROLE_BAD] = {A_REVERSE, A_BOLD, COLOR_RED, 160},
    [ROLE_SIM] = {A_BOLD, A_NORMAL, COLOR_MAGENTA, 134},
    [ROLE_BANNER] = {A_REVERSE | A_BOLD, A_REVERSE | A_BOLD, COLOR_MAGENTA, 134},
    [ROLE_CURSOR] = {A_REVERSE, A_REVERSE, -1, -1},
};

static struct look looks[ROLE_COUNT];

static enum theme theme_found(void) {
    const char *no = getenv("NO_COLOR");

    if ((no && *no) || !has_colors())
        return THEME_MONO;
    return tigetnum("colors") >= 256 ? THEME_256 : THEME_8;
}

static short style_colour(const struct style *s, enum theme t) {
    return t == THEME_256 && s->colour256 >= 0 ? s->colour256 : s->colour8;
}

void theme_start(enum theme t) {
    if (t == THEME_AUTO || !has_colors())
        t = theme_found();
    if (t != THEME_MONO) {
        start_color();
        use_default_colors();
    }
    for (short r = 0; r < ROLE_COUNT; r++) {
        const struct style *s = &STYLES[r];
        short colour = t == THEME_MONO ? -1 : style_colour(s, t);

        looks[r] = (struct look){t == THEME_MONO ? s->mono : s->attr, 0};
        if (colour < 0)
            continue;
        init_pair((short)(r + 1), colour, -1);
        looks[r].pair = (short)(r + 1);
        if (r == ROLE_DIM)
            looks[r].attr = A_NORMAL;
    }
}

struct look theme_look(enum role r) {
    return looks[r];
}
