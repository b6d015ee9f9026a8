/* The file of verdicts met before: what was understood is written to lines that mean the same, and
 * no line makes an acceptance of something simulated or of no machine. */
#include "tui/known.c"

#include "tests/fuzz/fuzz.h"

#define NOW ((int64_t)1795305600)

static void nothing_is_accepted_for_nobody(const struct known *k) {
    struct facts f = {.simulated = true, .chip_len = 64};
    const struct check c = {.id = "snp.tcb.floor", .state = CHECK_WARN, .got = "x"};

    MUST(known_accepted(k, &f, &c) == 0);
    f.simulated = false;
    f.chip_len = 0;
    MUST(known_accepted(k, &f, &c) == 0);
}

static void known_parse(struct known *k, struct view text) {
    while (text.n) {
        const uint8_t *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) : text.n;

        (void)take(k, view_of(text.p, n));
        text = view_of(text.p + n + (nl != NULL), text.n - n - (nl != NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct known *k = known_new(NULL, NOW, KNOWN_DAYS, NULL);
    struct known *again = known_new(NULL, NOW, KNOWN_DAYS, NULL);
    cleanup_buf struct buf text = {0}, twice = {0};

    known_parse(k, view_of(data, size));
    MUST(k->n_last <= KNOWN_ROWS && k->n_acc <= KNOWN_ROWS);
    nothing_is_accepted_for_nobody(k);
    known_text(k, &text);
    known_parse(again, buf_view(&text));
    known_text(again, &twice);
    MUST(view_eq(buf_view(&text), buf_view(&twice)));
    known_free(k);
    known_free(again);
    return 0;
}
