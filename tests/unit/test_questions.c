#include "tui/questions.c"
#include "tests/unit/unit.h"

static struct questions q;
static struct err e;

static int tear_down(void **state) {
    (void)state;
    questions_free(&q);
    return 0;
}

static bool parse(const char *text) {
    questions_free(&q);
    return questions_parse(view_str(text), &q, &e) == 0;
}

static void one_a_line(void **state) {
    (void)state;
    assert_true(parse("first\n\n  \t\nsecond\r\nlast"));
    assert_int_equal(q.n, 3);
    assert_string_equal(q.v[0], "first");
    assert_string_equal(q.v[1], "second");
    assert_string_equal(q.v[2], "last");
}

static void a_backslash_goes_on(void **state) {
    (void)state;
    assert_true(parse("SELECT a\\\nFROM t\\\r\nWHERE b\nnext\\"));
    assert_int_equal(q.n, 2);
    assert_string_equal(q.v[0], "SELECT a\nFROM t\nWHERE b");
    assert_string_equal(q.v[1], "next\\"); /* nothing comes after it */
}

static void what_is_no_file_of_questions(void **state) {
    cleanup_free char *lines = mem_new(2 * (QUESTIONS_MAX + 1) + 1), *text = NULL;

    (void)state;
    assert_false(parse(""));
    assert_false(parse(" \n\n\t"));
    assert_false(parse("a\xff"));
    assert_int_equal(questions_parse(view_of("a\0b", 3), &q, &e), -1);
    for (size_t i = 0; i <= QUESTIONS_MAX; i++)
        memcpy(lines + 2 * i, "q\n", 2);
    assert_false(parse(lines));
    lines[2 * QUESTIONS_MAX] = 0;
    assert_true(parse(lines));
    text = mem_new(MSG_CONTENT_MAX + 3);
    memset(text, 'x', MSG_CONTENT_MAX + 1);
    assert_false(parse(text));
    assert_string_equal(e.code, "too-large");
}

int main(void) {
#define T(f) cmocka_unit_test_teardown(f, tear_down)
    const struct CMUnitTest tests[] = {
        T(one_a_line),
        T(a_backslash_goes_on),
        T(what_is_no_file_of_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
