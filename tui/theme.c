#include "tui/theme.h"

#include <curses.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

const char *const theme_names[] = {"auto", "dark", "light", "mono", "8", "256", NULL};

struct style {
    attr_t mono;   /* attributes where there is no colour */
    attr_t attr;   /* attributes beside the colour */
    short of8;     /* the eight names every palette has; -1 = the terminal's own foreground */
    short of256;   /* on either background; -1 = as with eight, for these three */
    short on_dark; /* bright enough for black */
    short on_light;
};

/* Bold never goes with yellow: many palettes turn it into light yellow, unreadable on white. The
 * colours of 256 have at least 3 : 1 of contrast on black and on white, those of one background
 * 4.5 : 1 there (WCAG 2; tests/unit/test_theme.c computes it). */
static const struct style STYLES[ROLE_COUNT] = {
    [ROLE_TEXT] = {A_NORMAL, A_NORMAL, -1, -1, -1, -1},
    [ROLE_DIM] = {A_DIM, A_DIM, -1, 244, 247, 239},
    [ROLE_TITLE] = {A_BOLD, A_BOLD, -1, -1, -1, -1},
    [ROLE_ACCENT] = {A_BOLD, A_BOLD, COLOR_CYAN, 30, 80, 23},
    [ROLE_OK] = {A_NORMAL, A_NORMAL, COLOR_GREEN, 28, 77, 22},
    [ROLE_WARN] = {A_BOLD, A_NORMAL, COLOR_YELLOW, 136, 214, 58},
    [ROLE_BAD] = {A_REVERSE, A_BOLD, COLOR_RED, 160, 210, 88},
    [ROLE_SIM] = {A_BOLD, A_NORMAL, COLOR_MAGENTA, 134, 177, 90},
    [ROLE_BANNER] = {A_REVERSE | A_BOLD, A_REVERSE | A_BOLD, COLOR_MAGENTA, 134, 177, 90},
    [ROLE_CURSOR] = {A_REVERSE, A_REVERSE, -1, -1, -1, -1},
    [ROLE_KEY_FIRST] = {A_NORMAL, A_NORMAL, COLOR_CYAN, 30, 80, 23},
    [ROLE_KEY_FIRST + 1] = {A_NORMAL, A_NORMAL, COLOR_BLUE, 67, 111, 25},
    [ROLE_KEY_FIRST + 2] = {A_NORMAL, A_NORMAL, COLOR_MAGENTA, 97, 176, 54},
    [ROLE_KEY_FIRST + 3] = {A_UNDERLINE, A_UNDERLINE, COLOR_CYAN, 30, 80, 23},
    [ROLE_KEY_FIRST + 4] = {A_UNDERLINE, A_UNDERLINE, COLOR_BLUE, 67, 111, 25},
    [ROLE_KEY_FIRST + 5] = {A_UNDERLINE, A_UNDERLINE, COLOR_MAGENTA, 97, 176, 54},
};

static struct look looks[ROLE_COUNT];

/* COLORFGBG, "15;0" or "0;default;15": the last number is the background's. */
static enum theme background(void) {
    const char *words = getenv("COLORFGBG");
    const char *last = words ? strrchr(words, ';') : NULL;

    if (!last || strspn(last + 1, "0123456789") != strlen(last + 1) || !last[1])
        return THEME_256;
    return !strcmp(last, ";7") || !strcmp(last, ";15") ? THEME_LIGHT : THEME_DARK;
}

static enum theme theme_found(enum theme wanted) {
    const char *no = getenv("NO_COLOR");
    bool many = tigetnum("colors") >= 256;

    if (wanted == THEME_MONO || !has_colors() || (wanted == THEME_AUTO && no && *no))
        return THEME_MONO;
    if (wanted == THEME_8 || !many)
        return THEME_8;
    return wanted == THEME_AUTO ? background() : wanted;
}

static short style_colour(const struct style *s, enum theme t) {
    const short by_theme[THEME_COUNT] = {[THEME_MONO] = -1,
                                         [THEME_8] = s->of8,
                                         [THEME_256] = s->of256,
                                         [THEME_DARK] = s->on_dark,
                                         [THEME_LIGHT] = s->on_light};

    return by_theme[t] < 0 && t != THEME_MONO ? s->of8 : by_theme[t];
}

void theme_start(enum theme wanted) {
    enum theme t = theme_found(wanted);

    if (t != THEME_MONO) {
        start_color();
        use_default_colors();
    }
    for (short r = 0; r < ROLE_COUNT; r++) {
        const struct style *s = &STYLES[r];
        short colour = style_colour(s, t);

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
