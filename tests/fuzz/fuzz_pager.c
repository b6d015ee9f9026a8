/* Scrollback: whatever is added, streamed, replaced, resized and scrolled, every row of the view
 * exists, fits, and is clean; and text that is below is never lost. */
#include "core/text.h"
#include "tests/fuzz/fuzz.h"
#include "tui/pager.h"

static void check(const struct pager *p, int width, int height, int indent) {
    size_t rows = pager_rows(p), top = pager_top(p);
    struct pager_hit hits[PAGER_HITS];
    struct pager_row r;

    MUST(pager_tail(p) == 0 || pager_view(p) + pager_tail(p) + 1 == height);
    MUST(pager_tail(p) > 0 || pager_view(p) == height);
    MUST(pager_tail(p) == 0 || !pager_following(p));
    MUST(top == 0 || top < rows);
    MUST(pager_unseen(p) <= rows);
    if (pager_following(p))
        MUST(pager_unseen(p) == 0 && top + (size_t)height >= rows);
    for (size_t i = top; i < rows && i < top + (size_t)height; i++) {
        int w = width - indent < 1 ? 1 : width - indent;

        MUST(pager_row(p, i, &r));
        MUST(utf8_valid(view_of(r.text.s, r.text.n)));
        MUST(!memchr(r.text.s, '\n', r.text.n) && !memchr(r.text.s, 0x1b, r.text.n));
        MUST(text_width(view_of(r.text.s, r.text.n)) <= (w < 2 ? 2 : w));
        for (size_t n = pager_hits(p, i, hits); n-- > 0;)
            MUST(hits[n].from >= 0 && hits[n].from <= hits[n].to);
    }
    MUST(!pager_row(p, rows, &r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pager *p = pager_new(20);
    int width = 30, height = 5, indent = 4;
    size_t last = 0;

    for (size_t i = 0; i + 2 <= size;) {
        uint8_t op = data[i], n = data[i + 1];
        struct view text;

        i += 2;
        text = view_of(data + i, n < size - i ? n : size - i);
        switch (op % 9) {
        case 0:
            last = pager_add(p, "who", ROLE_TEXT, false, text);
            break;
        case 1:
            pager_extend(p, last, text);
            break;
        case 2:
            pager_replace(p, last > n % 8u ? last - n % 8u : last, ROLE_TEXT, text);
            break;
        case 3:
            width = n % 50 + 1;
            height = op % 9 + 1;
            pager_resize(p, width, height, indent);
            break;
        case 4:
            pager_move(p, (enum list_move)(n % 6));
            break;
        case 5:
            pager_search(p, text);
            break;
        case 6:
            pager_seek(p, n & 1);
            break;
        case 7:
            pager_tag(p, last > n % 8u ? last - n % 8u : last, "sent");
            pager_split(p, n % 5);
            break;
        case 8:
            pager_unread(p);
            break;
        }
        if (op % 9 < 3 || op % 9 == 5)
            i += text.n;
        pager_resize(p, width, height, indent);
        check(p, width, height, indent);
    }
    pager_free(p);
    return 0;
}
