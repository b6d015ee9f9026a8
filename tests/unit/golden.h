/* Golden screens. A scene is drawn by the real code into a curses screen that has no terminal and
 * read back cell by cell. tests/screens/SCENE.txt holds, for each size:
 *
 *   @ 80x24                 the text in UTF-8
 *   @ 80x24 looks           under every character the letter of its role (ROLE_LETTERS)
 *   @ 80x24 ASCII           the rows that differ where only ASCII may be drawn, each after its
 * number
 *
 * Text and roles must be the same in every theme, and every cell must look as the theme says for
 * its role; themes.txt holds what each theme says. So one file is a scene in colour and mono, light
 * and dark. `make golden` writes the files anew: then look at `git diff`. */
#ifndef CDVM_GOLDEN_H
#define CDVM_GOLDEN_H

#include <curses.h>
#include <dirent.h>
#include <unistd.h>
#include <wchar.h>

#include "core/bytes.h"
#include "core/text.h"
#include "tui/draw.h"

#define GOLDEN_DIR "tests/screens"
#define GOLDEN_MAX ((size_t)1 << 20)
#define SHOT_ROWS 40
#define SHOT_COLS 140

static const char ROLE_LETTERS[ROLE_COUNT + 1] = ".dTa+!xsBc012345";

/* What stands on a screen: the text of each row, and the role of each cell. */
struct shot {
    int rows, cols;
    char *text[SHOT_ROWS];
    char looks[SHOT_ROWS][SHOT_COLS + 1];
    uint8_t role[SHOT_ROWS][SHOT_COLS];
};

static void shot_free(struct shot *s) {
    for (int y = 0; y < s->rows; y++)
        free(s->text[y]);
    free(s);
}

struct cell {
    wchar_t chars[CCHARW_MAX + 1];
    struct look look;
};

static struct cell cell_at(int y, int x) {
    struct cell c = {0};
    attr_t attr;
    cchar_t cc;

    mvin_wch(y, x, &cc);
    getcchar(&cc, c.chars, &attr, &c.look.pair, NULL);
    c.look.attr = attr & ~(A_COLOR | A_CHARTEXT);
    return c;
}

static bool looks_like(struct look k, enum role r) {
    struct look want = theme_look(r);

    return k.attr == want.attr && k.pair == want.pair;
}

/* Only where the theme gives every role a look of its own. */
static enum role role_of(struct look k, int y, int x) {
    for (enum role r = 0; r < ROLE_COUNT; r++)
        if (looks_like(k, r))
            return r;
    fail_msg("the cell at row %d, column %d has a look of no role", y, x);
    return ROLE_TEXT;
}

static bool shows_nothing(const struct cell *c) {
    return c->chars[0] == L' ' && !c->chars[1] && !(c->look.attr & A_REVERSE);
}

static char *trimmed(struct buf *b) {
    while (b->n > 0 && b->p[b->n - 1] == ' ')
        b->n--;
    buf_str(b, "");
    return buf_take(b);
}

static void shoot_row(struct shot *s, int y) {
    struct buf text = {0}, looks = {0};

    for (int x = 0; x < s->cols;) {
        struct cell c = cell_at(y, x);
        int width = c.chars[0] > 0x7f && wcwidth(c.chars[0]) == 2 ? 2 : 1;
        char utf8[4];

        for (int i = 0; c.chars[i]; i++)
            buf_add(&text, utf8, utf8_put((uint32_t)c.chars[i], utf8));
        for (; width-- > 0 && x < s->cols; x++) {
            s->role[y][x] = (uint8_t)role_of(c.look, y, x);
            buf_u8(&looks, (uint8_t)(shows_nothing(&c) ? ' ' : ROLE_LETTERS[s->role[y][x]]));
        }
    }
    s->text[y] = trimmed(&text);
    char *l = trimmed(&looks);
    snprintf(s->looks[y], sizeof s->looks[y], "%s", l);
    free(l);
}

static struct shot *shot_take(void) {
    struct shot *s = mem_new(sizeof *s);

    assert_true(LINES <= SHOT_ROWS && COLS <= SHOT_COLS);
    s->rows = LINES;
    s->cols = COLS;
    for (int y = 0; y < s->rows; y++)
        shoot_row(s, y);
    return s;
}

/* What stands there now has the same text, and looks as the theme in force says for those roles. */
static void shot_must_hold(const struct shot *s, const char *scene, const char *theme) {
    for (int y = 0; y < s->rows; y++) {
        struct buf text = {0};

        for (int x = 0; x < s->cols;) {
            struct cell c = cell_at(y, x);
            char utf8[4];

            if (!looks_like(c.look, s->role[y][x]))
                fail_msg("%s, %s: row %d, column %d does not look as its role '%c' should", scene,
                         theme, y, x, ROLE_LETTERS[s->role[y][x]]);
            for (int i = 0; c.chars[i]; i++)
                buf_add(&text, utf8, utf8_put((uint32_t)c.chars[i], utf8));
            x += c.chars[0] > 0x7f && wcwidth(c.chars[0]) == 2 ? 2 : 1;
        }
        cleanup_free char *row = trimmed(&text);
        if (strcmp(row, s->text[y]) != 0)
            fail_msg("%s, %s: row %d reads '%s', elsewhere '%s'", scene, theme, y, row, s->text[y]);
    }
}

static void shot_write(const struct shot *s, struct buf *out) {
    buf_fmt(out, "@ %dx%d\n", s->cols, s->rows);
    for (int y = 0; y < s->rows; y++)
        buf_fmt(out, "%s\n", s->text[y]);
    buf_fmt(out, "@ %dx%d looks\n", s->cols, s->rows);
    for (int y = 0; y < s->rows; y++)
        buf_fmt(out, "%s\n", s->looks[y]);
}

static void shot_write_ascii(const struct shot *utf8, const struct shot *ascii, struct buf *out) {
    buf_fmt(out, "@ %dx%d ASCII\n", utf8->cols, utf8->rows);
    for (int y = 0; y < utf8->rows; y++) {
        for (const char *c = ascii->text[y]; *c; c++)
            if ((uint8_t)*c > 0x7e)
                fail_msg("row %d in ASCII holds more than that: %s", y, ascii->text[y]);
        if (strcmp(utf8->text[y], ascii->text[y]) != 0)
            buf_fmt(out, "%2d|%s\n", y, ascii->text[y]);
        if (strcmp(utf8->looks[y], ascii->looks[y]) != 0)
            buf_fmt(out, "%2d|%s\n", y, ascii->looks[y]);
    }
}

/* --- files --- */

static struct view line_next(struct view *v) {
    const uint8_t *nl = v->n ? memchr(v->p, '\n', v->n) : NULL;
    struct view line = view_of(v->p, nl ? (size_t)(nl - v->p) : v->n);

    *v = view_of(v->p + line.n + (nl != NULL), v->n - line.n - (nl != NULL));
    return line;
}

/* The lines that differ, each under the heading that it stands below. */
static void golden_diff(struct view want, struct view got, struct buf *out) {
    struct view head = view_str("");
    bool said = false;

    while (want.n > 0 || got.n > 0) {
        struct view w = line_next(&want), g = line_next(&got);

        if (g.n > 0 && g.p[0] == '@') {
            head = g;
            said = false;
        }
        if (view_eq(w, g))
            continue;
        if (!said)
            buf_fmt(out, "%.*s\n", (int)head.n, (const char *)head.p);
        said = true;
        buf_fmt(out, "-%.*s\n+%.*s\n", (int)w.n, (const char *)w.p, (int)g.n, (const char *)g.p);
    }
}

/* Adds what differs to `faults`. */
static void golden_compare(const char *name, struct view got, struct buf *faults) {
    cleanup_free char *path = mem_fmt(GOLDEN_DIR "/%s.txt", name);
    cleanup_buf struct buf want = {0};
    struct err e;

    if (getenv("UPDATE_SCREENS")) {
        assert_int_equal(file_write(path, got, 0644, true, &e), 0);
        return;
    }
    if (file_read(path, GOLDEN_MAX, &want, &e) != 0)
        buf_fmt(faults, "%s (make golden writes it)\n", e.text);
    else if (!view_eq(buf_view(&want), got)) {
        buf_fmt(faults, "--- %s\n", path);
        golden_diff(buf_view(&want), got, faults);
    }
}

static void golden_must_be_same(const struct buf *faults) {
    if (faults->n > 0)
        fail_msg("the screens are not those in " GOLDEN_DIR " (-), but (+):\n%.*s", (int)faults->n,
                 (const char *)faults->p);
}

/* A file that no scene makes any more is a lie; UPDATE_SCREENS removes it. */
static void golden_no_others(bool (*is_scene)(struct view name)) {
    DIR *d = opendir(GOLDEN_DIR);
    struct dirent *ent;

    assert_non_null(d);
    while ((ent = readdir(d))) {
        const char *dot = strstr(ent->d_name, ".txt");
        cleanup_free char *path = mem_fmt(GOLDEN_DIR "/%s", ent->d_name);

        if (!dot || is_scene(view_of(ent->d_name, (size_t)(dot - ent->d_name))))
            continue;
        if (getenv("UPDATE_SCREENS"))
            unlink(path);
        else
            fail_msg("%s belongs to no scene", path);
    }
    closedir(d);
}

#endif
