#include "tui/edit.h"

#include <stdlib.h>
#include <string.h>

#define HISTORY_MAX 50
#define GROW_MAX ((size_t)1 << 16)
#define HISTORY_CHARS ((size_t)1 << 18) /* of all of it; a longer text is not remembered */

struct text {
    uint32_t *cp;
    size_t n, cap;
};

/* Where rows begin at a width; what stands before `clean` has not changed since. */
struct layout {
    size_t *start;
    size_t n, cap, clean;
    int width;
};

struct edit {
    struct text t;
    struct layout *layout; /* brought up to date where it is read */
    size_t pos, max;
    bool multiline;
    struct text killed;
    struct text history[HISTORY_MAX]; /* oldest first */
    size_t n_history, at;             /* at == n_history: the draft itself */
    struct text draft;                /* the draft while history shows */
};

static void text_wipe(struct text *t) {
    if (t->cp)
        explicit_bzero(t->cp, t->cap * sizeof *t->cp);
    free(t->cp);
    *t = (struct text){0};
}

/* Grows by copying, so that no old copy of a draft stays behind in the heap. */
static void text_room(struct text *t, size_t n) {
    struct text bigger;

    if (n <= t->cap)
        return;
    bigger = (struct text){NULL, t->n, n < 64 ? 64 : n + (n < GROW_MAX ? n / 2 : GROW_MAX)};
    bigger.cp = mem_new(bigger.cap * sizeof *bigger.cp);
    if (t->n)
        memcpy(bigger.cp, t->cp, t->n * sizeof *t->cp);
    text_wipe(t);
    *t = bigger;
}

static void text_put(struct text *t, size_t at, const uint32_t *cp, size_t n) {
    if (n == 0)
        return;
    text_room(t, t->n + n);
    memmove(t->cp + at + n, t->cp + at, (t->n - at) * sizeof *cp);
    memcpy(t->cp + at, cp, n * sizeof *cp);
    t->n += n;
}

static void text_cut(struct text *t, size_t from, size_t to) {
    if (from == to)
        return;
    memmove(t->cp + from, t->cp + to, (t->n - to) * sizeof *t->cp);
    explicit_bzero(t->cp + t->n - (to - from), (to - from) * sizeof *t->cp);
    t->n -= to - from;
}

static void text_copy(struct text *to, const struct text *from) {
    text_wipe(to);
    text_put(to, 0, from->cp, from->n);
}

struct edit *edit_new(size_t max, bool multiline) {
    struct edit *e = mem_new(sizeof *e);

    e->max = max;
    e->multiline = multiline;
    e->layout = mem_new(sizeof *e->layout);
    return e;
}

void edit_free(struct edit *e) {
    if (!e)
        return;
    text_wipe(&e->t);
    text_wipe(&e->killed);
    text_wipe(&e->draft);
    for (size_t i = 0; i < e->n_history; i++)
        text_wipe(&e->history[i]);
    free(e->layout->start);
    free(e->layout);
    free(e);
}

static void changed(struct edit *e, size_t at) {
    if (at < e->layout->clean)
        e->layout->clean = at;
}

/* What goes in for a character; 0 when it does not. */
static uint32_t edit_takes(const struct edit *e, uint32_t cp) {
    if (cp == '\n' || cp == '\r')
        return e->multiline ? '\n' : ' ';
    if (cp == '\t')
        return ' ';
    return cp_width(cp) < 0 ? 0 : cp;
}

bool edit_insert(struct edit *e, uint32_t cp) {
    cp = edit_takes(e, cp);
    if (cp == 0 || edit_full(e))
        return false;
    changed(e, e->pos);
    text_put(&e->t, e->pos, &cp, 1);
    e->pos++;
    return true;
}

size_t edit_paste(struct edit *e, struct view utf8) {
    struct text in = {0};
    size_t room = e->max - e->t.n, n;

    text_room(&in, utf8.n < room ? utf8.n : room); /* at most a character for each byte */

    while (utf8.n > 0 && in.n < room) {
        uint32_t cp = 0;
        size_t used = utf8_next(utf8, &cp);

        cp = edit_takes(e, used ? cp : 0xfffd);
        if (cp)
            text_put(&in, in.n, &cp, 1);
        used = used ? used : 1;
        utf8 = view_of(utf8.p + used, utf8.n - used);
    }
    n = in.n;
    changed(e, e->pos);
    text_put(&e->t, e->pos, in.cp, n);
    e->pos += n;
    text_wipe(&in);
    return n;
}

static bool is_mark(const struct edit *e, size_t i) {
    return i < e->t.n && e->t.cp[i] != '\n' && cp_width(e->t.cp[i]) == 0;
}

/* A step passes a character together with its marks. */
static size_t step_left(const struct edit *e, size_t i) {
    if (i > 0)
        i--;
    while (i > 0 && is_mark(e, i))
        i--;
    return i;
}

static size_t step_right(const struct edit *e, size_t i) {
    if (i < e->t.n)
        i++;
    while (is_mark(e, i))
        i++;
    return i;
}

static bool is_space(uint32_t cp) {
    return cp == ' ' || cp == '\n' || cp == 0x3000;
}

static size_t word_left(const struct edit *e) {
    size_t i = e->pos;

    while (i > 0 && is_space(e->t.cp[i - 1]))
        i--;
    while (i > 0 && !is_space(e->t.cp[i - 1]))
        i--;
    return i;
}

static size_t word_right(const struct edit *e) {
    size_t i = e->pos;

    while (i < e->t.n && is_space(e->t.cp[i]))
        i++;
    while (i < e->t.n && !is_space(e->t.cp[i]))
        i++;
    return i;
}

static size_t line_start(const struct edit *e, size_t i) {
    while (i > 0 && e->t.cp[i - 1] != '\n')
        i--;
    return i;
}

static size_t line_end(const struct edit *e, size_t i) {
    while (i < e->t.n && e->t.cp[i] != '\n')
        i++;
    return i;
}

static void edit_cut(struct edit *e, size_t from, size_t to, bool keep) {
    if (keep && from < to) {
        text_wipe(&e->killed);
        text_put(&e->killed, 0, e->t.cp + from, to - from);
    }
    changed(e, from);
    text_cut(&e->t, from, to);
    e->pos = from;
}

static void edit_yank(struct edit *e) {
    if (e->killed.n > e->max - e->t.n)
        return;
    changed(e, e->pos);
    text_put(&e->t, e->pos, e->killed.cp, e->killed.n);
    e->pos += e->killed.n;
}

static void edit_recall(struct edit *e, size_t at) {
    if (at > e->n_history)
        return;
    if (e->at == e->n_history)
        text_copy(&e->draft, &e->t);
    e->at = at;
    changed(e, 0);
    text_copy(&e->t, at == e->n_history ? &e->draft : &e->history[at]);
    e->pos = e->t.n;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static void edit_up(struct edit *e) {
    size_t start = line_start(e, e->pos), before;

    if (start == 0) {
        if (e->at > 0)
            edit_recall(e, e->at - 1);
        return;
    }
    before = line_start(e, start - 1);
    e->pos = before + least(e->pos - start, start - 1 - before);
}

static void edit_down(struct edit *e) {
    size_t start = line_start(e, e->pos), end = line_end(e, e->pos);

    if (end == e->t.n) {
        if (e->at < e->n_history)
            edit_recall(e, e->at + 1);
        return;
    }
    e->pos = end + 1 + least(e->pos - start, line_end(e, end + 1) - (end + 1));
}

void edit_do(struct edit *e, enum edit_op op) {
    switch (op) {
    case EDIT_LEFT:
        e->pos = step_left(e, e->pos);
        return;
    case EDIT_RIGHT:
        e->pos = step_right(e, e->pos);
        return;
    case EDIT_WORD_LEFT:
        e->pos = word_left(e);
        return;
    case EDIT_WORD_RIGHT:
        e->pos = word_right(e);
        return;
    case EDIT_HOME:
        e->pos = line_start(e, e->pos);
        return;
    case EDIT_END:
        e->pos = line_end(e, e->pos);
        return;
    case EDIT_BACKSPACE:
        edit_cut(e, step_left(e, e->pos), e->pos, false);
        return;
    case EDIT_DELETE:
        edit_cut(e, e->pos, step_right(e, e->pos), false);
        return;
    case EDIT_KILL_END:
        edit_cut(e, e->pos, line_end(e, e->pos), true);
        return;
    case EDIT_KILL_START:
        edit_cut(e, line_start(e, e->pos), e->pos, true);
        return;
    case EDIT_KILL_WORD:
        edit_cut(e, word_left(e), e->pos, true);
        return;
    case EDIT_YANK:
        edit_yank(e);
        return;
    case EDIT_UP:
        edit_up(e);
        return;
    case EDIT_DOWN:
        edit_down(e);
        return;
    case EDIT_CLEAR:
        edit_cut(e, 0, e->t.n, false);
        e->at = e->n_history;
        return;
    }
}

void edit_set(struct edit *e, struct view utf8) {
    edit_do(e, EDIT_CLEAR);
    edit_paste(e, utf8);
}

static bool history_full(const struct edit *e) {
    size_t chars = e->t.n;

    for (size_t i = 0; i < e->n_history; i++)
        chars += e->history[i].n;
    return e->n_history == HISTORY_MAX || (chars > HISTORY_CHARS && e->n_history > 0);
}

static void history_drop(struct edit *e) {
    text_wipe(&e->history[0]);
    memmove(e->history, e->history + 1, (HISTORY_MAX - 1) * sizeof e->history[0]);
    e->history[--e->n_history] = (struct text){0};
}

void edit_remember(struct edit *e) {
    if (e->t.n > 0 && e->t.n <= HISTORY_CHARS) {
        while (history_full(e))
            history_drop(e);
        text_copy(&e->history[e->n_history++], &e->t);
    }
    edit_do(e, EDIT_CLEAR);
}

size_t edit_len(const struct edit *e) {
    return e->t.n;
}

bool edit_full(const struct edit *e) {
    return e->t.n >= e->max;
}

size_t edit_pos(const struct edit *e) {
    return e->pos;
}

uint32_t edit_at(const struct edit *e, size_t i) {
    return e->t.cp[i];
}

void edit_text(const struct edit *e, struct buf *out) {
    char utf8[4];

    for (size_t i = 0; i < e->t.n; i++)
        buf_add(out, utf8, utf8_put(e->t.cp[i], utf8));
}

static int edit_width(const struct edit *e, size_t i) {
    int w = e->t.cp[i] == '\n' ? 0 : cp_width(e->t.cp[i]);

    return w < 0 ? 1 : w;
}

/* The row that starts at `from`; *next gets where the next one starts. */
static struct edit_row row_at(const struct edit *e, size_t from, int width, size_t *next) {
    int used = 0;
    size_t i = from;

    while (i < e->t.n && e->t.cp[i] != '\n') {
        int w = edit_width(e, i);

        if (used + w > width && i > from)
            break;
        used += w;
        i++;
    }
    *next = i < e->t.n && e->t.cp[i] == '\n' ? i + 1 : i;
    return (struct edit_row){from, i};
}

static int column_of(const struct edit *e, size_t from, size_t pos) {
    int col = 0;

    for (size_t i = from; i < pos; i++)
        col += edit_width(e, i);
    return col;
}

static void start_add(struct layout *l, size_t at) {
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 16;
        l->start = mem_grow(l->start, l->cap * sizeof *l->start);
    }
    l->start[l->n++] = at;
}

/* The last row that begins at or before `at`: in it a cursor at `at` stands, for a newline or the
 * end leaves a row to stand in. */
static size_t row_with(const struct layout *l, size_t at) {
    size_t lo = 0, hi = l->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (l->start[mid] <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 ? lo - 1 : 0;
}

/* Rows before the one that holds the first change stay: the sign that ended each is the same. */
static void layout_update(const struct edit *e, int width) {
    struct layout *l = e->layout;
    size_t from = 0, next;

    if (width == l->width && l->n > 0 && l->clean > e->t.n)
        return;
    if (width != l->width || l->clean == 0)
        l->n = 0;
    if (l->n > 0) {
        l->n = row_with(l, l->clean - 1);
        from = l->start[l->n];
    }
    for (bool more = true; more; from = next) {
        struct edit_row r = row_at(e, from, width, &next);

        start_add(l, from);
        more = next < e->t.n || (next == e->t.n && r.to < next);
    }
    l->width = width;
    l->clean = SIZE_MAX;
}

size_t edit_layout(const struct edit *e, int width, struct edit_row *rows, size_t max,
                   size_t *first, struct edit_place *cursor) {
    const struct layout *l = e->layout;
    size_t next;

    layout_update(e, width);
    cursor->row = row_with(l, e->pos);
    cursor->col = column_of(e, l->start[cursor->row], e->pos);
    *first = cursor->row >= max ? cursor->row - max + 1 : 0;
    for (size_t i = 0; i < max && *first + i < l->n; i++)
        rows[i] = row_at(e, l->start[*first + i], width, &next);
    return l->n;
}
