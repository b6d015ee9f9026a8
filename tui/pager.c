#include "tui/pager.h"
#include "tui/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GUTTER_MAX 24

struct entry {
    char gutter[GUTTER_MAX];
    enum role role;
    bool fixed;
    struct buf text; /* sanitised */
};

/* One row: bytes [from, from + n) of an entry. */
struct row {
    uint32_t entry, from, n;
};

struct pager {
    struct entry *entry; /* a ring would save the shift; entries go a tenth at a time instead */
    size_t n, cap, max;
    size_t dropped; /* entries gone: id of entry[0] is dropped + 1 */
    struct row *row;
    size_t n_rows, cap_rows;
    int width, height, indent;
    size_t top;
    bool follow;
    size_t seen; /* rows that have been in sight, from the first */
};

struct pager *pager_new(size_t max) {
    struct pager *p = mem_new(sizeof *p);

    p->max = max < 10 ? 10 : max;
    p->width = 80;
    p->height = 1;
    p->follow = true;
    return p;
}

void pager_clear(struct pager *p) {
    for (size_t i = 0; i < p->n; i++)
        buf_wipe(&p->entry[i].text);
    p->dropped += p->n;
    p->n = p->n_rows = p->top = p->seen = 0;
    p->follow = true;
}

void pager_free(struct pager *p) {
    if (!p)
        return;
    pager_clear(p);
    free(p->entry);
    free(p->row);
    free(p);
}

static size_t bottom_top(const struct pager *p) {
    size_t h = (size_t)p->height;

    return p->n_rows > h ? p->n_rows - h : 0;
}

static void pager_settle(struct pager *p) {
    size_t end;

    if (p->follow || p->top >= bottom_top(p)) {
        p->top = bottom_top(p);
        p->follow = true;
    }
    end = p->top + (size_t)p->height;
    if (end > p->n_rows)
        end = p->n_rows;
    if (end > p->seen)
        p->seen = end;
}

static void row_add(struct pager *p, size_t entry, size_t from, size_t n) {
    if (p->n_rows == p->cap_rows) {
        p->cap_rows = p->cap_rows ? 2 * p->cap_rows : 256;
        p->row = mem_grow(p->row, p->cap_rows * sizeof *p->row);
    }
    p->row[p->n_rows++] = (struct row){(uint32_t)entry, (uint32_t)from, (uint32_t)n};
}

static void flow_entry(struct pager *p, size_t i) {
    const struct entry *e = &p->entry[i];
    int w = p->width - p->indent < 1 ? 1 : p->width - p->indent;
    size_t at = 0, n;

    do {
        struct view rest = view_of(e->text.p + at, e->text.n - at);
        const uint8_t *nl = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;

        if (rest.n == 0)
            n = 0;
        else if (e->fixed)
            n = nl ? (size_t)(nl - rest.p) : rest.n;
        else
            n = flow_break(rest, w);
        row_add(p, i, at, n);
        at += n;
        at += at < e->text.n && e->text.p[at] == '\n';
    } while (at < e->text.n);
}

/* Rows of entries from `first` on, anew. */
static void flow_from(struct pager *p, size_t first) {
    while (p->n_rows > 0 && p->row[p->n_rows - 1].entry >= first)
        p->n_rows--;
    for (size_t i = first; i < p->n; i++)
        flow_entry(p, i);
}

/* The row in which byte `from` of entry `entry` stands. */
static size_t row_of(const struct pager *p, size_t entry, size_t from) {
    size_t lo = 0, hi = p->n_rows;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct row *r = &p->row[mid];

        if (r->entry < entry || (r->entry == entry && r->from <= from))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 ? lo - 1 : 0;
}

static void drop_oldest(struct pager *p) {
    size_t gone = p->max / 10, rows = 0;

    while (rows < p->n_rows && p->row[rows].entry < gone)
        rows++;
    for (size_t i = 0; i < gone; i++)
        buf_wipe(&p->entry[i].text);
    memmove(p->entry, p->entry + gone, (p->n - gone) * sizeof *p->entry);
    memmove(p->row, p->row + rows, (p->n_rows - rows) * sizeof *p->row);
    p->n -= gone;
    p->n_rows -= rows;
    p->dropped += gone;
    for (size_t i = 0; i < p->n_rows; i++)
        p->row[i].entry -= (uint32_t)gone;
    p->top = p->top > rows ? p->top - rows : 0;
    p->seen = p->seen > rows ? p->seen - rows : 0;
}

static void put_safe(struct buf *to, struct view text) {
    cleanup_buf struct buf safe = {0};
    struct safe_text t = text_safe(text, TEXT_PROSE, SIZE_MAX, &safe);

    buf_add(to, t.s, t.n);
}

size_t pager_add(struct pager *p, const char *gutter, enum role role, bool fixed,
                 struct view text) {
    struct entry *e;

    if (p->n == p->max)
        drop_oldest(p);
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 64;
        p->entry = mem_grow(p->entry, p->cap * sizeof *p->entry);
    }
    e = &p->entry[p->n++];
    *e = (struct entry){.role = role, .fixed = fixed};
    strncpy(e->gutter, gutter, GUTTER_MAX - 1);
    put_safe(&e->text, text);
    flow_entry(p, p->n - 1);
    pager_settle(p);
    return p->dropped + p->n;
}

void pager_line(struct pager *p, enum role role, const char *fmt, ...) {
    char text[2048];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    pager_add(p, "", role, false, view_str(text));
}

void pager_gap(struct pager *p) {
    pager_add(p, "", ROLE_TEXT, false, view_str(""));
}

static struct entry *entry_of(struct pager *p, size_t id) {
    return id > p->dropped && id <= p->dropped + p->n ? &p->entry[id - p->dropped - 1] : NULL;
}

void pager_extend(struct pager *p, size_t id, struct view more) {
    struct entry *e = entry_of(p, id);

    if (!e)
        return;
    put_safe(&e->text, more);
    flow_from(p, (size_t)(e - p->entry));
    pager_settle(p);
}

void pager_replace(struct pager *p, size_t id, enum role role, struct view text) {
    struct entry *e = entry_of(p, id);

    if (!e)
        return;
    buf_wipe(&e->text);
    e->role = role;
    put_safe(&e->text, text);
    flow_from(p, (size_t)(e - p->entry));
    if (p->seen > p->n_rows)
        p->seen = p->n_rows;
    pager_settle(p);
}

void pager_resize(struct pager *p, int width, int height, int indent) {
    struct row top = p->top < p->n_rows ? p->row[p->top] : (struct row){0, 0, 0};
    struct row seen =
        p->seen > 0 && p->seen <= p->n_rows ? p->row[p->seen - 1] : (struct row){0, 0, 0};
    bool reflow = width != p->width || indent != p->indent;

    p->height = height > 0 ? height : 1;
    p->width = width;
    p->indent = indent;
    if (reflow) {
        flow_from(p, 0);
        p->top = row_of(p, top.entry, top.from);
        p->seen = p->seen > 0 ? row_of(p, seen.entry, seen.from) + 1 : 0;
    }
    pager_settle(p);
}

void pager_move(struct pager *p, enum list_move m) {
    struct list l = {.n = bottom_top(p) + 1, .cur = p->top, .top = 0, .height = (size_t)p->height};

    list_move(&l, m);
    p->top = l.cur;
    p->follow = false;
    pager_settle(p);
}

static bool holds(struct view text, struct view needle) {
    for (size_t i = 0; needle.n > 0 && i + needle.n <= text.n; i++)
        if (!strncasecmp((const char *)text.p + i, (const char *)needle.p, needle.n))
            return true;
    return false;
}

bool pager_find(struct pager *p, struct view needle) {
    size_t from = p->top < p->n_rows ? p->row[p->top].entry : p->n;

    if (p->follow)
        from = p->n;
    for (size_t i = from; i-- > 0;)
        if (holds(buf_view(&p->entry[i].text), needle)) {
            p->top = row_of(p, i, 0);
            p->follow = false;
            pager_settle(p);
            return true;
        }
    return false;
}

void pager_show(struct pager *p, size_t id) {
    const size_t above = 2; /* rows of what stands before, so that one sees where it is */
    size_t row;

    if (!entry_of(p, id))
        return;
    row = row_of(p, id - p->dropped - 1, 0);
    p->top = row > above ? row - above : 0;
    p->follow = false;
    pager_settle(p);
}

size_t pager_rows(const struct pager *p) {
    return p->n_rows;
}

size_t pager_top(const struct pager *p) {
    return p->top;
}

bool pager_row(const struct pager *p, size_t i, struct pager_row *out) {
    const struct row *r;
    const struct entry *e;

    if (i >= p->n_rows)
        return false;
    r = &p->row[i];
    e = &p->entry[r->entry];
    *out = (struct pager_row){safe_lit(""), safe_lit(""), e->role};
    if (r->from == 0)
        out->gutter = (struct safe_text){e->gutter, strlen(e->gutter)};
    if (r->n > 0)
        out->text = (struct safe_text){(const char *)e->text.p + r->from,
                                       flow_trim(view_of(e->text.p + r->from, r->n))};
    return true;
}

bool pager_following(const struct pager *p) {
    return p->follow;
}

size_t pager_unseen(const struct pager *p) {
    return p->n_rows - p->seen;
}
