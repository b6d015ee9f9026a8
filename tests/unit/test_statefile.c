#include "tui/statefile.c"

#include <sys/stat.h>

#include "tests/unit/unit.h"

static char dir[] = "/tmp/cdvm-state-XXXXXX", path[64];

/* Understands lines that begin with "ok". */
static bool take_ok(void *arg, struct view line) {
    if (line.n < 2 || memcmp(line.p, "ok", 2) != 0)
        return false;
    buf_fmt(arg, "%.*s\n", (int)line.n, (const char *)line.p);
    return true;
}

static void put_file(const char *text) {
    struct err e;

    assert_int_equal(file_write(path, view_str(text), 0600, true, &e), 0);
}

static void expect_file(const char *text) {
    cleanup_buf struct buf got = {0};
    struct stat st;
    struct err e;

    assert_int_equal(file_read(path, 1 << 20, &got, &e), 0);
    assert_true(view_is(buf_view(&got), text));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void absent_is_empty(void **st) {
    cleanup_buf struct buf took = {0};
    struct statefile f;
    struct err e;

    (void)st;
    statefile_init(&f, path);
    assert_int_equal(statefile_read(&f, take_ok, &took, &e), 0);
    assert_int_equal(took.n, 0);
    statefile_free(&f);
}

/* Lines of a newer version, or of nobody: they stay, whoever writes. */
static void what_is_not_understood_stays(void **st) {
    cleanup_buf struct buf took = {0};
    struct statefile f;
    struct err e;

    (void)st;
    put_file("ok one\n\nfuture line\nok two\nhalf a li");
    statefile_init(&f, path);
    assert_int_equal(statefile_begin(&f, take_ok, &took, &e), 0);
    assert_true(view_is(buf_view(&took), "ok one\nok two\n"));
    assert_int_equal(statefile_end(&f, view_str("ok three\n"), &e), 0);
    expect_file("future line\nhalf a li\nok three\n");
    statefile_free(&f);
}

/* Something lies where the file should be: it is said, and nothing is written over it. */
static void what_cannot_be_read_is_left_alone(void **st) {
    cleanup_buf struct buf took = {0}, large = {0};
    struct statefile f;
    struct stat sb;
    struct err e;

    (void)st;
    buf_init(&large, STATEFILE_MAX + 2);
    for (size_t i = 0; i <= STATEFILE_MAX; i++)
        buf_u8(&large, 'o');
    assert_int_equal(file_write(path, buf_view(&large), 0600, true, &e), 0);
    statefile_init(&f, path);
    assert_int_equal(statefile_read(&f, take_ok, &took, &e), -1);
    assert_string_equal(e.code, "too-large");
    assert_int_equal(statefile_begin(&f, take_ok, &took, &e), -1);
    assert_int_equal(f.lock, -1);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_size, STATEFILE_MAX + 1);
    statefile_free(&f);
}

/* Two programs: the second waits a little, then says so; and both changes are there in the end. */
static void two_take_turns(void **st) {
    cleanup_buf struct buf took = {0}, other = {0};
    struct statefile f, g;
    struct err e;

    (void)st;
    put_file("ok one\n");
    statefile_init(&f, path);
    statefile_init(&g, path);
    assert_int_equal(statefile_begin(&f, take_ok, &took, &e), 0);
    assert_int_equal(statefile_begin(&g, take_ok, &other, &e), -1);
    assert_string_equal(e.code, "busy");
    buf_str(&took, "ok two\n");
    assert_int_equal(statefile_end(&f, buf_view(&took), &e), 0);
    assert_int_equal(statefile_begin(&g, take_ok, &other, &e), 0);
    assert_true(view_is(buf_view(&other), "ok one\nok two\n"));
    assert_int_equal(statefile_end(&g, (struct view){0}, &e), 0); /* nothing changed */
    expect_file("ok one\nok two\n");
    statefile_free(&f);
    statefile_free(&g);
}

static void words_and_numbers(void **st) {
    struct view line = view_str("a 12 - x1");
    int64_t n;

    (void)st;
    assert_true(view_is(statefile_word(&line), "a"));
    assert_true(statefile_number(statefile_word(&line), &n) && n == 12);
    assert_true(statefile_number(statefile_word(&line), &n) && n == -1);
    assert_false(statefile_number(statefile_word(&line), &n));
    assert_int_equal(statefile_word(&line).n, 0);
    assert_false(statefile_number(view_str("99999999999999999999999999"), &n));
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
        T(absent_is_empty),
        T(what_is_not_understood_stays),
        T(what_cannot_be_read_is_left_alone),
        T(two_take_turns),
        T(words_and_numbers),
    };
    int rc;

    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/file", dir);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return rc;
}
