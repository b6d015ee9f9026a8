#include "tui/stow.h"

#include <stdlib.h>
#include <string.h>

#include "core/enc.h"
#include "core/reader.h"

#define HEX 64

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_number(struct buf *out, uint64_t v) {
    for (; v > 0x7f; v >>= 7)
        buf_u8(out, (uint8_t)(v | 0x80));
    buf_u8(out, (uint8_t)v);
}

static uint64_t get_number(struct reader *r) {
    uint64_t v = 0;
    unsigned shift = 0;
    uint8_t b;

    do {
        b = reader_u8(r);
        v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80 && shift < 64);
    return v;
}

/* Length * 2, + 1 when the first 64 characters are hex and stand there as 32 bytes. */
static void put_string(struct buf *out, const char *s, size_t n) {
    uint8_t bytes[HEX / 2];
    bool hex = n >= HEX && hex_decode(view_of(s, HEX), bytes, sizeof bytes);

    put_number(out, (uint64_t)n << 1 | hex);
    if (hex) {
        buf_add(out, bytes, sizeof bytes);
        s += HEX;
        n -= HEX;
    }
    buf_add(out, s, n);
}

static char *get_string(struct reader *r, size_t *n) {
    uint64_t head = get_number(r);
    size_t len = (size_t)(head >> 1), at = head & 1 ? HEX : 0;
    char *s = mem_new(len + HEX + 1);
    struct view rest;

    if (at)
        hex_encode(reader_take(r, HEX / 2), s);
    rest = reader_take(r, len - at);
    if (rest.n)
        memcpy(s + at, rest.p, rest.n);
    s[len] = 0;
    *n = len;
    return s;
}

void stow_event(const struct event *ev, struct buf *out) {
    const struct fields *f = &ev->f;

    buf_add(out, f->id, sizeof f->id);
    buf_add(out, f->pubkey, sizeof f->pubkey);
    buf_add(out, f->sig, sizeof f->sig);
    put_number(out, (uint64_t)f->created_at);
    put_number(out, f->kind);
    put_string(out, f->content, f->content_len);
    put_number(out, f->n_tags);
    for (size_t i = 0; i < f->n_tags; i++) {
        put_number(out, f->tags[i].n);
        for (size_t k = 0; k < f->tags[i].n; k++)
            put_string(out, f->tags[i].v[k], strlen(f->tags[i].v[k]));
    }
}

static void get_tag(struct reader *r, struct fields *f) {
    size_t n = (size_t)get_number(r), len;
    char **v = mem_new(n * sizeof *v);

    for (size_t i = 0; i < n; i++)
        v[i] = get_string(r, &len);
    fields_tag(f, n, (const char *const *)v);
    for (size_t i = 0; i < n; i++)
        free(v[i]);
    free(v);
}

struct event *stow_open(struct view v) {
    struct event *ev = mem_new(sizeof *ev);
    struct reader r = reader_new(v);
    struct view id = reader_take(&r, 32), key = reader_take(&r, 32), sig = reader_take(&r, 64);
    cleanup_free char *content = NULL;
    int64_t at = (int64_t)get_number(&r);
    uint32_t kind = (uint32_t)get_number(&r);
    size_t n;

    content = get_string(&r, &n);
    ev->f = fields_new(kind, at, view_of(content, n));
    for (uint64_t tags = get_number(&r); tags > 0; tags--)
        get_tag(&r, &ev->f);
    memcpy(ev->f.id, id.p, 32);
    memcpy(ev->f.pubkey, key.p, 32);
    memcpy(ev->f.sig, sig.p, 64);
    return ev;
}
