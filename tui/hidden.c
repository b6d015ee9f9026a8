#include "tui/hidden.h"

#include <stdlib.h>
#include <string.h>

#include "core/text.h"

struct hidden {
    struct secret *s;
    size_t n;
};

struct hidden *hidden_new(void) {
    struct hidden *h = mem_new(sizeof *h);

    h->s = secret_new(HIDDEN_MAX);
    return h;
}

void hidden_free(struct hidden *h) {
    if (!h)
        return;
    secret_free(h->s);
    free(h);
}

bool hidden_insert(struct hidden *h, uint32_t cp) {
    char utf8[4];
    size_t n = cp < 0x20 || cp == 0x7f ? 0 : utf8_put(cp, utf8);

    if (n == 0 || n > HIDDEN_MAX - h->n)
        return false;
    memcpy(secret_edit(h->s) + h->n, utf8, n);
    h->n += n;
    explicit_bzero(utf8, sizeof utf8);
    return true;
}

bool hidden_byte(struct hidden *h, uint8_t byte) {
    if (byte < 0x20 || byte == 0x7f || h->n == HIDDEN_MAX)
        return false;
    secret_edit(h->s)[h->n++] = byte;
    return true;
}

bool hidden_paste(struct hidden *h, struct view v) {
    while (v.n && (v.p[v.n - 1] == '\n' || v.p[v.n - 1] == '\r'))
        v.n--;
    if (v.n > HIDDEN_MAX - h->n || !utf8_valid(v))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] == 0x7f)
            return false;
    if (v.n)
        memcpy(secret_edit(h->s) + h->n, v.p, v.n);
    h->n += v.n;
    return true;
}

void hidden_backspace(struct hidden *h) {
    uint8_t *p = secret_edit(h->s);

    while (h->n > 0) {
        uint8_t c = p[--h->n];

        p[h->n] = 0;
        if ((c & 0xc0) != 0x80)
            return;
    }
}

void hidden_clear(struct hidden *h) {
    explicit_bzero(secret_edit(h->s), HIDDEN_MAX);
    h->n = 0;
}

struct view hidden_view(const struct hidden *h) {
    return view_of(secret_get(h->s), h->n);
}

bool hidden_eq(const struct hidden *a, const struct hidden *b) {
    return a->n == b->n && secret_eq(secret_get(a->s), secret_get(b->s), a->n);
}
