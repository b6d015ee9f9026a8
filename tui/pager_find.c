/* Search in a pager: places in entries, not in rows, so that a break in a row hides nothing. */
#include "tui/pager_priv.h"

static struct view text_of(const struct pager *p, size_t entry) {
    return view_of(p->entry[entry].text, p->entry[entry].n);
}

size_t pager_search(struct pager *p, struct view words) {
    size_t found = 0, len;

    needle_set(&p->needle, words);
    p->hit = (struct place){0};
    for (size_t i = p->n; i-- > 0;) {
        size_t at = needle_next(&p->needle, text_of(p, i), 0, &len);

        for (; at != SIZE_MAX; at = needle_next(&p->needle, text_of(p, i), at + len, &len))
            if (++found == PAGER_FOUND_MAX)
                return found;
    }
    return found;
}

/* Where the search goes on from: the current place, or else the last row in sight. */
static void begin_at(const struct pager *p, size_t *entry, size_t *from) {
    size_t last = p->top + (size_t)pager_view(p);

    if (p->hit.id > p->dropped) {
        *entry = p->hit.id - p->dropped - 1;
        *from = p->hit.from;
        return;
    }
    if (last > p->n_rows)
        last = p->n_rows;
    *entry = p->row[last - 1].entry;
    *from = p->row[last - 1].from + p->row[last - 1].n;
}

static void go_to(struct pager *p, size_t entry, size_t at) {
    size_t row = pager_row_of(p, entry, at), h;

    p->hit = (struct place){p->dropped + entry + 1, at};
    p->follow = false;
    h = (size_t)pager_view(p);
    if (row < p->top || row >= p->top + h)
        p->top = row > h / 2 ? row - h / 2 : 0;
    pager_settle(p);
}

static bool seek_older(struct pager *p, size_t entry, size_t from) {
    size_t at, len;

    for (size_t i = entry + 1; i-- > 0; from = SIZE_MAX)
        if ((at = needle_last(&p->needle, text_of(p, i), from, &len)) != SIZE_MAX) {
            go_to(p, i, at);
            return true;
        }
    return false;
}

static bool seek_newer(struct pager *p, size_t entry, size_t from) {
    size_t at, len;

    for (size_t i = entry; i < p->n; i++, from = 0)
        if ((at = needle_next(&p->needle, text_of(p, i), from, &len)) != SIZE_MAX) {
            go_to(p, i, at);
            return true;
        }
    return false;
}

bool pager_seek(struct pager *p, bool older) {
    size_t entry, from;

    if (p->n_rows == 0 || p->needle.n == 0)
        return false;
    begin_at(p, &entry, &from);
    return older ? seek_older(p, entry, from) : seek_newer(p, entry, from + (p->hit.id != 0));
}

static struct pager_hit hit_of(const struct pager *p, const struct row *r, size_t at, size_t len) {
    const uint8_t *text = p->entry[r->entry].text;
    size_t from = at > r->from ? at : r->from, end = r->from + (size_t)r->n;
    size_t to = at + len < end ? at + len : end;
    int x = text_width(view_of(text + r->from, from - r->from));

    return (struct pager_hit){x, x + text_width(view_of(text + from, to - from)),
                              p->hit.id == p->dropped + r->entry + 1 && p->hit.from == at};
}

size_t pager_hits(const struct pager *p, size_t row, struct pager_hit hits[static PAGER_HITS]) {
    size_t n = 0, len, reach = p->needle.n * 4; /* bytes that one may have begun before */
    const struct row *r = row < p->n_rows ? &p->row[row] : NULL;
    struct view text;
    size_t at;

    if (!r || p->needle.n == 0)
        return 0;
    text = text_of(p, r->entry);
    if (text.n - r->from - r->n > reach) /* what stands further below is of no row up here */
        text.n = r->from + r->n + reach;
    at = needle_next(&p->needle, text, r->from > reach ? r->from - reach : 0, &len);
    while (at != SIZE_MAX && at < r->from + (size_t)r->n && n < PAGER_HITS) {
        if (at + len > r->from)
            hits[n++] = hit_of(p, r, at, len);
        at = needle_next(&p->needle, text, at + len, &len);
    }
    return n;
}
