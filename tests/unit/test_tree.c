#include "tui/tree.c"

#include "tests/unit/unit.h"

#define CHECK(name, s, kids, n)                                                                    \
    {                                                                                              \
        .id = name, .title = name, .state = s, .required = true, .expected = "", .got = "",        \
        .why = "", .child = kids, .n_children = n                                                  \
    }

static const struct check A1 = CHECK("a.1", CHECK_PASS, NULL, 0);
static const struct check A2 = CHECK("a.2", CHECK_PASS, NULL, 0);
static const struct check B1 = CHECK("b.1", CHECK_PASS, NULL, 0);
static const struct check B2 = CHECK("b.2", CHECK_WARN, NULL, 0);
static const struct check *const AS[] = {&A1, &A2}, *const BS[] = {&B1, &B2};
static const struct check A = CHECK("a", CHECK_PASS, AS, 2);
static const struct check B = CHECK("b", CHECK_WARN, BS, 2);
static const struct check *const TOPS[] = {&A, &B};
static const struct check TOP = CHECK("verdict", CHECK_WARN, TOPS, 2);

static void expect_rows(const struct tree *t, const char *const *ids, size_t n) {
    struct tree_row r = {0};

    assert_int_equal(tree_list(t)->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_true(tree_row(t, i, &r));
        assert_string_equal(r.check->id, ids[i]);
    }
    assert_false(tree_row(t, n, &r));
}

static void shows_all_when_it_fits(void **state) {
    static const char *const ALL[] = {"verdict", "a", "a.1", "a.2", "b", "b.1", "b.2"};
    struct tree *t = tree_new(&TOP, 7);

    (void)state;
    expect_rows(t, ALL, 7);
    tree_free(t);
}

static void folds_what_passed_when_it_does_not(void **state) {
    static const char *const SOME[] = {"verdict", "a", "b", "b.1", "b.2"};
    struct tree *t = tree_new(&TOP, 6);

    (void)state;
    expect_rows(t, SOME, 5);
    tree_free(t);
}

static void moves_and_folds(void **state) {
    static const char *const FOLDED[] = {"verdict", "a", "a.1", "a.2", "b"};
    struct tree *t = tree_new(&TOP, 7);

    (void)state;
    tree_move(t, LIST_BOTTOM);
    assert_ptr_equal(tree_current(t), &B2);
    tree_left(t);
    assert_ptr_equal(tree_current(t), &B);
    tree_left(t);
    expect_rows(t, FOLDED, 5);
    tree_left(t);
    assert_ptr_equal(tree_current(t), &TOP);
    tree_left(t);
    assert_int_equal(tree_list(t)->n, 1);
    tree_right(t);
    tree_right(t);
    assert_ptr_equal(tree_current(t), &A);
    tree_fold(t);
    assert_int_equal(tree_list(t)->n, 3);
    tree_free(t);
}

static void next_problem_unfolds_its_way(void **state) {
    struct tree *t = tree_new(&TOP, 7);

    (void)state;
    tree_fold(t);
    assert_int_equal(tree_list(t)->n, 1);
    tree_next_open(t);
    assert_ptr_equal(tree_current(t), &B2);
    tree_next_open(t);
    assert_ptr_equal(tree_current(t), &B2);
    tree_free(t);
}

static void adopts_folds_and_cursor(void **state) {
    struct tree *old = tree_new(&TOP, 7), *t = tree_new(&TOP, 7);

    (void)state;
    tree_move(old, LIST_DOWN);
    tree_fold(old);
    tree_move(old, LIST_DOWN);
    tree_adopt(t, old);
    assert_int_equal(tree_list(t)->n, 5);
    assert_ptr_equal(tree_current(t), &B);
    tree_free(old);
    tree_free(t);
}

static void empty(void **state) {
    struct tree *t = tree_new(NULL, 7);

    (void)state;
    tree_move(t, LIST_DOWN);
    tree_fold(t);
    tree_left(t);
    tree_right(t);
    tree_next_open(t);
    assert_null(tree_current(t));
    tree_free(t);
}

/* Unfolded at the lower edge: what came to light is in sight, and so is its own line. */
static void what_is_unfolded_is_seen(void **state) {
    struct tree *t = tree_new(&TOP, 7);

    (void)state;
    tree_move(t, LIST_BOTTOM);
    tree_left(t);
    tree_fold(t);
    tree_resize(t, 3);
    assert_ptr_equal(tree_current(t), &B);
    assert_int_equal(tree_list(t)->top, 2); /* the last of three rows */
    tree_fold(t);
    assert_ptr_equal(tree_current(t), &B);
    assert_int_equal(tree_list(t)->top, 4); /* with both of its own below */
    tree_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_unfolded_is_seen),
        cmocka_unit_test(shows_all_when_it_fits),
        cmocka_unit_test(folds_what_passed_when_it_does_not),
        cmocka_unit_test(moves_and_folds),
        cmocka_unit_test(next_problem_unfolds_its_way),
        cmocka_unit_test(adopts_folds_and_cursor),
        cmocka_unit_test(empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
