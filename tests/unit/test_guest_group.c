/* The parts of a control group that need no cgroup2: what is read from its files, and how much
 * memory is given out. The rest runs in real guests (tests/e2e/sandbox.sh). */
#include "guest/group.c"
#include "tests/unit/unit.h"

struct fixture {
    char dir[64];
    struct group g;
};

static void put(const struct fixture *f, const char *name, const char *text) {
    cleanup_free char *path = mem_fmt("%s/%s", f->dir, name);

    assert_int_equal(file_write(path, view_str(text), 0600, true, NULL), 0);
}

static int setup(void **state) {
    struct fixture *f = mem_new(sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/cdvm-group.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->g = (struct group){.dir = f->dir, .fd = -1, .events = -1, .limits = {64 * MIB, 4}};
    put(f, "memory.events", "low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n");
    put(f, "pids.events", "max 0\n");
    *state = f;
    return 0;
}

static int teardown(void **state) {
    static const char *const names[] = {"memory.events", "pids.events", "meminfo"};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(names); i++) {
        cleanup_free char *path = mem_fmt("%s/%s", f->dir, names[i]);

        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

static void a_limit_that_was_met_is_named(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_int_equal(group_breach(&f->g, &e), 0);
    put(f, "pids.events", "max 3\n");
    assert_int_equal(group_breach(&f->g, &e), -1);
    assert_string_equal(e.code, "workload-processes");
    assert_non_null(strstr(e.text, "more than 4 processes"));
    put(f, "memory.events", "low 0\nmax 7\noom 1\noom_kill 1\n");
    assert_int_equal(group_breach(&f->g, &e), -1);
    assert_string_equal(e.code, "workload-memory");
    assert_non_null(strstr(e.text, "64 MiB"));
}

/* oom_kill is not oom, nor oom_group_kill. */
static void keys_are_whole_words(void **state) {
    struct fixture *f = *state;
    struct err e;

    put(f, "memory.events", "oom 1\noom_group_kill 1\n");
    assert_int_equal(group_breach(&f->g, &e), 0);
    put(f, "memory.events", "");
    put(f, "pids.events", "maximum 5\n");
    assert_int_equal(group_breach(&f->g, &e), 0);
}

static void memory_is_what_is_left(void **state) {
    struct fixture *f = *state;
    cleanup_free char *path = mem_fmt("%s/meminfo", f->dir);

    put(f, "meminfo", "MemTotal:  500000 kB\nMemAvailable:   204800 kB\nBuffers: 1 kB\n");
    assert_int_equal(group_memory(path, 100 * MIB, 64 * MIB), 100 * MIB);
    assert_int_equal(group_memory(path, 500 * MIB, 64 * MIB), 136 * MIB);
    assert_int_equal(group_memory(path, 500 * MIB, 200 * MIB), 0);
    assert_int_equal(group_memory(path, 500 * MIB, 300 * MIB), 0);
    put(f, "meminfo", "MemTotal:  500000 kB\n");
    assert_int_equal(group_memory(path, 500 * MIB, 0), 0); /* unknown is nothing */
}

static void without_cgroup2_there_is_no_group(void **state) {
    struct fixture *f = *state;
    struct err e;

    assert_null(group_new("/nowhere", &f->g.limits, &e));
    assert_string_equal(e.code, "system");
    group_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_limit_that_was_met_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_whole_words, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_what_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(without_cgroup2_there_is_no_group, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
