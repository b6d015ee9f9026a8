#include "tui/marks.c"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char dir[] = "/tmp/cdvm-marks-XXXXXX", path[64];

static struct marks *opened(void) {
    struct err note = {0};
    struct marks *m = marks_new(path, &note);

    assert_string_equal(note.text, "");
    return m;
}

static void set(struct marks *m, uint8_t who, enum mark mark, const char *name) {
    uint8_t key[32] = {who};
    struct err e;

    if (marks_set(m, key, mark, name, 1000 + who, &e) != 0)
        fail_msg("%s", e.text);
}

static enum mark get(const struct marks *m, uint8_t who) {
    uint8_t key[32] = {who};

    return marks_get(m, key);
}

static void marks_outlive_the_program(void **st) {
    struct marks *m = opened();
    struct stat sb;

    (void)st;
    set(m, 9, MARK_FAVOURITE, "nine\nlives");
    set(m, 1, MARK_MUTED, "one");
    set(m, 5, MARK_FAVOURITE, "");
    set(m, 5, MARK_NONE, "");
    marks_free(m);
    m = opened();
    assert_int_equal(get(m, 9), MARK_FAVOURITE);
    assert_int_equal(get(m, 1), MARK_MUTED);
    assert_int_equal(get(m, 5), MARK_NONE);
    assert_int_equal(marks_count(m), 2);
    assert_string_equal(marks_at(m, 1)->name, "nine lives");
    assert_int_equal(marks_at(m, 1)->when, 1009);
    assert_null(marks_at(m, 2));
    set(m, 9, MARK_MUTED, ""); /* the name that is known stays */
    assert_string_equal(marks_at(m, 1)->name, "nine lives");
    marks_free(m);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0600);
}

/* A line of rubbish costs nothing, and is there afterwards. */
static void damage_costs_no_more_than_its_line(void **st) {
    static const char TEXT[] =
        "0300000000000000000000000000000000000000000000000000000000000000 favourite 77 three\n"
        "04000000000000000000000000000000000000000000000000000000000000 favourite 77 short\n"
        "0500000000000000000000000000000000000000000000000000000000000000 adored 77 five\n"
        "\x01\x02 \xff\n"
        "0600000000000000000000000000000000000000000000000000000000000000 muted";
    cleanup_buf struct buf now = {0};
    struct marks *m;
    struct err e;

    (void)st;
    assert_int_equal(file_write(path, view_str(TEXT), 0600, true, &e), 0);
    m = opened();
    assert_int_equal(marks_count(m), 1);
    assert_int_equal(get(m, 3), MARK_FAVOURITE);
    set(m, 7, MARK_MUTED, "seven");
    marks_free(m);
    assert_int_equal(file_read(path, 10000, &now, &e), 0);
    assert_non_null(strstr((char *)now.p, " adored 77 five\n"));
    assert_non_null(strstr((char *)now.p, "\x01\x02 \xff\n"));
    assert_non_null(strstr((char *)now.p, " favourite 77 three\n"));
    assert_non_null(strstr((char *)now.p, " muted 1007 seven\n"));
}

/* Two programs at once: neither undoes what the other has done. */
static void two_programs_agree(void **st) {
    struct marks *a = opened(), *b = opened();

    (void)st;
    set(a, 1, MARK_FAVOURITE, "one");
    set(b, 2, MARK_FAVOURITE, "two");
    set(a, 1, MARK_NONE, "");
    assert_int_equal(get(a, 2), MARK_FAVOURITE);
    set(b, 3, MARK_MUTED, "three");
    assert_int_equal(get(b, 1), MARK_NONE);
    assert_int_equal(marks_count(b), 2);
    marks_free(a);
    marks_free(b);
}

static void what_cannot_be_written_has_not_happened(void **st) {
    struct err note = {0}, e;
    struct marks *m = marks_new("/nonexistent/marks", &note);
    uint8_t key[32] = {1};

    (void)st;
    assert_int_equal(marks_set(m, key, MARK_MUTED, "x", 1, &e), -1);
    assert_non_null(strstr(e.text, "not remembered"));
    assert_int_equal(get(m, 1), MARK_NONE);
    marks_free(m);
    m = marks_new(NULL, &note);
    set(m, 1, MARK_MUTED, "of this run");
    assert_int_equal(get(m, 1), MARK_MUTED);
    marks_free(m);
}

static void a_full_list_says_so(void **st) {
    struct err note = {0}, e;
    struct marks *m = marks_new(NULL, &note);
    uint8_t key[32] = {0};

    (void)st;
    for (unsigned i = 0; i < MARKS_MAX; i++) {
        key[0] = (uint8_t)i;
        key[1] = (uint8_t)(i >> 8);
        assert_int_equal(marks_set(m, key, MARK_MUTED, "", 1, &e), 0);
    }
    key[2] = 1;
    assert_int_equal(marks_set(m, key, MARK_FAVOURITE, "", 1, &e), -1);
    assert_string_equal(e.code, "too-many");
    assert_int_equal(marks_count(m), MARKS_MAX);
    key[2] = 0;
    assert_int_equal(marks_set(m, key, MARK_FAVOURITE, "", 1, &e), 0); /* one that is there */
    marks_free(m);
}

static int tear_down(void **st) {
    cleanup_free char *lock = mem_fmt("%s.lock", path);

    (void)st;
    unlink(path);
    unlink(lock);
    return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_teardown(f, tear_down)
    const struct CMUnitTest tests[] = {
        T(marks_outlive_the_program), T(damage_costs_no_more_than_its_line),
        T(two_programs_agree),        T(what_cannot_be_written_has_not_happened),
        T(a_full_list_says_so),
    };
    int rc;

    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/marks", dir);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return rc;
}
