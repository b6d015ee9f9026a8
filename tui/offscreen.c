#include "tui/offscreen.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "tui/draw.h"
#include "tui/scr.h"
#include "tui/tui.h"

#define HEADER_ROWS 2
#define APART 3 /* blanks that part two columns */

/* One for the whole run. */
static bool start(void) {
    static SCREEN *screen;
    FILE *nowhere;

    if (screen)
        return true;
    nowhere = fopen("/dev/null", "r+");
    screen = nowhere ? newterm("vt100", nowhere, nowhere) : NULL;
    if (!screen)
        return false;
    resizeterm(OFFSCREEN_ROWS, OFFSCREEN_COLS);
    draw_start(!tui_utf8(), THEME_MONO);
    return true;
}

/* Appends what one cell shows, frames as ASCII; returns its width. */
static int cell(int y, int x, struct buf *out) {
    wchar_t chars[CCHARW_MAX + 1] = {0};
    attr_t attr;
    short pair;
    cchar_t c;

    mvin_wch(y, x, &c);
    getcchar(&c, chars, &attr, &pair, NULL);
    for (int i = 0; chars[i]; i++) {
        uint32_t cp = (uint32_t)chars[i];
        bool frame = cp >= 0x2500 && cp < 0x2580;
        char utf8[4];

        if (frame)
            buf_u8(out, (uint8_t)(cp_ascii(cp) == '+' ? '|' : cp_ascii(cp)));
        else
            buf_add(out, utf8, utf8_put(cp, utf8));
    }
    return cp_width((uint32_t)chars[0]) == 2 ? 2 : 1;
}

/* Without frames at both ends; empty when there is nothing but a rule. */
static struct view row_text(const char *row, size_t n) {
    size_t from = strspn(row, " |+=-");

    if (from >= n)
        return view_str("");
    while (n > from && strchr(" |", row[n - 1]))
        n--;
    return view_of(row + from, n - from);
}

static void say_row(struct view v, void (*line)(void *arg, struct safe_text t), void *arg) {
    cleanup_buf struct buf out = {0};
    size_t blanks = 0;

    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == ' ') {
            blanks++;
            continue;
        }
        if (blanks > 0)
            buf_str(&out, blanks >= APART ? ", " : " ");
        blanks = 0;
        buf_u8(&out, v.p[i]);
    }
    line(arg, (struct safe_text){(const char *)out.p, out.n});
}

void offscreen_read(struct app *a, void (*line)(void *arg, struct safe_text t), void *arg) {
    if (!start())
        return;
    app_resize(a, OFFSCREEN_ROWS, OFFSCREEN_COLS);
    app_prepare(a);
    scr_draw(a);
    for (int y = HEADER_ROWS; y < OFFSCREEN_ROWS; y++) {
        cleanup_buf struct buf row = {0};
        struct view text;

        for (int x = 0; x < OFFSCREEN_COLS;)
            x += cell(y, x, &row);
        text = row_text((char *)row.p, row.n);
        if (text.n > 0)
            say_row(text, line, arg);
    }
}
