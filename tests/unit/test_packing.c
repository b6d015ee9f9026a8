/* What an image says in its own words: its program, its user; and what is put into every volume. */
#include "provider/packing.c"

#include "tests/unit/unit.h"

struct fixture {
    char dir[64];
    struct stage *s;
    struct err e;
};

static void put(struct fixture *f, const char *name, const char *text, bool executable) {
    int fd = stage_file(f->s, name, executable, &f->e);

    assert_true(fd >= 0);
    assert_int_equal(stage_write(f->s, fd, view_str(text), &f->e), 0);
    close(fd);
}

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-test-packing-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    f.s = packing_stage(f.dir, "x", 1 << 20, &f.e);
    assert_non_null(f.s);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    stage_free(f->s);
    assert_int_equal(rmdir(f->dir), 0);
    return 0;
}

static void a_program_is_found_as_the_image_would(void **state) {
    static const struct {
        const char *word, *cwd, *path, *want;
    } rows[] = {
        {"run", "", "/bin:/usr/bin", "/usr/bin/run"},
        {"run", "", "/nowhere:/opt/link:/usr/bin", "/opt/link/run"},
        {"/usr/bin/run", "", "", "/usr/bin/run"},
        {"./run", "/usr/bin", "/bin", "/usr/bin/./run"},
        {"data", "", "/usr/bin", NULL}, /* not executable */
        {"none", "", "/usr/bin", NULL},
        {"run", "", "usr/bin::", NULL}, /* relative parts of PATH do not count */
        {"/usr/bin", "", "", NULL},
        {"/etc/passwd", "", "", NULL},
        {"sh", "", "/host", NULL}, /* a link out of the image leads nowhere */
    };
    struct fixture *f = *state;

    put(f, "usr/bin/run", "#!", true);
    put(f, "usr/bin/data", "x", false);
    assert_int_equal(stage_symlink(f->s, "opt/link", "/usr/bin", &f->e), 0);
    assert_int_equal(stage_symlink(f->s, "host", "../../../../../../../../bin", &f->e), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *got = packing_program(f->s, rows[i].word, rows[i].cwd, rows[i].path, &f->e);

        if ((got == NULL) != (rows[i].want == NULL) || (got && strcmp(got, rows[i].want)))
            fail_msg("row %zu: %s", i, got ? got : f->e.text);
        free(got);
    }
}

static void a_user_is_a_number(void **state) {
    static const struct {
        const char *user;
        uint64_t uid;
    } rows[] = {{"1234", 1234}, {"1234:5", 1234}, {"app", 1500}, {"app:staff", 1500}, {"ap", 0},
                {"none", 0},    {"", 0},          {"root", 0},   {"odd", 0},          {":1", 0}};
    struct fixture *f = *state;

    put(f, "etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:1500:1500::/:\nodd\nodd:\n", false);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (packing_user(f->s, rows[i].user) != rows[i].uid)
            fail_msg("row %zu", i);
    assert_int_equal(stage_remove(f->s, "etc/passwd", &f->e), 0);
    assert_int_equal(packing_user(f->s, "app"), 0);
}

static void the_places_of_ours_are_ours(void **state) {
    struct fixture *f = *state;
    cleanup_buf struct buf job = {0};
    struct stat st;

    assert_int_equal(stage_symlink(f->s, "cdvm", "/etc", &f->e), 0);
    assert_int_equal(stage_symlink(f->s, "out", "/nowhere", &f->e), 0);
    put(f, "tmp/left", "x", false);
    put(f, "in", "a file", false);
    buf_str(&job, "{}");
    assert_int_equal(packing_furnish(f->s, &job, &f->e), 0);
    for (size_t i = 0; i < 4; i++) {
        static const char *const names[] = {"cdvm", "out", "tmp", "in"};
        cleanup_free char *path = mem_fmt("%s/%s", stage_path(f->s), names[i]);

        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISDIR(st.st_mode));
    }
    assert_int_equal(stage_open(f->s, "tmp/left"), -1);
    assert_int_equal(access("/etc/job.json", F_OK), -1);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(a_program_is_found_as_the_image_would),
        CASE(a_user_is_a_number),
        CASE(the_places_of_ours_are_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
