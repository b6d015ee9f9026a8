#include "guest/workloads/lib/columns.c"
#include "tests/unit/unit.h"

static struct column_scan scan(const char *const *values, size_t n) {
    struct column_scan s = {0};

    for (size_t i = 0; i < n; i++)
        column_scan_add(&s, &(struct csv_field){view_str(values[i]), false});
    return s;
}

static enum column_type type(const char *s) {
    return scan(&s, 1).type;
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
        {"2024-01-01", COLUMN_DATE},
        {"2024-02-29", COLUMN_DATE},
        {"2023-02-29", COLUMN_TEXT},
        {"1900-02-29", COLUMN_TEXT},
        {"2000-02-29", COLUMN_DATE},
        {"0000-01-01", COLUMN_TEXT},
        {"2024-13-01", COLUMN_TEXT},
        {"2024-00-10", COLUMN_TEXT},
        {"2024-04-31", COLUMN_TEXT},
        {"2024-1-1", COLUMN_TEXT},
        {"2024/01/01", COLUMN_TEXT},
        {"20240101", COLUMN_INT},
        {"2024-01-01 ", COLUMN_TEXT},
        {"2024-01-01 13:00", COLUMN_TIME},
        {"2024-01-01T13:00:59", COLUMN_TIME},
        {"2024-01-01 13:00:59.5", COLUMN_TIME},
        {"2024-01-01 13:00:59.123456", COLUMN_TIME},
        {"2024-01-01 13:00:59.1234567", COLUMN_TEXT},
        {"2024-01-01 13:00:59.", COLUMN_TEXT},
        {"2024-01-01 13:00.5", COLUMN_TEXT},
        {"2024-01-01 24:00", COLUMN_TEXT},
        {"2024-01-01 13:60", COLUMN_TEXT},
        {"2024-01-01 13:00:60", COLUMN_TEXT},
        {"2024-01-01 13", COLUMN_TEXT},
        {"2024-01-01 13:00Z", COLUMN_TEXT},
        {"13:00", COLUMN_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (type(rows[i].text) != rows[i].type)
            fail_msg("'%s' is of type %d", rows[i].text, type(rows[i].text));
}

static void a_column_takes_the_widest(void **state) {
    static const struct {
        const char *values[3];
        enum column_type type;
    } rows[] = {
        {{"1", "1.5", ""}, COLUMN_REAL},
        {{"1.5", "1", "2"}, COLUMN_REAL},
        {{"1.5", "x", "2"}, COLUMN_TEXT},
        {{"", "", ""}, COLUMN_EMPTY},
        {{"", "2024-01-01", ""}, COLUMN_DATE},
        {{"2024-01-01", "2024-01-01 10:00", ""}, COLUMN_TIME},
        {{"2024-01-01", "7", ""}, COLUMN_TEXT},
        {{"7", "2024-01-01", ""}, COLUMN_TEXT},
        {{"1.5", "2024-01-01 10:00", ""}, COLUMN_TEXT},
        {{"x", "2024-01-01", "1"}, COLUMN_TEXT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (scan(rows[i].values, 3).type != rows[i].type)
            fail_msg("row %zu is of type %d", i, scan(rows[i].values, 3).type);
}

static void digits_are_counted(void **state) {
    static const char *const money[] = {"-12.5", "1000", "0.125"}, *const power[] = {"1", "1e5"};
    struct column_scan s = scan(money, 3);

    (void)state;
    assert_int_equal(s.whole, 4);
    assert_int_equal(s.frac, 3);
    assert_false(s.power);
    assert_true(scan(power, 2).power);
}

static void times_count_from_1970(void **state) {
    static const struct {
        const char *text;
        int64_t micros;
    } rows[] = {
        {"1970-01-01", 0},
        {"1969-12-31", -86400000000},
        {"2000-03-01", 951868800000000},
        {"2024-02-29 00:00", 1709164800000000},
        {"2024-12-31T23:59:59.25", 1735689599250000},
        {"9999-12-31 23:59:59.999999", 253402300799999999},
        {"0001-01-01", -62135596800000000},
    };
    int64_t got;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!column_time(view_str(rows[i].text), &got) || got != rows[i].micros)
            fail_msg("%s: %lld", rows[i].text, (long long)got);
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
        cmocka_unit_test(digits_are_counted),
        cmocka_unit_test(times_count_from_1970),
        cmocka_unit_test(names_are_distinct_and_never_empty),
        cmocka_unit_test(table_names_are_words),
        cmocka_unit_test(equal_names_get_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
