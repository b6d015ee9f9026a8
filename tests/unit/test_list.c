#include "tui/list.c"

#include "core/bytes.h"
#include "tests/unit/unit.h"

static void expect(const struct list *l, size_t cur, size_t top) {
    assert_int_equal(l->cur, cur);
    assert_int_equal(l->top, top);
}

static void moves(void **state) {
    struct list l = {0};

    (void)state;
    list_resize(&l, 10, 4);
    list_move(&l, LIST_UP);
    expect(&l, 0, 0);
    list_move(&l, LIST_PAGE_DOWN);
    expect(&l, 3, 0);
    list_move(&l, LIST_DOWN);
    expect(&l, 4, 1);
    list_move(&l, LIST_BOTTOM);
    expect(&l, 9, 6);
    list_move(&l, LIST_DOWN);
    expect(&l, 9, 6);
    list_move(&l, LIST_PAGE_UP);
    expect(&l, 6, 6);
    list_move(&l, LIST_TOP);
    expect(&l, 0, 0);
}

static void shrinks_and_grows(void **state) {
    struct list l = {0};

    (void)state;
    list_resize(&l, 10, 4);
    list_move(&l, LIST_BOTTOM);
    list_resize(&l, 3, 4);
    expect(&l, 2, 0);
    list_resize(&l, 0, 4);
    expect(&l, 0, 0);
    list_move(&l, LIST_DOWN);
    expect(&l, 0, 0);
    list_resize(&l, 10, 0);
    assert_int_equal(l.height, 1);
    list_to(&l, 7);
    expect(&l, 7, 7);
    list_resize(&l, 10, 20);
    expect(&l, 7, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(moves),
                                       cmocka_unit_test(shrinks_and_grows)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
