#include "tui/table.c"

#include "tests/unit/unit.h"

static void expect(const char *const *cells, size_t n, size_t columns, const char *text) {
    struct table *t = table_new(columns);
    cleanup_buf struct buf b = {0};

    for (size_t i = 0; i < n; i++)
        table_cell(t, view_str(cells[i]));
    table_text(t, true, &b);
    buf_u8(&b, 0);
    assert_string_equal((char *)b.p, text);
    table_free(t);
}

static void aligns(void **state) {
    static const char *const CELLS[] = {"customer",
                                        "total",
                                        "note",
                                        "Anna",
                                        "1204.50",
                                        "",
                                        "B\xc3\xa9"
                                        "la",
                                        "-3",
                                        "late"};

    (void)state;
    expect(CELLS, COUNT(CELLS), 3,
           "customer    total  note\n"
           "--------  -------  ----\n"
           "Anna      1204.50  \n"
           "B\xc3\xa9"
           "la           -3  late");
}

static void cuts_wide_cells(void **state) {
    static const char *const CELLS[] = {"t", "0123456789012345678901234567890123456789X"};

    (void)state;
    expect(CELLS, 2, 1,
           "t\n----------------------------------------\n"
           "012345678901234567890123456789012345678~");
}

static void cells_are_one_clean_line(void **state) {
    static const char *const CELLS[] = {"a\nb", "\033[2J"};
    struct table *t = table_new(1);
    cleanup_buf struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        table_cell(t, view_str(CELLS[i]));
    table_text(t, false, &b);
    assert_null(memchr(b.p, 0x1b, b.n));
    assert_int_equal(table_rows(t), 1);
    assert_memory_equal(b.p, "a b\n", 4);
    table_free(t);
}

static void odd_shapes(void **state) {
    struct table *t = table_new(0);
    cleanup_buf struct buf b = {0};

    (void)state;
    assert_int_equal(table_rows(t), 0);
    table_text(t, false, &b);
    assert_int_equal(b.n, 0);
    table_free(t);
    t = table_new(1000);
    table_cell(t, view_str("only"));
    table_text(t, false, &b);
    assert_int_equal(table_rows(t), 0);
    table_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns),
        cmocka_unit_test(cuts_wide_cells),
        cmocka_unit_test(cells_are_one_clean_line),
        cmocka_unit_test(odd_shapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
