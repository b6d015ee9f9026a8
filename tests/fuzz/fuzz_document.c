/* A page of a customer's: text that is valid, folded and in bounds, headings in order, windows and
 * passages that cover it. The first byte chooses the reader. */
#include "guest/workloads/lib/extract.h"
#include "guest/workloads/lib/split.h"
#include "core/text.h"
#include "tests/fuzz/fuzz.h"

typedef int extract_fn(struct view bytes, struct doctext *out, struct err *e);

static void check_split(const struct doctext *t) {
    struct split s;
    size_t end = 0;

    split_text(t, &s);
    for (size_t i = 0; i < s.n_windows; end = s.window[i].at + s.window[i].n, i++) {
        const struct split_window *w = &s.window[i];
        cleanup_free char *path = split_heading_path(t, w->heading, 160);

        MUST(w->n && w->at >= end && w->at + w->n <= t->text.n);
        MUST(w->words && w->words <= SPLIT_WINDOW_WORDS && w->n <= SPLIT_WINDOW_BYTES + 64);
        MUST(utf8_valid(view_of(t->text.p + w->at, w->n)) && utf8_valid(view_str(path)));
    }
    for (size_t i = 0; i < s.n_passages; i++)
        MUST(s.passage[i].windows && s.passage[i].first + s.passage[i].windows <= s.n_windows &&
             s.passage[i].at + s.passage[i].n <= t->text.n &&
             (!i || s.passage[i].first > s.passage[i - 1].first));
    split_free(&s);
}

/* What is written for the other process is read back as the same. */
static void check_crossing(const struct doctext *t) {
    cleanup_buf struct buf wire = {0};
    struct doctext back;

    doctext_init(&back);
    doctext_write(t, &wire);
    MUST(!doctext_read(buf_view(&wire), &back, NULL));
    MUST(view_eq(buf_view(&back.text), buf_view(&t->text)) && back.n_headings == t->n_headings);
    doctext_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static extract_fn *const readers[] = {extract_html, extract_docx_xml, extract_markdown,
                                          extract_csv};
    struct doctext t;
    struct err e = {0};

    if (!size)
        return 0;
    doctext_init(&t);
    if (!readers[data[0] % COUNT(readers)](view_of(data + 1, size - 1), &t, &e)) {
        MUST(utf8_valid(buf_view(&t.text)) && !(t.text.n && memchr(t.text.p, 0, t.text.n)));
        check_split(&t);
        check_crossing(&t);
    } else
        MUST(e.code[0]);
    doctext_free(&t);
    return 0;
}
