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

static void finds_upwards(void **state) {
    struct pager *p = pager_new(100);

    (void)state;
    pager_resize(p, 80, 2, 0);
    pager_add(p, "", ROLE_TEXT, false, view_str("the Needle"));
    for (int i = 0; i < 20; i++)
        pager_add(p, "", ROLE_TEXT, false, view_str(i == 10 ? "needle too" : "hay"));
    assert_true(pager_find(p, view_str("needle")));
    assert_int_equal(pager_top(p), 11);
    assert_true(pager_find(p, view_str("needle")));
    assert_int_equal(pager_top(p), 0);
    assert_false(pager_find(p, view_str("needle")));
    assert_false(pager_find(p, view_str("")));
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
        cmocka_unit_test(finds_upwards),
        cmocka_unit_test(hostile_text_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
