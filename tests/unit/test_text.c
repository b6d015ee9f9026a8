#include "core/text.c"
#include "tests/unit/unit.h"

#define FFFD "\xef\xbf\xbd"
#define ELL "\xe2\x80\xa6"

static void assert_safe(const char *in, size_t n, enum text_mode mode, size_t max,
                        const char *want) {
    cleanup_buf struct buf out = {0};
    struct safe_text t = text_safe(view_of(in, n), mode, max, &out);

    if (strcmp(t.s, want) != 0)
        fail_msg("'%s' became '%s', not '%s'", in, t.s, want);
    assert_int_equal(t.n, strlen(want));
}

static void line(const char *in, const char *want) {
    assert_safe(in, strlen(in), TEXT_LINE, 1000, want);
}

static void prose(const char *in, const char *want) {
    assert_safe(in, strlen(in), TEXT_PROSE, 1000, want);
}

static void plain_text_passes(void **state) {
    static const char *const same[] = {
        "Legal Llama 70B",
        "\xe6\xb3\x95\xe5\xbe\x8b",
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
        "caf\xc3\xa9",
        "cafe\xcc\x81",
        "\xf0\x9f\x98\x80",
        "",
        "~!@#$%^&*()",
        "\xe0\xb8\x99\xe0\xb9\x89\xe0\xb8\xb3",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(same); i++) {
        line(same[i], same[i]);
        prose(same[i], same[i]);
    }
}

/* What ncurses lets through to the terminal, and what it does not. */
static void terminal_control_never_passes(void **state) {
    (void)state;
    prose("a\x1b]0;title\x07z", "a]0;titlez");
    line("a\x1b[31mz", "a" FFFD "[31mz");
    prose("a\xc2\x9b"
          "31mz",
          "a31mz");                /* C1 CSI */
    prose("a\xc2\x85z\x7f", "az"); /* NEL, DEL */
    prose("a\xe2\x80\xaez", "az"); /* RLO */
    line("a\xe2\x81\xa6z\xe2\x81\xa9", "a" FFFD "z" FFFD);
    prose("a\xe2\x80\x8f\xe2\x80\x8b\xe2\x80\x8dz", "az"); /* RLM, ZWSP, ZWJ */
    prose("a\xf3\xa0\x81\x81z", "az");                     /* tag letter */
    prose("a\xef\xbb\xbfz", "az");                         /* BOM */
    prose("a\xe2\x80\xa8"
          "b\xe2\x80\xa9z",
          "abz");                  /* line and paragraph separator */
    prose("a\xee\x80\x80z", "az"); /* private use */
    prose("a\xcd\xb8z", "az");     /* unassigned */
    prose("a\xef\xbf\xbez", "az"); /* noncharacter */
}

static void invisible_text_never_passes(void **state) {
    (void)state;
    prose("a\xe1\x85\x9f\xe1\x85\xa0\xe3\x85\xa4\xef\xbe\xa0\xe2\xa0\x80z", "az");
    prose("a\xef\xb8\x8f\xf3\xa0\x84\x80z", "az"); /* variation selectors */
    line("Alice\xc2\xad", "Alice" FFFD);           /* soft hyphen */
}

static void white_space(void **state) {
    (void)state;
    line("  a \t\r\n b\xc2\xa0\xe3\x80\x80"
         "c  ",
         "a b c");
    line(" \t ", "");
    prose("a\tb", "a       b");
    prose("1234567\t8\n\tx", "1234567 8\n        x");
    prose("\xe6\xb3\x95\t|", "\xe6\xb3\x95      |"); /* two cells and six */
    prose("a\r\nb\r", "a\nb");
    prose("a\xc2\xa0"
          "b",
          "a b");
}

static void broken_utf8_is_replaced(void **state) {
    (void)state;
    prose("a\xffz", "a" FFFD "z");
    prose("\xc0\xaf", FFFD FFFD);
    prose("\xed\xa0\x80", FFFD FFFD FFFD); /* surrogate */
    prose("\xf0\x9f\x98", FFFD);           /* one maximal part */
    prose("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD);
    prose("\xe2\x82z", FFFD "z");
    line("\xff\xfe\xfd", FFFD); /* a run in a name is one sign */
    assert_safe("a\0z", 3, TEXT_PROSE, 10, "az");
    assert_safe("a\0z", 3, TEXT_LINE, 10, "a" FFFD "z");
}

static void marks_are_few_and_need_a_base(void **state) {
    static const char zalgo[] = "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84z";

    (void)state;
    prose(zalgo, "a\xcc\x81\xcc\x82z");
    line(zalgo, "a\xcc\x81\xcc\x82" FFFD "z");
    prose("\xcc\x81x", "x");
    prose("x\n\xcc\x81y", "x\ny");
    line("\xcc\x81x", FFFD "x");
}

static void a_cut_shows(void **state) {
    (void)state;
    assert_safe("abcd", 4, TEXT_LINE, 4, "abcd");
    assert_safe("abcde", 5, TEXT_LINE, 4, "abc" ELL);
    assert_safe("abcd   ", 7, TEXT_LINE, 4, "abcd");
    assert_safe("ab", 2, TEXT_LINE, 1, ELL);
    assert_safe("ab", 2, TEXT_LINE, 0, "");
    assert_safe("a\tb", 3, TEXT_PROSE, 3, "a " ELL);
}

static void the_buffer_is_replaced(void **state) {
    cleanup_buf struct buf out = {0};

    (void)state;
    (void)text_safe(view_str("long one"), TEXT_LINE, 100, &out);
    assert_string_equal(text_safe(view_str("x"), TEXT_LINE, 100, &out).s, "x");
    assert_string_equal(text_safe(view_of(NULL, 0), TEXT_LINE, 100, &out).s, "");
}

/* Whatever goes in, what comes out is valid, passes again unchanged, and holds no control. */
static void output_is_a_fixed_point(void **state) {
    uint32_t x = 12345;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        cleanup_buf struct buf once = {0}, twice = {0};
        enum text_mode mode = round % 2 ? TEXT_LINE : TEXT_PROSE;
        struct safe_text a, b;
        char in[64];
        size_t n = 0;

        while (n < sizeof in - 4) {
            x = x * 1664525 + 1013904223;
            if (x >> 30 == 0)
                in[n++] = (char)(x >> 8);
            else
                n += utf8_put(x >> 30 == 1 ? (x >> 8) % 0x110000 : (x >> 8) % 0x400, in + n);
        }
        a = text_safe(view_of(in, n), mode, 40, &once);
        assert_true(utf8_valid(view_of(a.s, a.n)));
        b = text_safe(view_of(a.s, a.n), mode, 40, &twice);
        if (mode == TEXT_LINE || !strchr(a.s, '\t'))
            assert_string_equal(a.s, b.s);
        for (size_t i = 0; i < a.n; i++)
            assert_true((uint8_t)a.s[i] >= 0x20 || (mode == TEXT_PROSE && a.s[i] == '\n'));
    }
}

static void every_code_point_has_a_width(void **state) {
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++)
        assert_in_range(cp_width(cp) + 1, 0, 3);
    assert_int_equal(cp_width('a'), 1);
    assert_int_equal(cp_width(0x6cd5), 2);
    assert_int_equal(cp_width(0x301), 0);
    assert_int_equal(cp_width(0x1b), -1);
    assert_int_equal(cp_width(0x202e), -1);
    assert_int_equal(cp_width(0xfffd), 1);
    assert_int_equal(cp_width(0x2026), 1);
    assert_int_equal(cp_width(0x2500), 1); /* box drawing */
    assert_int_equal(cp_width(0x1f600), 2);
    assert_int_equal(cp_width(0x110000), -1);
    assert_int_equal(text_width(view_str("a\xe6\xb3\x95\xcc\x81")), 3);
}

static void utf8_round_trips_every_code_point(void **state) {
    char s[4];

    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        size_t n = utf8_put(cp, s);
        bool surrogate = cp >= 0xd800 && cp < 0xe000;
        uint32_t back;

        assert_int_equal(utf8_next(view_of(s, n), &back), surrogate ? 0 : n);
        assert_int_equal(back, surrogate ? 0 : cp);
        assert_int_equal(utf8_valid(view_of(s, n)), !surrogate);
        if (n > 1)
            assert_false(utf8_valid(view_of(s, n - 1)));
    }
    assert_true(utf8_valid(view_of(NULL, 0)));
    assert_false(utf8_valid(view_str("12345678\xc1\x80")));
    assert_false(utf8_valid(view_str("\xe0\x9f\xbf")));
    assert_false(utf8_valid(view_str("\xf0\x8f\xbf\xbf")));
    assert_true(text_ascii_printable(view_str(" ~")));
    assert_false(text_ascii_printable(view_str("\x7f")));
}

static void file_names(void **state) {
    static const char *const rows[][2] = {
        {"report.csv", "report.csv"},
        {"../../etc/passwd", "passwd"},
        {"..\\..\\boot.ini", "boot.ini"},
        {"a/b/", "unnamed"},
        {"", "unnamed"},
        {".", "unnamed"},
        {"..", "unnamed"},
        {"...", "unnamed"},
        {"/", "unnamed"},
        {".bashrc", "bashrc"},
        {"-rf", "rf"},
        {" -.x", "x"},
        {"x. ", "x"},
        {"a\nb\tc", "a b c"},
        {"gpj.\xe2\x80\xaetxt", "gpj." FFFD "txt"},
        {"a\x1b[2Jb", "a" FFFD "[2Jb"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        cleanup_free char *got = file_name_safe(view_str(rows[i][0]));

        assert_string_equal(got, rows[i][1]);
    }
}

static void a_long_file_name_is_cut_between_signs(void **state) {
    cleanup_free char *got = NULL;
    char longer[297];

    (void)state;
    for (size_t i = 0; i < sizeof longer; i += 3)
        memcpy(longer + i, "\xe6\xb3\x95", 3);
    got = file_name_safe(view_of(longer, sizeof longer));
    assert_int_equal(strlen(got), 198);
    assert_true(utf8_valid(view_str(got)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_passes),
        cmocka_unit_test(terminal_control_never_passes),
        cmocka_unit_test(invisible_text_never_passes),
        cmocka_unit_test(white_space),
        cmocka_unit_test(broken_utf8_is_replaced),
        cmocka_unit_test(marks_are_few_and_need_a_base),
        cmocka_unit_test(a_cut_shows),
        cmocka_unit_test(the_buffer_is_replaced),
        cmocka_unit_test(output_is_a_fixed_point),
        cmocka_unit_test(every_code_point_has_a_width),
        cmocka_unit_test(utf8_round_trips_every_code_point),
        cmocka_unit_test(file_names),
        cmocka_unit_test(a_long_file_name_is_cut_between_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
