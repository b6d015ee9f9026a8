#include "tui/flow.h"

/* Length and width of the character at the front; broken text counts as one cell a byte. */
static size_t flow_char(struct view v, int *width) {
    uint32_t cp = 0;
    size_t n;

    if (v.p[0] >= 0x20 && v.p[0] < 0x7f) { /* nearly all of it */
        *width = 1;
        return 1;
    }
    n = utf8_next(v, &cp);
    *width = n == 0 ? 1 : cp_width(cp);
    if (*width < 0)
        *width = 1;
    return n == 0 ? 1 : n;
}

size_t flow_fit(struct view v, int w) {
    size_t at = 0;
    int used = 0, width;

    while (at < v.n && v.p[at] != '\n') {
        size_t n = flow_char(view_of(v.p + at, v.n - at), &width);

        if (used + width > w && at > 0)
            break;
        used += width;
        at += n;
    }
    return at;
}

size_t flow_break(struct view v, int w) {
    size_t fits = flow_fit(v, w), at;

    if (fits == v.n || v.p[fits] == '\n')
        return fits;
    if (v.p[fits] == ' ')
        return fits + 1;
    for (at = fits; at > 0; at--)
        if (v.p[at - 1] == ' ')
            return at;
    return fits;
}

size_t flow_trim(struct view v) {
    while (v.n > 0 && v.p[v.n - 1] == ' ')
        v.n--;
    return v.n;
}
