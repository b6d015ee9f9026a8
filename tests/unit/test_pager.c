#include "tui/pager.c"

#include "tests/unit/unit.h"

static void expect_row(const struct pager *p, size_t i, const char *gutter, const char *text) {
    struct pager_row r;

    assert_true(pager_row(p, i, &r));
    assert_int_equal(r.gutter.n, strlen(gutter));
    assert_memory_equal(r.gutter.s, gutter, strlen(gutter));
    assert_int_equal(r.text.n, strlen(text));
    assert_memory_equal(r.text.s, text, strlen(text));
}

static void wraps_and_reflows(void **state) {
    struct pager *p = pager_new(100);

    (void)state;
    pager_resize(p, 14, 10, 4);
    pager_add(p, "you", ROLE_TEXT, false, view_str("alpha beta gamma\n\nend"));
    assert_int_equal(pager_rows(p), 4);
    expect_row(p, 0, "you", "alpha beta");
    expect_row(p, 1, "", "gamma");
    expect_row(p, 2, "", "");
    expect_row(p, 3, "", "end");
    pager_resize(p, 40, 10, 4);
    assert_int_equal(pager_rows(p), 3);
    expect_row(p, 0, "you", "alpha beta gamma");
    pager_resize(p, 5, 10, 4); /* one cell a row: every character still gets on */
    assert_int_equal(pager_rows(p), 16 - 2 + 1 + 3);
    pager_free(p);
}

static void tables_are_never_broken(void **state) {
    struct pager *p = pager_new(100);

    (void)state;
    pager_resize(p, 10, 10, 0);
    pager_add(p, "", ROLE_TEXT, true, view_str("a very long line of a table\nnext"));
    assert_int_equal(pager_rows(p), 2);
    expect_row(p, 1, "", "next");
    pager_free(p);
}

static void follows_only_at_the_bottom(void **state) {
    struct pager *p = pager_new(100);

    (void)state;
    pager_resize(p, 80, 3, 0);
    for (int i = 0; i < 10; i++)
        pager_add(p, "", ROLE_TEXT, false, view_str("x"));
    assert_true(pager_following(p));
    assert_int_equal(pager_top(p), 7);
    pager_move(p, LIST_PAGE_UP);
    assert_false(pager_following(p));
    assert_int_equal(pager_top(p), 5);
    pager_add(p, "", ROLE_TEXT, false, view_str("new\nnew"));
    assert_int_equal(pager_top(p), 5);
    assert_int_equal(pager_unseen(p), 2);
    pager_resize(p, 40, 3, 0); /* a reflow moves nothing either */
    assert_int_equal(pager_top(p), 5);
    assert_int_equal(pager_unseen(p), 2);
    pager_move(p, LIST_BOTTOM);
    assert_true(pager_following(p));
    assert_int_equal(pager_unseen(p), 0);
    pager_free(p);
}

static void streams_into_its_entry(void **state) {
    struct pager *p = pager_new(100);
    size_t id;

    (void)state;
    pager_resize(p, 20, 5, 0);
    id = pager_add(p, "guest", ROLE_TEXT, false, view_str(""));
    assert_int_equal(pager_rows(p), 1);
    pager_add(p, "note", ROLE_DIM, false, view_str("between"));
    pager_extend(p, id, view_str("one two "));
    pager_extend(p, id, view_str("three four five"));
    assert_int_equal(pager_rows(p), 3);
    expect_row(p, 0, "guest", "one two three four");
    expect_row(p, 1, "", "five");
    expect_row(p, 2, "note", "between");
    pager_replace(p, id, ROLE_TEXT, view_str("final"));
    assert_int_equal(pager_rows(p), 2);
    expect_row(p, 0, "guest", "final");
    pager_extend(p, 99, view_str("nobody"));
    pager_free(p);
}

static void keeps_its_place_when_old_entries_go(void **state) {
    struct pager *p = pager_new(100);
    struct pager_row r;

    (void)state;
    pager_resize(p, 80, 5, 0);
    for (int i = 0; i < 100; i++) {
        char s[16];

        snprintf(s, sizeof s, "line %d", i);
        pager_add(p, "", ROLE_TEXT, false, view_str(s));
    }
    pager_move(p, LIST_PAGE_UP);
    pager_row(p, pager_top(p), &r);
    assert_memory_equal(r.text.s, "line 91", 7);
    pager_add(p, "", ROLE_TEXT, false, view_str("one more"));
    pager_row(p, pager_top(p), &r);
    assert_memory_equal(r.text.s, "line 91", 7);
    assert_int_equal(pager_rows(p), 91);
    pager_extend(p, 1, view_str("gone"));
    assert_int_equal(pager_rows(p), 91);
    pager_free(p);
}

/* The place where the search stands, as "row:column". */
static void expect_hit(struct pager *p, size_t row, int from, int to) {
    struct pager_hit hits[PAGER_HITS];
    size_t n = pager_hits(p, row, hits);

    for (size_t i = 0; i < n; i++)
        if (hits[i].current) {
            assert_int_equal(hits[i].from, from);
            assert_int_equal(hits[i].to, to);
            return;
        }
    fail_msg("the search does not stand in row %zu", row);
}

static void finds_both_ways(void **state) {
    struct pager *p = pager_new(100);

    (void)state;
    pager_resize(p, 80, 2, 0);
    pager_add(p, "", ROLE_TEXT, false, view_str("the Needle"));
    for (int i = 0; i < 20; i++)
        pager_add(p, "", ROLE_TEXT, false, view_str(i == 10 ? "needle, NEEDLE too" : "hay"));
    assert_int_equal(pager_search(p, view_str("needle")), 3);
    assert_true(pager_following(p)); /* looking moves nothing */
    assert_true(pager_seek(p, true));
    expect_hit(p, 11, 8, 14);
    assert_true(pager_seek(p, true));
    expect_hit(p, 11, 0, 6);
    assert_true(pager_seek(p, true));
    expect_hit(p, 0, 4, 10);
    assert_int_equal(pager_top(p), 0);
    assert_false(pager_seek(p, true));
    assert_true(pager_seek(p, false));
    expect_hit(p, 11, 0, 6);
    assert_true(pager_seek(p, false));
    assert_false(pager_seek(p, false));
    assert_int_equal(pager_search(p, view_str("")), 0);
    assert_false(pager_seek(p, true));
    pager_free(p);
}

/* In one entry of many rows, and over the break of a row. */
static void finds_within_a_long_answer(void **state) {
    struct pager *p = pager_new(100);
    cleanup_buf struct buf text = {0};
    struct pager_hit hits[PAGER_HITS];

    (void)state;
    pager_resize(p, 10, 4, 0);
    for (int i = 0; i < 50; i++)
        buf_str(&text, i == 20 ? "here it is\n" : "hay\n");
    buf_str(&text, "abcdefghijklmno");
    pager_add(p, "", ROLE_TEXT, false, buf_view(&text));
    assert_int_equal(pager_search(p, view_str("IT")), 1);
    assert_true(pager_seek(p, true));
    expect_hit(p, 20, 5, 7);
    assert_int_equal(pager_search(p, view_str("jkl")), 1);
    assert_int_equal(pager_hits(p, 50, hits), 1);
    assert_true(hits[0].from == 9 && hits[0].to == 10);
    assert_int_equal(pager_hits(p, 51, hits), 1);
    assert_true(hits[0].from == 0 && hits[0].to == 2);
    assert_int_equal(pager_hits(p, 52, hits), 0);
    pager_free(p);
}

static void splits_while_reading_above(void **state) {
    struct pager *p = pager_new(100);

    (void)state;
    pager_split(p, 3);
    pager_resize(p, 80, 12, 0);
    for (int i = 0; i < 40; i++)
        pager_add(p, "", ROLE_TEXT, false, view_str("x"));
    assert_int_equal(pager_tail(p), 0);
    assert_int_equal(pager_view(p), 12);
    assert_int_equal(pager_top(p), 28);
    pager_move(p, LIST_PAGE_UP);
    assert_int_equal(pager_tail(p), 3);
    assert_int_equal(pager_view(p), 8);
    assert_int_equal(pager_top(p), 21); /* no row between the two views was skipped */
    pager_add(p, "", ROLE_TEXT, false, view_str("new"));
    assert_int_equal(pager_unseen(p), 1);
    assert_true(pager_unread(p));
    assert_true(pager_following(p));
    assert_int_equal(pager_tail(p), 0);
    assert_false(pager_unread(p));
    pager_resize(p, 80, 6, 0); /* too low to be parted */
    pager_move(p, LIST_UP);
    assert_int_equal(pager_tail(p), 0);
    pager_free(p);
}

static void tags_keep_their_room(void **state) {
    struct pager *p = pager_new(100);
    struct pager_row r;
    size_t id;

    (void)state;
    pager_resize(p, 24, 5, 4);
    id = pager_add(p, "you", ROLE_TEXT, false, view_str("twenty cells of text"));
    pager_add(p, "", ROLE_TEXT, false, view_str("below"));
    assert_int_equal(pager_rows(p), 2);
    pager_tag(p, id, "sent");
    assert_int_equal(pager_rows(p), 4);
    assert_true(pager_row(p, 0, &r));
    assert_string_equal(r.tag.s, "sent");
    assert_true(r.text.n + PAGER_TAG < 20);
    assert_true(pager_row(p, 1, &r));
    assert_int_equal(r.tag.n, 0);
    expect_row(p, 3, "", "below");
    pager_tag(p, id, "longer than it may be");
    assert_true(pager_row(p, 0, &r));
    assert_int_equal(r.tag.n, PAGER_TAG);
    pager_tag(p, 77, "nobody");
    pager_free(p);
}

/* An answer grows above what is being read: that stays where it is. */
static void growing_above_moves_nothing(void **state) {
    struct pager *p = pager_new(100);
    struct pager_row r;
    size_t id;

    (void)state;
    pager_resize(p, 80, 3, 0);
    id = pager_add(p, "", ROLE_TEXT, false, view_str("answer"));
    for (int i = 0; i < 9; i++) {
        char s[8];

        snprintf(s, sizeof s, "row %d", i);
        pager_add(p, "", ROLE_TEXT, false, view_str(s));
    }
    pager_move(p, LIST_PAGE_UP);
    assert_true(pager_row(p, pager_top(p), &r));
    assert_memory_equal(r.text.s, "row 4", 5);
    pager_extend(p, id, view_str("\nmore\nand more"));
    assert_true(pager_row(p, pager_top(p), &r));
    assert_memory_equal(r.text.s, "row 4", 5);
    pager_replace(p, id, ROLE_TEXT, view_str("short"));
    assert_true(pager_row(p, pager_top(p), &r));
    assert_memory_equal(r.text.s, "row 4", 5);
    pager_free(p);
}

/* The final answer takes the place of what was streamed; who reads in it stays there. */
static void replacing_keeps_the_place(void **state) {
    struct pager *p = pager_new(100);
    cleanup_buf struct buf text = {0};
    size_t id, top;

    (void)state;
    pager_resize(p, 80, 5, 0);
    for (int i = 0; i < 40; i++)
        buf_fmt(&text, "line %d\n", i);
    id = pager_add(p, "", ROLE_TEXT, false, buf_view(&text));
    pager_move(p, LIST_PAGE_UP);
    top = pager_top(p);
    pager_replace(p, id, ROLE_TEXT, buf_view(&text));
    assert_int_equal(pager_top(p), top);
    assert_false(pager_following(p));
    pager_free(p);
}

/* Rows made piece by piece are the rows made at once. */
static void streaming_flows_like_the_whole(void **state) {
    static const char TEXT[] = "one two three\n\nfour  five-and-a-very-long-word six\n seven\n";
    struct pager *a = pager_new(10), *b = pager_new(10);
    struct pager_row ra, rb;
    size_t id;

    (void)state;
    pager_resize(a, 11, 4, 0);
    pager_resize(b, 11, 4, 0);
    id = pager_add(a, "", ROLE_TEXT, false, view_str(""));
    for (size_t i = 0; i < sizeof TEXT - 1; i++)
        pager_extend(a, id, view_of(TEXT + i, 1));
    pager_add(b, "", ROLE_TEXT, false, view_str(TEXT));
    assert_int_equal(pager_rows(a), pager_rows(b));
    for (size_t i = 0; pager_row(a, i, &ra) && pager_row(b, i, &rb); i++)
        assert_true(view_eq(view_of(ra.text.s, ra.text.n), view_of(rb.text.s, rb.text.n)));
    pager_free(a);
    pager_free(b);
}

static void bytes_are_bounded(void **state) {
    struct pager *p = pager_new(1000);
    cleanup_buf struct buf text = {0};

    (void)state;
    pager_resize(p, 80, 5, 0);
    while (text.n < 1000000)
        buf_str(&text, "a line of an answer that somebody made much too long\n");
    for (int i = 0; i < 40; i++)
        pager_add(p, "", ROLE_TEXT, false, buf_view(&text));
    assert_true(p->bytes <= PAGER_BYTES + text.n);
    assert_true(p->n > 10);
    pager_free(p);
}

static void becomes_plain_text(void **state) {
    struct pager *p = pager_new(10);
    cleanup_buf struct buf b = {0};
    size_t id;

    (void)state;
    pager_resize(p, 20, 5, 6);
    id = pager_add(p, "you", ROLE_TEXT, false, view_str("a question\nof two lines"));
    pager_tag(p, id, "sent");
    pager_add(p, "", ROLE_DIM, false, view_str("note"));
    pager_text(p, &b);
    buf_str(&b, "");
    assert_string_equal((char *)b.p, "you   a question\n      of two lines  (sent)\n      note\n");
    assert_true(view_is(pager_entry(p, id), "a question\nof two lines"));
    assert_int_equal(pager_entry(p, 99).n, 0);
    pager_free(p);
}

static void hostile_text_is_clean(void **state) {
    struct pager *p = pager_new(100);
    struct pager_row r;

    (void)state;
    pager_resize(p, 80, 2, 0);
    pager_add(p, "", ROLE_TEXT, false,
              view_str("a\033]0;x\007\xe2\x80\xae"
                       "b\xff"));
    pager_row(p, 0, &r);
    for (size_t i = 0; i < r.text.n; i++)
        assert_true((uint8_t)r.text.s[i] >= 0x20);
    assert_null(strstr(r.text.s, "\xe2\x80\xae"));
    pager_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps_and_reflows),
        cmocka_unit_test(tables_are_never_broken),
        cmocka_unit_test(follows_only_at_the_bottom),
        cmocka_unit_test(streams_into_its_entry),
        cmocka_unit_test(keeps_its_place_when_old_entries_go),
        cmocka_unit_test(finds_both_ways),
        cmocka_unit_test(finds_within_a_long_answer),
        cmocka_unit_test(splits_while_reading_above),
        cmocka_unit_test(tags_keep_their_room),
        cmocka_unit_test(growing_above_moves_nothing),
        cmocka_unit_test(replacing_keeps_the_place),
        cmocka_unit_test(streaming_flows_like_the_whole),
        cmocka_unit_test(bytes_are_bounded),
        cmocka_unit_test(becomes_plain_text),
        cmocka_unit_test(hostile_text_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
