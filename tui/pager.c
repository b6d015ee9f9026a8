#include "tui/pager.h"
#include "tui/pager_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/flow.h"

#define SCRATCH_KEPT ((size_t)64 << 10)

/* Only the newest are looked through: what is put again and again is among them. */
#define WORDS_SEEN 32

static uint32_t word_put(struct pager *p, const char *word) {
    size_t oldest = p->n_words > WORDS_SEEN ? p->n_words - WORDS_SEEN : 0;

    if (!*word && p->n_words > 0)
        return 0;
    for (size_t i = p->n_words; i > oldest; i--)
        if (!strncmp(p->word[i - 1], word, GUTTER_MAX - 1))
            return (uint32_t)i - 1;
    if (p->n_words == p->cap_words) {
        p->cap_words = p->cap_words ? 2 * p->cap_words : 16;
        p->word = mem_grow(p->word, p->cap_words * sizeof *p->word);
    }
    snprintf(p->word[p->n_words], GUTTER_MAX, "%s", word);
    return (uint32_t)p->n_words++;
}

static struct safe_text word_of(const struct pager *p, uint32_t i) {
    return (struct safe_text){p->word[i], strlen(p->word[i])};
}

struct pager *pager_new(size_t max) {
    struct pager *p = mem_new(sizeof *p);

    p->max = max < 10 ? 10 : max;
    p->width = 80;
    p->height = 1;
    p->follow = true;
    (void)word_put(p, "");
    return p;
}

static void entry_wipe(struct entry *e) {
    if (e->text)
        explicit_bzero(e->text, e->cap);
    free(e->text);
    *e = (struct entry){0};
}

void pager_clear(struct pager *p) {
    for (size_t i = 0; i < p->n; i++)
        entry_wipe(&p->entry[i]);
    p->dropped += p->n;
    p->n = p->n_rows = p->top = p->seen = p->bytes = 0;
    p->n_words = 1;
    p->hit = (struct place){0};
    p->follow = true;
}

void pager_free(struct pager *p) {
    if (!p)
        return;
    pager_clear(p);
    buf_wipe(&p->scratch);
    needle_free(&p->needle);
    free(p->entry);
    free(p->word);
    free(p->row);
    free(p);
}

/* --- the view --- */

static size_t bottom_top(const struct pager *p) {
    size_t h = (size_t)p->height;

    return p->n_rows > h ? p->n_rows - h : 0;
}

/* A split needs a view that is worth having above it. */
int pager_tail(const struct pager *p) {
    return p->follow || p->tail == 0 || p->height < p->tail + 4 ? 0 : p->tail;
}

int pager_view(const struct pager *p) {
    int tail = pager_tail(p);

    return tail > 0 ? p->height - tail - 1 : p->height;
}

void pager_settle(struct pager *p) {
    size_t end;

    if (p->follow || p->top >= bottom_top(p)) {
        p->top = bottom_top(p);
        p->follow = true;
    }
    end = p->top + (size_t)pager_view(p);
    if (end > p->n_rows)
        end = p->n_rows;
    if (end > p->seen)
        p->seen = end;
}

/* --- rows --- */

static void row_add(struct pager *p, size_t entry, size_t from, size_t n) {
    if (p->n_rows == p->cap_rows) {
        p->cap_rows = p->cap_rows ? 2 * p->cap_rows : 256;
        p->row = mem_grow(p->row, p->cap_rows * sizeof *p->row);
    }
    p->row[p->n_rows++] = (struct row){(uint32_t)entry, (uint32_t)from, (uint32_t)n};
}

static size_t line_len(struct view v) {
    const uint8_t *nl = memchr(v.p, '\n', v.n);

    return nl ? (size_t)(nl - v.p) : v.n;
}

static void flow_entry(struct pager *p, size_t i, size_t at) {
    const struct entry *e = &p->entry[i];
    int w = p->width - p->indent - (e->tag ? PAGER_TAG + 1 : 0);
    size_t n;

    do {
        struct view rest = at < e->n ? view_of(e->text + at, e->n - at) : view_of(NULL, 0);

        n = rest.n == 0 ? 0 : e->fixed ? line_len(rest) : flow_break(rest, w < 1 ? 1 : w);
        row_add(p, i, at, n);
        at += n;
        at += at < e->n && e->text[at] == '\n';
    } while (at < e->n);
}

static void flow_all(struct pager *p) {
    p->n_rows = 0;
    for (size_t i = 0; i < p->n; i++)
        flow_entry(p, i, 0);
}

size_t pager_row_of(const struct pager *p, size_t entry, size_t from) {
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

/* Rows of one entry anew, from its beginning or from its last row on (text that was added at the
 * end changes no other). What stands below moves, and the view with it. */
static void flow_again(struct pager *p, size_t i, bool whole) {
    size_t end = pager_row_of(p, i, SIZE_MAX) + 1, begin = whole ? pager_row_of(p, i, 0) : end - 1;
    size_t from = p->row[begin].from, after = p->n_rows - end, now;
    struct row *below = after ? mem_new(after * sizeof *below) : NULL;

    if (after)
        memcpy(below, p->row + end, after * sizeof *below);
    p->n_rows = begin;
    flow_entry(p, i, from);
    now = p->n_rows;
    for (size_t k = 0; k < after; k++)
        row_add(p, below[k].entry, below[k].from, below[k].n);
    if (p->top >= end)
        p->top = p->top - end + now;
    if (after && p->seen >= end)
        p->seen = p->seen - end + now;
    if (p->seen > p->n_rows)
        p->seen = p->n_rows;
    free(below);
}

/* --- entries --- */

static void drop_entries(struct pager *p, size_t gone) {
    size_t rows = 0;

    while (rows < p->n_rows && p->row[rows].entry < gone)
        rows++;
    for (size_t i = 0; i < gone; i++) {
        p->bytes -= p->entry[i].n;
        entry_wipe(&p->entry[i]);
    }
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

/* A tenth at a time, so that a full pager does not move everything for each line. */
static void make_room(struct pager *p) {
    if (p->n == p->max)
        drop_entries(p, p->max / 10);
    while (p->bytes > PAGER_BYTES && p->n > 1)
        drop_entries(p, (p->n + 9) / 10);
}

/* Grows by copying, so that no old copy stays behind in the heap. */
static void entry_put(struct pager *p, struct entry *e, struct view text) {
    struct safe_text t = text_safe(text, TEXT_PROSE, SIZE_MAX, &p->scratch);
    size_t need = e->n + t.n;

    if (need > e->cap) {
        struct entry was = *e;

        e->cap = (uint32_t)(was.n ? need + need / 2 : need);
        e->text = mem_new(e->cap);
        if (was.text)
            memcpy(e->text, was.text, was.n);
        entry_wipe(&was);
    }
    if (t.n)
        memcpy(e->text + e->n, t.s, t.n);
    e->n = (uint32_t)need;
    p->bytes += t.n;
    if (p->scratch.cap > SCRATCH_KEPT)
        buf_wipe(&p->scratch);
}

size_t pager_add(struct pager *p, const char *gutter, enum role role, bool fixed,
                 struct view text) {
    struct entry *e;

    make_room(p);
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap + p->cap / 2 : 64;
        p->entry = mem_grow(p->entry, p->cap * sizeof *p->entry);
    }
    e = &p->entry[p->n++];
    *e = (struct entry){.role = (uint8_t)role, .fixed = fixed};
    e->gutter = word_put(p, gutter);
    entry_put(p, e, text);
    flow_entry(p, p->n - 1, 0);
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

static struct entry *entry_of(const struct pager *p, size_t id) {
    return id > p->dropped && id <= p->dropped + p->n ? &p->entry[id - p->dropped - 1] : NULL;
}

void pager_extend(struct pager *p, size_t id, struct view more) {
    struct entry *e = entry_of(p, id);

    if (!e)
        return;
    entry_put(p, e, more);
    flow_again(p, (size_t)(e - p->entry), false);
    pager_settle(p);
}

/* A view that stands in the entry stays at the same place of its text. */
void pager_replace(struct pager *p, size_t id, enum role role, struct view text) {
    struct entry *e = entry_of(p, id);
    struct row top;
    size_t i;

    if (!e)
        return;
    i = (size_t)(e - p->entry);
    top = p->row[p->top];
    p->bytes -= e->n;
    if (e->n > 0)
        explicit_bzero(e->text, e->n);
    e->n = 0;
    e->role = (uint8_t)role;
    entry_put(p, e, text);
    flow_again(p, i, true);
    if (top.entry == i)
        p->top = pager_row_of(p, i, top.from);
    pager_settle(p);
}

void pager_tag(struct pager *p, size_t id, const char *word) {
    struct entry *e = entry_of(p, id);
    bool room = e && e->tag;
    char tag[PAGER_TAG + 1];

    if (!e)
        return;
    snprintf(tag, sizeof tag, "%s", word);
    e->tag = word_put(p, tag);
    if (!room)
        flow_again(p, (size_t)(e - p->entry), true);
    pager_settle(p);
}

/* --- moving --- */

void pager_split(struct pager *p, int tail) {
    p->tail = tail;
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
        flow_all(p);
        p->top = pager_row_of(p, top.entry, top.from);
        p->seen = p->seen > 0 ? pager_row_of(p, seen.entry, seen.from) + 1 : 0;
    }
    pager_settle(p);
}

/* A page is what the view will have once it no longer follows. */
void pager_move(struct pager *p, enum list_move m) {
    struct list l = {.n = bottom_top(p) + 1, .cur = p->top, .top = 0};

    p->follow = false;
    l.height = (size_t)pager_view(p);
    list_move(&l, m);
    p->top = l.cur;
    pager_settle(p);
}

void pager_show(struct pager *p, size_t id) {
    const size_t above = 2; /* rows of what stands before, so that one sees where it is */
    size_t row;

    if (!entry_of(p, id))
        return;
    row = pager_row_of(p, id - p->dropped - 1, 0);
    p->top = row > above ? row - above : 0;
    p->follow = false;
    pager_settle(p);
}

bool pager_unread(struct pager *p) {
    if (p->seen >= p->n_rows)
        return false;
    p->top = p->seen;
    p->follow = false;
    pager_settle(p);
    return true;
}

/* --- reading --- */

size_t pager_oldest(const struct pager *p) {
    return p->dropped + 1;
}

size_t pager_newest(const struct pager *p) {
    return p->dropped + p->n;
}

bool pager_read(const struct pager *p, size_t id, struct pager_row *out) {
    const struct entry *e;

    if (id < pager_oldest(p) || id > pager_newest(p))
        return false;
    e = &p->entry[id - p->dropped - 1];
    *out =
        (struct pager_row){.gutter = word_of(p, e->gutter), .text = safe_lit(""), .role = e->role};
    if (e->n > 0)
        out->text = (struct safe_text){(const char *)e->text, e->n};
    return true;
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
    *out = (struct pager_row){safe_lit(""), safe_lit(""), safe_lit(""), (enum role)e->role};
    if (r->from == 0) {
        out->gutter = word_of(p, e->gutter);
        out->tag = word_of(p, e->tag);
    }
    if (r->n > 0)
        out->text = (struct safe_text){(const char *)e->text + r->from,
                                       flow_trim(view_of(e->text + r->from, r->n))};
    return true;
}

bool pager_following(const struct pager *p) {
    return p->follow;
}

size_t pager_unseen(const struct pager *p) {
    return p->n_rows - p->seen;
}

struct view pager_entry(const struct pager *p, size_t id) {
    const struct entry *e = entry_of(p, id);

    return e ? view_of(e->text, e->n) : view_of(NULL, 0);
}

static void put_lines(struct buf *out, struct view text, int indent) {
    while (text.n > 0) {
        const uint8_t *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) + 1 : text.n;

        buf_add(out, text.p, n);
        text = view_of(text.p + n, text.n - n);
        if (text.n > 0)
            buf_fmt(out, "%*s", indent, "");
    }
}

void pager_text(const struct pager *p, struct buf *out) {
    for (size_t i = 0; i < p->n; i++) {
        const struct entry *e = &p->entry[i];

        buf_fmt(out, "%-*s", p->indent, p->word[e->gutter]);
        put_lines(out, view_of(e->text, e->n), p->indent);
        if (e->tag)
            buf_fmt(out, "  (%s)", p->word[e->tag]);
        buf_str(out, "\n");
    }
}
