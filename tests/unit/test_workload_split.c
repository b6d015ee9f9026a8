#include "guest/workloads/lib/split.c"
#include "tests/unit/unit.h"

static void text_of(struct doctext *t, const char *text) {
    doctext_init(t);
    doctext_verbatim(t, view_str(text));
}

/* n words "w0 w1 ..." with a full stop after every `sentence` of them. */
static char *words(size_t n, size_t sentence) {
    struct buf b = {0};

    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "w%zu%s ", i, (i + 1) % sentence ? "" : ".");
    buf_str(&b, "");
    return buf_take(&b);
}

/* Windows in order, nothing but white space between them, in bounds. */
static void check_windows(const struct doctext *t, const struct split *s) {
    size_t end = 0, total = 0;

    for (size_t i = 0; i < s->n_windows; end = s->window[i].at + s->window[i].n, i++) {
        const struct split_window *w = &s->window[i];

        assert_true(w->n > 0 && w->n <= SPLIT_WINDOW_BYTES + WORD_BYTES);
        assert_true(w->words >= 1 && w->words <= SPLIT_WINDOW_WORDS);
        assert_true(w->at >= end && w->at + w->n <= t->text.n);
        while (end < w->at)
            assert_true(is_space(t->text.p[end++]));
        assert_true(utf8_valid(view_of(t->text.p + w->at, w->n)));
        total += w->words;
    }
    assert_int_equal(total, s->words);
}

/* Every window is in a passage; neighbours share enough of the text. */
static void check_passages(const struct split *s) {
    size_t next = 0;

    for (size_t i = 0; i < s->n_passages; i++) {
        const struct split_passage *p = &s->passage[i];
        const struct split_window *last = &s->window[p->first + p->windows - 1];
        size_t shared = 0;

        assert_true(p->windows >= 1 && p->first <= next && p->first + p->windows > next);
        assert_true(p->at == s->window[p->first].at && p->at + p->n == last->at + last->n);
        for (size_t k = p->first; k < next; k++)
            shared += s->window[k].words;
        assert_true(i == 0 || shared >= SPLIT_OVERLAP_WORDS ||
                    next - s->passage[i - 1].first == 1 || p->first == s->passage[i - 1].first + 1);
        next = p->first + p->windows;
    }
    assert_int_equal(next, s->n_windows);
}

static void split_and_check(const char *text, struct doctext *t, struct split *s) {
    text_of(t, text);
    split_text(t, s);
    check_windows(t, s);
    check_passages(s);
}

static void passages_have_200_words_and_overlap(void **state) {
    cleanup_free char *text = words(2000, 12);
    struct doctext t;
    struct split s;

    (void)state;
    split_and_check(text, &t, &s);
    assert_int_equal(s.words, 2000);
    for (size_t i = 0; i + 1 < s.n_passages; i++) {
        size_t n = 0;

        for (size_t k = 0; k < s.passage[i].windows; k++)
            n += s.window[s.passage[i].first + k].words;
        assert_true(n >= 160 && n <= 230);
        assert_true(s.passage[i + 1].at < s.passage[i].at + s.passage[i].n);
    }
    split_free(&s);
    doctext_free(&t);
}

static void windows_end_with_sentences(void **state) {
    cleanup_free char *text = words(600, 13);
    struct doctext t;
    struct split s;

    (void)state;
    split_and_check(text, &t, &s);
    for (size_t i = 0; i + 1 < s.n_windows; i++)
        assert_true(t.text.p[s.window[i].at + s.window[i].n - 1] == '.');
    split_free(&s);
    doctext_free(&t);
}

/* 20 words in a row are never divided: each run of 20 lies in one passage. */
static void no_short_answer_is_cut_in_two(void **state) {
    cleanup_free char *text = words(900, 1000);
    struct doctext t;
    struct split s;
    struct word first, word;

    (void)state;
    split_and_check(text, &t, &s);
    for (size_t at = 0; next_word(buf_view(&t.text), at, &first); at = first.at + first.n) {
        size_t n = 1, end = first.at + first.n;
        bool whole = false;

        while (n < SPLIT_OVERLAP_WORDS && next_word(buf_view(&t.text), end, &word)) {
            end = word.at + word.n;
            n++;
        }
        for (size_t i = 0; i < s.n_passages; i++)
            whole |= s.passage[i].at <= first.at && end <= s.passage[i].at + s.passage[i].n;
        assert_true(whole);
    }
    split_free(&s);
    doctext_free(&t);
}

static void headings_begin_windows(void **state) {
    struct doctext t;
    struct split s;
    cleanup_free char *path = NULL, *none = NULL;

    (void)state;
    doctext_init(&t);
    doctext_add(&t, view_str("Before."));
    doctext_open(&t, 1);
    doctext_add(&t, view_str("Chapter"));
    doctext_open(&t, 2);
    doctext_add(&t, view_str("Section"));
    doctext_close(&t);
    doctext_add(&t, view_str("Inside."));
    buf_str(&t.title, "Book");
    split_text(&t, &s);
    check_windows(&t, &s);
    assert_int_equal(s.n_windows, 3);
    assert_int_equal(s.window[0].heading, SPLIT_NO_HEADING);
    assert_int_equal(s.window[1].heading, 0);
    assert_int_equal(s.window[2].heading, 1);
    assert_memory_equal(t.text.p + s.window[2].at, "Section\n\nInside.", 16);
    path = split_heading_path(&t, 1, 100);
    none = split_heading_path(&t, SPLIT_NO_HEADING, 100);
    assert_string_equal(path, "Book > Chapter > Section");
    assert_string_equal(none, "Book");
    split_free(&s);
    doctext_free(&t);
}

static void paths_follow_the_levels(void **state) {
    static const struct {
        size_t heading;
        const char *want;
    } rows[] = {{0, "A"}, {1, "A > B"}, {2, "A > B > C"}, {3, "A > D"}, {4, "E"}};
    static const unsigned levels[] = {1, 3, 4, 2, 1};
    struct doctext t;

    (void)state;
    doctext_init(&t);
    for (size_t i = 0; i < COUNT(levels); i++) {
        doctext_open(&t, levels[i]);
        doctext_add(&t, view_of(&"ABCDE"[i], 1));
        doctext_close(&t);
    }
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *got = split_heading_path(&t, rows[i].heading, 100);

        assert_string_equal(got, rows[i].want);
    }
    doctext_free(&t);
}

static void odd_texts(void **state) {
    cleanup_buf struct buf run = {0}, chinese = {0};
    const char *const texts[] = {"", " \n ", "x", "\n\nx\n\n", "a. b. c.", "?!", "é"};
    struct doctext t;
    struct split s;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        split_and_check(texts[i], &t, &s);
        split_free(&s);
        doctext_free(&t);
    }
    for (size_t i = 0; i < 10000; i++) {
        buf_str(&run, "=");
        buf_str(&chinese, "\u4e2d\u6587\u3002");
    }
    split_and_check((char *)run.p, &t, &s);
    assert_true(s.n_passages > 1 && s.words == (10000 + WORD_BYTES - 1) / WORD_BYTES);
    split_free(&s);
    doctext_free(&t);
    split_and_check((char *)chinese.p, &t, &s);
    assert_true(s.n_passages > 1);
    split_free(&s);
    doctext_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passages_have_200_words_and_overlap),
        cmocka_unit_test(windows_end_with_sentences),
        cmocka_unit_test(no_short_answer_is_cut_in_two),
        cmocka_unit_test(headings_begin_windows),
        cmocka_unit_test(paths_follow_the_levels),
        cmocka_unit_test(odd_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
