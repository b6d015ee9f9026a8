#include "guest/workloads/lib/columns.c"
#include "tests/unit/unit.h"

static enum column_type type(const char *s) {
    struct csv_field f = {view_str(s), false};

    return column_widen(COLUMN_EMPTY, &f);
}

static void types_of_single_values(void **state) {
    static const struct {
        const char *text;
        enum column_type type;
    } rows[] = {
        {"", COLUMN_EMPTY},
        {"0", COLUMN_INT},
        {"-7", COLUMN_INT},
        {"+7", COLUMN_INT},
        {"007", COLUMN_TEXT},
        {"00.5", COLUMN_TEXT},
        {"1.5", COLUMN_REAL},
        {".5", COLUMN_REAL},
        {"5.", COLUMN_REAL},
        {"0.5", COLUMN_REAL},
        {"1e6", COLUMN_REAL},
        {"1E-6", COLUMN_REAL},
        {"1e", COLUMN_TEXT},
        {"e5", COLUMN_TEXT},
        {".", COLUMN_TEXT},
        {"-", COLUMN_TEXT},
        {"1,5", COLUMN_TEXT},
        {"0x10", COLUMN_TEXT},
        {"nan", COLUMN_TEXT},
        {"inf", COLUMN_TEXT},
        {"1 ", COLUMN_TEXT},
        {"999999999999999999", COLUMN_INT},
        {"9999999999999999999", COLUMN_REAL},
        {"2024-01-01", COLUMN_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (type(rows[i].text) != rows[i].type)
            fail_msg("'%s' is of type %d", rows[i].text, type(rows[i].text));
}

static void a_column_takes_the_widest(void **state) {
    struct csv_field n = {view_str("1"), false}, r = {view_str("1.5"), false},
                     t = {view_str("x"), false};

    (void)state;
    assert_int_equal(column_widen(COLUMN_INT, &r), COLUMN_REAL);
    assert_int_equal(column_widen(COLUMN_REAL, &n), COLUMN_REAL);
    assert_int_equal(column_widen(COLUMN_REAL, &t), COLUMN_TEXT);
    assert_int_equal(column_widen(COLUMN_TEXT, &n), COLUMN_TEXT);
}

static void names_are_distinct_and_never_empty(void **state) {
    static const char *const given[] = {"total", "", " Total ", "total", "a\x1b[31mb", "  "};
    static const char *const want[] = {"total", "column_2", "Total_2", "total_3", NULL, "column_6"};
    char *names[COUNT(given)];

    (void)state;
    for (size_t i = 0; i < COUNT(given); i++) {
        struct csv_field f = {view_str(given[i]), false};

        names[i] = column_name(&f, names, i);
        if (want[i])
            assert_string_equal(names[i], want[i]);
        assert_null(strchr(names[i], '\x1b'));
    }
    for (size_t i = 0; i < COUNT(given); i++)
        free(names[i]);
}

static void table_names_are_words(void **state) {
    static const char *const rows[][2] = {
        {"ledger.csv", "ledger"}, {"Q1 Sales (final).csv", "q1_sales__final_"},
        {"2024.csv", "t_2024"},   {"../../etc/passwd", "passwd"},
        {"a.b.csv", "a_b"},       {"x\"; DROP TABLE y;--.csv", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *name = table_name(rows[i][0]);

        if (rows[i][1])
            assert_string_equal(name, rows[i][1]);
        assert_null(strpbrk(name, "\"'; \\/"));
    }
}

static void equal_names_get_numbers(void **state) {
    char *others[] = {"sales", "SALES_2"};
    cleanup_free char *name = name_distinct(mem_str("Sales"), others, 2);

    (void)state;
    assert_string_equal(name, "Sales_3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_of_single_values),
        cmocka_unit_test(a_column_takes_the_widest),
        cmocka_unit_test(names_are_distinct_and_never_empty),
        cmocka_unit_test(table_names_are_words),
        cmocka_unit_test(equal_names_get_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
