#include "tui/theme.c"

#include <locale.h>
#include <math.h>

#include "core/bytes.h"
#include "tests/unit/unit.h"

static SCREEN *screen;

/* --- contrast, as WCAG 2 computes it from the palette that xterm has --- */

static double channel(int v) {
    double c = v / 255.0;

    return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(short n) {
    static const int LEVEL[] = {0, 95, 135, 175, 215, 255};
    int r, g, b;

    assert_true(n >= 16 && n < 256); /* the first sixteen are the person's own */
    if (n >= 232)
        r = g = b = 8 + (n - 232) * 10;
    else {
        r = LEVEL[(n - 16) / 36];
        g = LEVEL[(n - 16) / 6 % 6];
        b = LEVEL[(n - 16) % 6];
    }
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}

static void readable(short n, double least_on_black, double least_on_white) {
    double l = luminance(n), black = (l + 0.05) / 0.05, white = 1.05 / (l + 0.05);

    if (black < least_on_black || white < least_on_white)
        fail_msg("colour %d: %.1f on black, %.1f on white", n, black, white);
}

static void colours_are_readable(void **state) {
    (void)state;
    for (enum role r = 0; r < ROLE_COUNT; r++) {
        if (STYLES[r].of256 < 0)
            continue;
        readable(STYLES[r].of256, 3, 3);
        readable(STYLES[r].on_dark, 4.5, 0);
        readable(STYLES[r].on_light, 0, 4.5);
    }
}

/* --- which theme --- */

static enum theme found(enum theme wanted, const char *no_color, const char *background_is) {
    unsetenv("NO_COLOR");
    unsetenv("COLORFGBG");
    if (no_color)
        setenv("NO_COLOR", no_color, 1);
    if (background_is)
        setenv("COLORFGBG", background_is, 1);
    return theme_found(wanted);
}

static void start(const char *term) {
    FILE *nowhere = fopen("/dev/null", "r+");

    screen = newterm(term, nowhere, nowhere);
    assert_non_null(screen);
}

static void stop(void) {
    endwin();
    delscreen(screen);
}

static void chooses(void **state) {
    (void)state;
    start("xterm-256color");
    assert_int_equal(found(THEME_AUTO, NULL, NULL), THEME_256);
    assert_int_equal(found(THEME_AUTO, "", NULL), THEME_256); /* empty is unset */
    assert_int_equal(found(THEME_AUTO, "1", NULL), THEME_MONO);
    assert_int_equal(found(THEME_AUTO, NULL, "15;0"), THEME_DARK);
    assert_int_equal(found(THEME_AUTO, NULL, "0;15"), THEME_LIGHT);
    assert_int_equal(found(THEME_AUTO, NULL, "0;default;7"), THEME_LIGHT);
    assert_int_equal(found(THEME_AUTO, NULL, "0;default"), THEME_256);
    assert_int_equal(found(THEME_AUTO, NULL, "0;"), THEME_256);
    assert_int_equal(found(THEME_AUTO, NULL, "x"), THEME_256);
    assert_int_equal(found(THEME_MONO, NULL, "15;0"), THEME_MONO);
    assert_int_equal(found(THEME_8, NULL, NULL), THEME_8);
    assert_int_equal(found(THEME_LIGHT, "1", "15;0"), THEME_LIGHT); /* named: it was meant */
    stop();
}

static void poor_terminals(void **state) {
    (void)state;
    start("xterm"); /* eight colours */
    assert_int_equal(found(THEME_AUTO, NULL, "15;0"), THEME_8);
    assert_int_equal(found(THEME_256, NULL, NULL), THEME_8);
    stop();
    start("vt100"); /* none */
    for (enum theme t = 0; t < THEME_COUNT; t++)
        assert_int_equal(found(t, NULL, NULL), THEME_MONO);
    theme_start(THEME_256);
    for (enum role r = 0; r < ROLE_COUNT; r++)
        assert_int_equal(theme_look(r).pair, 0);
    stop();
}

static void names_are_in_order(void **state) {
    (void)state;
    assert_int_equal(COUNT(theme_names), THEME_COUNT + 1);
    assert_string_equal(theme_names[THEME_LIGHT], "light");
    assert_string_equal(theme_names[THEME_256], "256");
    assert_null(theme_names[THEME_COUNT]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_readable),
        cmocka_unit_test(chooses),
        cmocka_unit_test(poor_terminals),
        cmocka_unit_test(names_are_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
