#include "tui/find.h"

#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "core/text.h"

/* What is not ASCII stays so: a place can begin with an ASCII letter only where that letter stands.
 */
static uint32_t fold(uint32_t cp) {
    uint32_t lower;

    if (cp < 0x80)
        return cp - 'A' < 26 ? cp + 32 : cp;
    lower = (uint32_t)towlower((wint_t)cp);
    return lower < 0x80 ? cp : lower;
}

void needle_free(struct needle *n) {
    free(n->cp);
    *n = (struct needle){0};
}

void needle_set(struct needle *n, struct view words) {
    uint32_t cp;
    size_t used;

    needle_free(n);
    n->cp = mem_new((words.n + 1) * sizeof *n->cp);
    while ((used = utf8_next(words, &cp))) {
        n->cp[n->n++] = fold(cp);
        words = view_of(words.p + used, words.n - used);
    }
}

/* Bytes of text at `at` that are the words; 0 when they are not. */
static size_t stands_at(const struct needle *n, struct view text, size_t at) {
    size_t end = at, used;
    uint32_t cp;

    for (size_t i = 0; i < n->n; i++) {
        used = utf8_next(view_of(text.p + end, text.n - end), &cp);
        if (used == 0 || fold(cp) != n->cp[i])
            return 0;
        end += used;
    }
    return end - at;
}

/* Of text[from, to): where a sign stands first, or last; SIZE_MAX nowhere. */
static size_t first_sign(struct view text, size_t from, uint8_t c) {
    const uint8_t *at = from < text.n ? memchr(text.p + from, c, text.n - from) : NULL;

    return at ? (size_t)(at - text.p) : SIZE_MAX;
}

static size_t last_sign(struct view text, size_t to, uint8_t c) {
    const uint8_t *at = to > 0 ? memrchr(text.p, c, to) : NULL;

    return at ? (size_t)(at - text.p) : SIZE_MAX;
}

static uint8_t upper_of(uint32_t c) {
    return (uint8_t)(c - 'a' < 26 ? c - 32 : c);
}

/* The words begin with ASCII, as they mostly do: libc finds the letter. */
static size_t next_ascii(const struct needle *n, struct view text, size_t from, size_t *len) {
    uint8_t lower = (uint8_t)n->cp[0], upper = upper_of(lower);
    size_t a = first_sign(text, from, lower), b = a;

    if (upper != lower)
        b = first_sign(text, from, upper);
    while (a != SIZE_MAX || b != SIZE_MAX) {
        size_t at = a < b ? a : b;

        if ((*len = stands_at(n, text, at)) > 0)
            return at;
        a = a == at ? first_sign(text, at + 1, lower) : a;
        b = b == at ? first_sign(text, at + 1, upper) : b;
    }
    return SIZE_MAX;
}

static size_t last_ascii(const struct needle *n, struct view text, size_t to, size_t *len) {
    uint8_t lower = (uint8_t)n->cp[0], upper = upper_of(lower);
    size_t a = last_sign(text, to, lower), b = last_sign(text, to, upper);

    while (a != SIZE_MAX || b != SIZE_MAX) {
        size_t at = a == SIZE_MAX ? b : b == SIZE_MAX || a > b ? a : b;

        if ((*len = stands_at(n, text, at)) > 0)
            return at;
        a = a == at ? last_sign(text, at, lower) : a;
        b = b == at ? last_sign(text, at, upper) : b;
    }
    return SIZE_MAX;
}

static bool leads(uint8_t c) {
    return c >= 0xc0;
}

size_t needle_next(const struct needle *n, struct view text, size_t from, size_t *len) {
    if (n->n > 0 && n->cp[0] < 0x80)
        return next_ascii(n, text, from, len);
    for (size_t at = from; n->n > 0 && at < text.n; at++)
        if (leads(text.p[at]) && (*len = stands_at(n, text, at)) > 0)
            return at;
    return SIZE_MAX;
}

size_t needle_last(const struct needle *n, struct view text, size_t before, size_t *len) {
    size_t to = before < text.n ? before : text.n;

    if (n->n > 0 && n->cp[0] < 0x80)
        return last_ascii(n, text, to, len);
    for (size_t at = to; n->n > 0 && at-- > 0;)
        if (leads(text.p[at]) && (*len = stands_at(n, text, at)) > 0)
            return at;
    return SIZE_MAX;
}
