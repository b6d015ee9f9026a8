#include "doctext.h"

#include <stdlib.h>
#include <string.h>
#include "core/reader.h"
#include "core/text.h"

#define TITLE_MAX 400

void doctext_init(struct doctext *t) {
    *t = (struct doctext){0};
    buf_init(&t->text, DOCTEXT_MAX);
    buf_init(&t->title, TITLE_MAX);
}

void doctext_free(struct doctext *t) {
    buf_wipe(&t->text);
    buf_wipe(&t->title);
    free(t->heading);
    *t = (struct doctext){0};
}

/* --- writing --- */

static const char *const gaps[] = {
    [GAP_NONE] = "", [GAP_SPACE] = " ", [GAP_LINE] = "\n", [GAP_PARAGRAPH] = "\n\n"};

/* White space that is due comes before the next word, never at either end. */
static void put(struct doctext *t, struct view word) {
    const char *gap = t->text.n ? gaps[t->gap] : "";

    if (t->text.n + strlen(gap) + word.n > DOCTEXT_MAX)
        t->cut = true;
    if (t->cut)
        return;
    buf_str(&t->text, gap);
    t->gap = GAP_NONE;
    if (t->open_level && t->open_at == SIZE_MAX)
        t->open_at = t->text.n;
    buf_add(&t->text, word.p, word.n);
}

/* Bytes of white space at the front; the no-break space is one too. */
static size_t space_at(struct view v) {
    if (v.n && (v.p[0] == ' ' || (v.p[0] >= '\t' && v.p[0] <= '\r')))
        return 1;
    return v.n >= 2 && v.p[0] == 0xc2 && v.p[1] == 0xa0 ? 2 : 0;
}

void doctext_break(struct doctext *t, enum doctext_gap gap) {
    if (gap > t->gap)
        t->gap = gap;
}

void doctext_add(struct doctext *t, struct view v) {
    while (v.n && !t->cut) {
        size_t n = space_at(v);

        if (n)
            doctext_break(t, GAP_SPACE);
        else {
            while (n < v.n && !space_at(view_of(v.p + n, v.n - n)))
                n++;
            put(t, view_of(v.p, n));
        }
        v = view_of(v.p + n, v.n - n);
    }
}

void doctext_verbatim(struct doctext *t, struct view v) {
    if (v.n)
        put(t, v);
}

void doctext_mark(struct doctext *t, size_t at, size_t n, unsigned level) {
    if (!n || t->n_headings == DOCTEXT_HEADINGS)
        return;
    if (t->n_headings == t->heading_cap) {
        t->heading_cap = t->heading_cap ? t->heading_cap * 2 : 64;
        t->heading = mem_grow(t->heading, t->heading_cap * sizeof *t->heading);
    }
    t->heading[t->n_headings++] = (struct doctext_heading){at, n, level};
}

void doctext_open(struct doctext *t, unsigned level) {
    doctext_close(t);
    doctext_break(t, GAP_PARAGRAPH);
    t->open_level = level < DOCTEXT_LEVELS ? level : DOCTEXT_LEVELS;
    t->open_at = SIZE_MAX;
}

void doctext_close(struct doctext *t) {
    if (t->open_level && t->open_at < t->text.n)
        doctext_mark(t, t->open_at, t->text.n - t->open_at, t->open_level);
    if (t->open_level)
        doctext_break(t, GAP_PARAGRAPH);
    t->open_level = 0;
}

/* --- between processes --- */

static void write_part(struct buf *out, const struct buf *part) {
    buf_u32le(out, (uint32_t)part->n);
    buf_add(out, part->p, part->n);
}

void doctext_write(const struct doctext *t, struct buf *out) {
    buf_u8(out, t->latin1);
    buf_u8(out, t->cut);
    write_part(out, &t->title);
    buf_u32le(out, (uint32_t)t->n_headings);
    for (size_t i = 0; i < t->n_headings; i++) {
        buf_u32le(out, (uint32_t)t->heading[i].at);
        buf_u32le(out, (uint32_t)t->heading[i].n);
        buf_u8(out, (uint8_t)t->heading[i].level);
    }
    write_part(out, &t->text);
}

static void read_part(struct reader *r, struct buf *part) {
    struct view v = reader_take(r, reader_u32le(r));

    if (v.n > part->max || !utf8_valid(v))
        r->failed = true;
    else
        buf_add(part, v.p, v.n);
}

static void read_headings(struct reader *r, struct doctext *t) {
    uint32_t n = reader_u32le(r);

    if (n > DOCTEXT_HEADINGS)
        r->failed = true;
    for (uint32_t i = 0; i < n && reader_ok(r); i++) {
        uint32_t at = reader_u32le(r), length = reader_u32le(r);

        doctext_mark(t, at, length, reader_u8(r));
    }
}

static bool starts_character(const struct buf *text, size_t at) {
    return at == text->n || (text->p[at] & 0xc0) != 0x80;
}

static bool headings_good(const struct doctext *t) {
    size_t end = 0;

    for (size_t i = 0; i < t->n_headings; end = t->heading[i].at + t->heading[i].n, i++) {
        const struct doctext_heading *h = &t->heading[i];

        if (h->at < end || h->at + h->n > t->text.n || !h->level || h->level > DOCTEXT_LEVELS ||
            !starts_character(&t->text, h->at) || !starts_character(&t->text, h->at + h->n))
            return false;
    }
    return true;
}

int doctext_read(struct view in, struct doctext *t, struct err *e) {
    struct reader r = reader_new(in);

    t->latin1 = reader_u8(&r);
    t->cut = reader_u8(&r);
    read_part(&r, &t->title);
    read_headings(&r, t);
    read_part(&r, &t->text);
    if (reader_done(&r) && headings_good(t))
        return 0;
    return err_set(e, "bad-document", "the reader of this document gave a broken answer");
}
