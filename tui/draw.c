#include "tui/draw.h"
#include "tui/flow.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define MARKS_MAX 2
#define FMT_MAX 2048

static bool ascii_only;

void draw_start(bool ascii, enum theme t) {
    ascii_only = ascii;
    theme_start(t);
}

void draw_clear(void) {
    erase();
}

void draw_show(int cursor_y, int cursor_x) {
    curs_set(cursor_y < 0 ? 0 : 1);
    if (cursor_y >= 0)
        move(cursor_y, cursor_x);
    refresh();
}

void draw_redraw(void) {
    clearok(curscr, TRUE);
}

/* What stands on the screen for one code point; *width gets its cells. */
static wchar_t shown_as(uint32_t cp, int *width) {
    *width = cp_width(cp);
    if (cp >= 0x20 && cp < 0x7f)
        return (wchar_t)cp;
    if (*width < 0 || (*width > 0 && !ascii_only && wcwidth((wchar_t)cp) != *width)) {
        *width = *width < 1 ? 1 : *width;
        return ascii_only ? L'?' : 0xfffd;
    }
    return ascii_only && *width > 0 ? (wchar_t)cp_ascii(cp) : (wchar_t)cp;
}

static void put_cell(int y, int x, const wchar_t *chars, enum role r) {
    struct look k = theme_look(r);
    cchar_t cell;

    if (y < 0 || x < 0 || y >= LINES || x >= COLS)
        return;
    if (setcchar(&cell, chars, (attr_t)k.attr, k.pair, NULL) == OK)
        mvadd_wch(y, x, &cell);
}

static void put_char(int y, int x, wchar_t c, enum role r) {
    put_cell(y, x, (wchar_t[]){c, 0}, r);
}

/* One base character with the marks that follow it. */
struct cluster {
    wchar_t chars[1 + MARKS_MAX + 1];
    int width;
};

static size_t cluster_next(struct view v, struct cluster *c) {
    uint32_t cp;
    size_t n = utf8_next(v, &cp), marks = 0;

    if (n == 0) {
        n = v.n > 0;
        cp = 0xfffd;
    }
    memset(c, 0, sizeof *c);
    c->chars[0] = shown_as(cp, &c->width);
    if (c->width == 0) { /* a mark with nothing to stand on */
        c->chars[0] = ascii_only ? L'?' : 0xfffd;
        c->width = 1;
    }
    while (n < v.n) {
        size_t more = utf8_next(view_of(v.p + n, v.n - n), &cp);

        if (more == 0 || cp_width(cp) != 0)
            break;
        n += more;
        if (!ascii_only && marks < MARKS_MAX && wcwidth((wchar_t)cp) == 0)
            c->chars[1 + marks++] = (wchar_t)cp;
    }
    if (c->width == 2 && (ascii_only || c->chars[0] == 0xfffd))
        c->chars[1] = 0;
    return n;
}

static void put_cluster(int y, int x, const struct cluster *c, enum role r) {
    put_cell(y, x, c->chars, r);
    if (c->width == 2 && (ascii_only || c->chars[0] == 0xfffd))
        put_char(y, x + 1, c->chars[0], r); /* the stand-in is narrow */
}

static struct view first_line(struct safe_text t) {
    const char *nl = t.n ? memchr(t.s, '\n', t.n) : NULL;

    return view_of(t.s, nl ? (size_t)(nl - t.s) : t.n);
}

int draw_text(int y, int x, int w, enum role r, struct safe_text t) {
    struct view v = first_line(t);
    struct cluster c = {{0}, 0}, last = {{0}, 0};
    int used = 0;

    if (x + w > COLS)
        w = COLS - x;
    while (v.n > 0) {
        size_t n = cluster_next(v, &c);

        if (used + c.width > w) {
            if (w > 0)
                for (int at = used >= w ? used - last.width : used; at < w; at++)
                    put_char(y, x + at, at == w - 1 ? (ascii_only ? L'~' : 0x2026) : L' ', r);
            return w > 0 ? w : 0;
        }
        put_cluster(y, x + used, &c, r);
        used += c.width;
        last = c;
        v = view_of(v.p + n, v.n - n);
    }
    return used;
}

/* Formats and sanitises: arguments may hold text from outside. */
__attribute__((format(printf, 4, 0))) static struct safe_text
safe_fmt(char *room, size_t size, struct buf *out, const char *fmt, va_list ap) {
    int n = vsnprintf(room, size, fmt, ap);
    size_t have = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;

    return text_safe(view_of(room, have), TEXT_PROSE, size, out);
}

int draw_fmt(int y, int x, int w, enum role r, const char *fmt, ...) {
    cleanup_buf struct buf b = {0};
    char room[FMT_MAX];
    va_list ap;

    va_start(ap, fmt);
    struct safe_text t = safe_fmt(room, sizeof room, &b, fmt, ap);
    va_end(ap);
    return draw_text(y, x, w, r, t);
}

int draw_right(int y, int right, int w, enum role r, const char *fmt, ...) {
    cleanup_buf struct buf b = {0};
    char room[FMT_MAX];
    va_list ap;

    va_start(ap, fmt);
    struct safe_text t = safe_fmt(room, sizeof room, &b, fmt, ap);
    va_end(ap);

    int width = text_width(first_line(t));
    int x = right - (width > w ? w : width);

    draw_text(y, x, right - x, r, t);
    return x;
}

int draw_wrap(int y, int x, int w, int max, enum role r, struct safe_text t) {
    struct view rest = view_of(t.s, t.n);
    int row = 0;

    for (; row < max && rest.n > 0 && w > 0; row++) {
        size_t n = row + 1 == max ? rest.n : flow_break(rest, w);

        draw_text(y + row, x, w, r,
                  (struct safe_text){(const char *)rest.p, flow_trim(view_of(rest.p, n))});
        while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\n'))
            n++;
        rest = view_of(rest.p + n, rest.n - n);
    }
    return row;
}

void draw_rule(int y, int x, int w, enum rule kind) {
    wchar_t utf8 = kind == RULE_THICK ? 0x2550 : 0x2500;

    for (int i = 0; i < w; i++)
        put_char(y, x + i, ascii_only ? (wchar_t)cp_ascii((uint32_t)utf8) : utf8, ROLE_DIM);
}

void draw_bar(int y, int x, int w, uint64_t done, uint64_t total) {
    int room = w - 2;
    int full = total == 0 || done >= total ? room : (int)((double)done / (double)total * room);

    put_char(y, x, L'[', ROLE_TEXT);
    for (int i = 0; i < room; i++)
        put_char(y, x + 1 + i, i < full ? L'#' : L'-', i < full ? ROLE_ACCENT : ROLE_DIM);
    put_char(y, x + w - 1, L']', ROLE_TEXT);
}

void draw_look(int y, int x, int w, enum role r) {
    struct look k = theme_look(r);

    if (w > 0)
        mvchgat(y, x, w, (attr_t)k.attr, k.pair, NULL);
}

static void draw_frame(struct rect r) {
    static const uint32_t CORNER[] = {0x250c, 0x2510, 0x2514, 0x2518};
    int bottom = r.y + r.h - 1, right = r.x + r.w - 1;
    const int at[][2] = {{r.y, r.x}, {r.y, right}, {bottom, r.x}, {bottom, right}};

    draw_rule(r.y, r.x, r.w, RULE_THIN);
    draw_rule(bottom, r.x, r.w, RULE_THIN);
    for (int y = r.y + 1; y < bottom; y++) {
        put_char(y, r.x, ascii_only ? L'|' : 0x2502, ROLE_DIM);
        put_char(y, right, ascii_only ? L'|' : 0x2502, ROLE_DIM);
    }
    for (size_t i = 0; i < COUNT(CORNER); i++)
        put_char(at[i][0], at[i][1], ascii_only ? L'+' : (wchar_t)CORNER[i], ROLE_DIM);
}

struct rect draw_box(struct rect r, struct safe_text title) {
    for (int y = r.y; y < r.y + r.h; y++)
        for (int x = r.x; x < r.x + r.w; x++)
            put_char(y, x, L' ', ROLE_TEXT);
    draw_frame(r);
    draw_text(r.y, r.x + 2, r.w - 4, ROLE_TITLE, title);
    return (struct rect){r.y + 1, r.x + 2, r.h - 2, r.w - 4};
}
