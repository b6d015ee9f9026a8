#include "tui/find.h"

#include <stdlib.h>
#include <wctype.h>

#include "core/text.h"

static uint32_t fold(uint32_t cp) {
    if (cp < 0x80)
        return cp - 'A' < 26 ? cp + 32 : cp;
    return (uint32_t)towlower((wint_t)cp);
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

/* Could a match begin with this byte? Decides nearly every place without decoding. */
static bool may_begin(const struct needle *n, uint8_t c) {
    if (n->cp[0] < 0x80)
        return fold(c) == n->cp[0] || c >= 0xc0; /* U+212A folds to k */
    return c >= 0xc0 || c < 0x80;
}

size_t needle_next(const struct needle *n, struct view text, size_t from, size_t *len) {
    for (size_t at = from; n->n > 0 && at < text.n; at++)
        if (may_begin(n, text.p[at]) && (*len = stands_at(n, text, at)) > 0)
            return at;
    return SIZE_MAX;
}

size_t needle_last(const struct needle *n, struct view text, size_t before, size_t *len) {
    for (size_t at = before < text.n ? before : text.n; n->n > 0 && at-- > 0;)
        if (may_begin(n, text.p[at]) && (*len = stands_at(n, text, at)) > 0)
            return at;
    return SIZE_MAX;
}
