#include "core/conf_dir.c"

#include "tests/unit/unit.h"

static char root[64];

static int make_root(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++)
        unsetenv(places[i].env);
    snprintf(root, sizeof root, "/tmp/cdvm-test-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    return setenv("HOME", root, 1) | setenv("TMPDIR", root, 1);
}

static int remove_root(void **state) {
    (void)state;
    return remove_tree(root);
}

/* The path under our root, made and closed to others. */
static void assert_folder(const char *got, const char *under) {
    cleanup_free char *want = mem_fmt("%s/%s", root, under);
    struct stat st;

    assert_non_null(got);
    assert_string_equal(got, want);
    assert_int_equal(stat(got, &st), 0);
    assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
}

static void defaults_lie_under_home(void **state) {
    cleanup_free char *config = conf_path(CONF_CONFIG, NULL, NULL);
    cleanup_free char *data = conf_path(CONF_DATA, NULL, NULL);
    cleanup_free char *st = conf_path(CONF_STATE, NULL, NULL);
    cleanup_free char *cache = conf_path(CONF_CACHE, NULL, NULL);
    cleanup_free char *file = conf_path(CONF_CONFIG, "cdvm.conf", NULL);
    cleanup_free char *want = mem_fmt("%s/.config/cdvm/cdvm.conf", root);

    (void)state;
    assert_folder(config, ".config/cdvm");
    assert_folder(data, ".local/share/cdvm");
    assert_folder(st, ".local/state/cdvm");
    assert_folder(cache, ".cache/cdvm");
    assert_string_equal(file, want);
}

static void variables_win_unless_relative(void **state) {
    cleanup_free char *other = mem_fmt("%s/a/b", root), *got = NULL, *again = NULL;

    (void)state;
    setenv("XDG_DATA_HOME", other, 1);
    got = conf_path(CONF_DATA, NULL, NULL);
    assert_folder(got, "a/b/cdvm");
    setenv("XDG_DATA_HOME", "a/b", 1);
    again = conf_path(CONF_DATA, NULL, NULL);
    assert_folder(again, ".local/share/cdvm");
}

static void who_reads_only_makes_nothing(void **state) {
    cleanup_free char *home = mem_fmt("%s/empty", root), *want = mem_fmt("%s/cdvm/a.conf", home);
    cleanup_free char *got = NULL;

    (void)state;
    setenv("XDG_CONFIG_HOME", home, 1);
    got = conf_place(CONF_CONFIG, "a.conf", NULL);
    assert_string_equal(got, want);
    assert_int_equal(access(home, F_OK), -1);
}

static void runtime_falls_back_to_a_private_folder(void **state) {
    cleanup_free char *own = mem_fmt("cdvm-%u", (unsigned)geteuid());
    cleanup_free char *got = conf_path(CONF_RUNTIME, NULL, NULL), *in = NULL;
    cleanup_free char *again = NULL;

    (void)state;
    assert_folder(got, own);
    setenv("XDG_RUNTIME_DIR", root, 1); /* mkdtemp made it 0700 */
    in = conf_path(CONF_RUNTIME, NULL, NULL);
    assert_folder(in, "cdvm");
    setenv("XDG_RUNTIME_DIR", "/nowhere", 1);
    again = conf_path(CONF_RUNTIME, NULL, NULL);
    assert_folder(again, own);
}

static void an_open_or_foreign_runtime_folder_is_refused(void **state) {
    cleanup_free char *own = mem_fmt("%s/cdvm-%u", root, (unsigned)geteuid());
    struct err e;

    (void)state;
    assert_int_equal(mkdir(own, 0700), 0);
    assert_int_equal(chmod(own, 0755), 0);
    assert_null(conf_path(CONF_RUNTIME, NULL, &e));
    assert_string_equal(e.code, "unsafe-folder");
    assert_int_equal(rmdir(own), 0);
    assert_int_equal(symlink(root, own), 0);
    assert_null(conf_path(CONF_RUNTIME, NULL, &e));
    assert_string_equal(e.code, "unsafe-folder");
}

static void what_cannot_be_made_is_named(void **state) {
    cleanup_free char *file = mem_fmt("%s/file", root), *under = mem_fmt("%s/deep", file);
    struct err e;

    (void)state;
    assert_int_equal(file_write(file, view_str("x"), 0600, false, &e), 0);
    setenv("XDG_CACHE_HOME", under, 1);
    assert_null(conf_path(CONF_CACHE, NULL, &e));
    assert_non_null(strstr(e.text, "/file/deep"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_lie_under_home, make_root, remove_root),
        cmocka_unit_test_setup_teardown(variables_win_unless_relative, make_root, remove_root),
        cmocka_unit_test_setup_teardown(who_reads_only_makes_nothing, make_root, remove_root),
        cmocka_unit_test_setup_teardown(runtime_falls_back_to_a_private_folder, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(an_open_or_foreign_runtime_folder_is_refused, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(what_cannot_be_made_is_named, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
