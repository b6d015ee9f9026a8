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

static const char *first_of(const struct table *t, size_t column) {
    return table_at(t, 0, column);
}

static struct table *table_of(const char *json, uint64_t *total, uint8_t xid[static 16]) {
    cJSON *o = cJSON_Parse(json);
    struct table *t = table_read(o, total, xid);

    cJSON_Delete(o);
    return t;
}

static void sorts_by_what_it_is(void **state) {
    uint64_t total;
    uint8_t xid[16];
    struct table *t =
        table_of("{\"columns\":[\"n\",\"name\",\"day\",\"money\"],\"rows\":[[10,\"beta\","
                 "\"2026-02-01\",\"1,204.50\"],[9,\"Alpha\",\"2025-12-31\",\"12 %\"],[null,"
                 "\"\xc3\x84rger\",\"\",\"-3,5\"],[9,\"alpha\",\"2026-01-01\",\"1'000\"]]}",
                 &total, xid);

    (void)state;
    assert_int_equal(total, 4);
    assert_true(table_number(t, 0) && !table_number(t, 1) && table_number(t, 3));
    table_sort(t, 0, ORDER_UP);
    assert_string_equal(first_of(t, 1), "Alpha"); /* equal ones as they came */
    assert_string_equal(table_at(t, 1, 1), "alpha");
    assert_string_equal(table_at(t, 3, 0), ""); /* empty last */
    table_sort(t, 0, ORDER_DOWN);
    assert_string_equal(first_of(t, 0), "10");
    assert_string_equal(table_at(t, 3, 0), "");
    table_sort(t, 1, ORDER_UP);
    assert_string_equal(first_of(t, 1), "Alpha");
    assert_string_equal(table_at(t, 2, 1), "beta");
    table_sort(t, 2, ORDER_DOWN);
    assert_string_equal(first_of(t, 2), "2026-02-01");
    table_sort(t, 3, ORDER_UP);
    assert_string_equal(first_of(t, 3), "-3,5");
    assert_string_equal(table_at(t, 1, 3), "12 %");
    assert_string_equal(table_at(t, 2, 3), "1'000");
    table_sort(t, 3, ORDER_NONE);
    assert_string_equal(first_of(t, 1), "beta");
    assert_string_equal(table_at(t, 4, 0), "");
    assert_string_equal(table_at(t, 0, 99), "");
    table_free(t);
}

static void reads_whatever_comes(void **state) {
    static const char *const ODD[] = {
        "{}",
        "[]",
        "null",
        "{\"columns\":3,\"rows\":4}",
        "{\"columns\":[],\"rows\":[[1,2],3]}",
        "{\"columns\":[\"a\"],\"rows\":[[1,2,3],[],null,\"x\"],\"total\":-1,\"file\":\"zz\"}"};
    uint64_t total;
    uint8_t xid[16], none[16] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(ODD); i++) {
        struct table *t = table_of(ODD[i], &total, xid);

        assert_true(total >= table_rows(t));
        assert_memory_equal(xid, none, 16);
        for (size_t c = 0; c < table_columns(t); c++)
            table_sort(t, c, ORDER_DOWN);
        table_free(t);
    }
    struct table *t = table_of("{\"columns\":[\"a\",\"b\"],\"rows\":[[1]],\"total\":9,"
                               "\"file\":\"0102030405060708090a0b0c0d0e0f10\"}",
                               &total, xid);

    assert_int_equal(total, 9);
    assert_int_equal(xid[15], 0x10);
    assert_string_equal(table_at(t, 0, 1), "");
    table_free(t);
}

static void only_the_first_rows(void **state) {
    static const char *const CELLS[] = {"n", "1", "2", "3"};
    struct table *t = table_new(1);
    cleanup_buf struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(CELLS); i++)
        table_cell(t, view_str(CELLS[i]));
    table_begin(t, 2, true, &b);
    assert_true(view_is(buf_view(&b), "n\n-\n1\n2"));
    table_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns),
        cmocka_unit_test(cuts_wide_cells),
        cmocka_unit_test(cells_are_one_clean_line),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(sorts_by_what_it_is),
        cmocka_unit_test(reads_whatever_comes),
        cmocka_unit_test(only_the_first_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
