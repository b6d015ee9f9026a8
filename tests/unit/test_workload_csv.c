#include "guest/workloads/lib/csv.c"
#include "tests/unit/unit.h"

/* All rows, fields joined by '|', rows by '/'; an error as "!sentence". A quoted field is in <>. */
static char *read_all(struct view v) {
    cleanup_buf struct buf out = {0};
    struct csv_row row;
    struct err e = {0};
    struct csv *c = csv_new(v, &e);
    int rc = c ? 1 : -1;

    while (c && (rc = csv_next(c, &row, &e)) == 1) {
        for (size_t i = 0; i < row.n; i++) {
            buf_str(&out, i ? "|" : "");
            buf_str(&out, row.field[i].quoted ? "<" : "");
            buf_add(&out, row.field[i].text.p, row.field[i].text.n);
            buf_str(&out, row.field[i].quoted ? ">" : "");
        }
        buf_str(&out, "/");
    }
    if (rc < 0) {
        assert_string_equal(e.code, "bad-csv");
        buf_fmt(&out, "!%s", e.text);
    }
    csv_free(c);
    buf_str(&out, "");
    return buf_take(&out);
}

static void check(const char *in, const char *want) {
    cleanup_free char *got = read_all(view_str(in));

    assert_string_equal(got, want);
}

static void plain_rows(void **state) {
    (void)state;
    check("a,b\n1,2\n3,4\n", "a|b/1|2/3|4/");
    check("a,b\n1,2", "a|b/1|2/");
    check("a\n1\n", "a/1/");
    check("a,b\n,\n", "a|b/|/");
}

static void line_ends_of_every_kind(void **state) {
    (void)state;
    check("a,b\r\n1,2\r\n", "a|b/1|2/");
    check("a,b\r1,2\r", "a|b/1|2/");
    check("\n\na,b\n\n1,2\n\n", "a|b/1|2/");
}

static void a_byte_order_mark_is_no_text(void **state) {
    (void)state;
    check("\xef\xbb\xbfname,b\n1,2\n", "name|b/1|2/");
}

static void quotes(void **state) {
    (void)state;
    check("a,b\n\"x, y\",\"say \"\"hi\"\"\"\n", "a|b/<x, y>|<say \"hi\">/");
    check("a,b\n\"two\nlines\",\"\"\n", "a|b/<two\nlines>|<>/");
    check("a,b\n5\" pipe,x\n", "a|b/5\" pipe|x/"); /* a quote inside plain text is text */
    check("\"a\",\"b\"\r\n\"1\",2\r\n", "<a>|<b>/<1>|2/");
}

static void other_separators(void **state) {
    (void)state;
    check("a;b;c\n1,5;2;3\n", "a|b|c/1,5|2|3/");
    check("a\tb\n1\t2\n", "a|b/1|2/");
    check("a|b\n1|2\n", "a|b/1|2/");
    check("\"x;y;z\",b\n1,2\n", "<x;y;z>|b/1|2/"); /* those inside quotes do not count */
}

static void errors_name_the_line(void **state) {
    (void)state;
    check("a,b\n1\n", "a|b/!line 2 has 1 field where the header has 2");
    check("a,b\n1,2\n1,2,3\n", "a|b/1|2/!line 3 has 3 fields where the header has 2");
    check("a,b\n\"x\ny\",2\n1\n", "a|b/<x\ny>|2/!line 4 has 1 field where the header has 2");
    check("a,b\n1,\"2\n", "a|b/!line 2: a quote is opened and never closed");
    check("a,b\n\"1\"x,2\n", "a|b/!line 2: text behind a closing quote");
    check("a,b\n1,\xff\n", "a|b/!line 2 is not UTF-8 text: save the file as UTF-8");
}

static void what_is_no_csv_says_so(void **state) {
    static const uint8_t nul[] = {'a', ',', 'b', '\n', 'x', 0, ',', '1', '\n'};
    cleanup_free char *got = read_all(view_of(nul, sizeof nul));

    (void)state;
    assert_string_equal(got, "a|b/!line 2 has a NUL byte: this is not a CSV file");
    check("", "!the file is empty");
    check("\xff\xfe"
          "a",
          "!the file is UTF-16 text: save it as UTF-8");
    check("PK\x03\x04...", "!the file is a ZIP archive or a spreadsheet: export it as CSV");
    check("\n\r\n", "");
}

static void limits_hold(void **state) {
    cleanup_buf struct buf b = {0};
    cleanup_free char *got = NULL, *wide = NULL;

    (void)state;
    buf_str(&b, "a\n");
    for (size_t i = 0; i < CSV_FIELD_MAX + 1; i++)
        buf_u8(&b, 'x');
    got = read_all(buf_view(&b));
    assert_non_null(strstr(got, "!line 2: a field of more than"));
    buf_reset(&b);
    for (int i = 0; i < CSV_COLUMNS_MAX; i++)
        buf_str(&b, ",");
    wide = read_all(buf_view(&b));
    assert_non_null(strstr(wide, "has more than 1000 fields"));
}

static void rewinding_starts_over(void **state) {
    struct csv *c = csv_new(view_str("a,b\n1,2\n"), NULL);
    struct csv_row row;

    (void)state;
    assert_int_equal(csv_next(c, &row, NULL), 1);
    assert_int_equal(csv_next(c, &row, NULL), 1);
    assert_int_equal(row.line, 2);
    csv_rewind(c);
    assert_int_equal(csv_next(c, &row, NULL), 1);
    assert_int_equal(row.line, 1);
    assert_true(row.field[0].text.p[0] == 'a');
    csv_free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_rows),
        cmocka_unit_test(line_ends_of_every_kind),
        cmocka_unit_test(a_byte_order_mark_is_no_text),
        cmocka_unit_test(quotes),
        cmocka_unit_test(other_separators),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(what_is_no_csv_says_so),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(rewinding_starts_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
