#include "core/text.h"
#include "plain.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* How long the character that begins with this byte wants to be; 1 for one that begins none. */
static size_t wanted(uint8_t first) {
    if (first >= 0xf0 && first < 0xf5)
        return 4;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xc2 && first < 0xe0 ? 2 : 1;
}

/* May more bytes still make a character of these? */
static bool unfinished(struct view v) {
    if (v.n >= wanted(v.p[0]))
        return false;
    for (size_t i = 1; i < v.n; i++)
        if ((v.p[i] & 0xc0) != 0x80)
            return false;
    return true;
}

void plain_text(struct buf *raw, bool last, struct buf *text) {
    struct view v = buf_view(raw);

    while (v.n && (last || !unfinished(v))) {
        uint32_t cp;
        size_t n = utf8_next(v, &cp);

        if (n && cp)
            buf_add(text, v.p, n);
        else
            buf_str(text, REPLACEMENT);
        n = n ? n : 1;
        v = view_of(v.p + n, v.n - n);
    }
    buf_drop(raw, raw->n - v.n);
}
