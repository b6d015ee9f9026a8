/* Roles, not colours: what a piece of text means; the theme says how that looks here.
 *
 * Foreground colours only, on the terminal's own background (light and dark both stay readable),
 * and never colour alone: every state is a word and a symbol too. */
#ifndef CDVM_THEME_H
#define CDVM_THEME_H

enum role {
    ROLE_TEXT,
    ROLE_DIM,    /* secondary: units, times, what was not checked */
    ROLE_TITLE,  /* headings */
    ROLE_ACCENT, /* where the person is; keys in the footer */
    ROLE_OK,
    ROLE_WARN,
    ROLE_BAD,
    ROLE_SIM,
    ROLE_BANNER,    /* the SIMULATED banner */
    ROLE_CURSOR,    /* the line of a list under the cursor */
    ROLE_KEY_FIRST, /* somebody's key: the same one always looks the same */
    ROLE_KEY_LAST = ROLE_KEY_FIRST + 5,
    ROLE_COUNT,
};

#define ROLE_KEYS (ROLE_KEY_LAST - ROLE_KEY_FIRST + 1)

/* By the names they have in cdvm.conf, in this order. */
enum theme { THEME_AUTO, THEME_DARK, THEME_LIGHT, THEME_MONO, THEME_8, THEME_256, THEME_COUNT };
extern const char *const theme_names[THEME_COUNT + 1]; /* NULL ends */

struct look {
    unsigned long attr; /* curses attributes without the colour */
    short pair;         /* colour pair, 0 = the terminal's own */
};

/* After the terminal has started. NO_COLOR (set and not empty) or a terminal without colours: mono,
 * unless the theme was named. AUTO: 256 where there are as many, dark or light where COLORFGBG
 * tells the background, otherwise colours that are readable on both; 8 where there are fewer. */
void theme_start(enum theme t);
struct look theme_look(enum role r);

#endif
