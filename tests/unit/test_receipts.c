/* A folder of saved bundles, among them files that are none. */
#include "tui/receipts.c"

#include "tests/unit/unit.h"
#include "tests/unit/saved.h"

static char dir[64];
static struct receipts *r;

static char *path_in(const char *name) {
    return mem_fmt("%s/%s", dir, name);
}

static void put(const char *name, struct view text, int64_t when) {
    cleanup_free char *path = path_in(name);
    struct timespec at[2] = {{.tv_sec = when}, {.tv_sec = when}};
    struct err e;

    assert_int_equal(file_write(path, text, 0600, true, &e), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

static void put_copy(const char *name, const char *of, int64_t when) {
    cleanup_buf struct buf text = {0};
    struct err e;

    assert_int_equal(file_read(of, BUNDLE_MAX, &text, &e), 0);
    put(name, buf_view(&text), when);
}

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/cdvm-receipts-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    r = receipts_new(dir);
    return 0;
}

static int tear_down(void **state) {
    cleanup_free char *all = mem_fmt("%s", dir);
    DIR *d = opendir(all);
    struct dirent *ent;

    (void)state;
    while (d && (ent = readdir(d)))
        if (ent->d_name[0] != '.' || strlen(ent->d_name) > 2)
            (void)!unlinkat(dirfd(d), ent->d_name, 0);
    if (d)
        closedir(d);
    rmdir(all);
    receipts_free(r);
    return 0;
}

static void scan(size_t want) {
    struct err e = {0};

    if (receipts_scan(r, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(receipts_count(r), want);
}

static void read_all(void) {
    while (receipts_next(r, 0, 100, saved_judge, NULL, (int64_t)1800000000))
        continue;
}

static void the_newest_comes_first(void **state) {
    (void)state;
    put_copy("a.json", SAVED_FIRST, 1000);
    put_copy("b.json", SAVED_SECOND, 2000);
    scan(2);
    assert_string_equal(receipts_at(r, 0)->name, "b.json");
    assert_false(receipts_at(r, 0)->read);
    assert_null(receipts_at(r, 2));
    read_all();
    assert_string_equal(receipts_at(r, 0)->why, "");
    assert_string_equal(receipts_at(r, 0)->provider_name, "tabula");
    assert_string_equal(receipts_at(r, 0)->then, "SIMULATED PASS");
    assert_string_equal(receipts_at(r, 0)->policy, "demo");
    assert_true(receipts_at(r, 0)->judged && receipts_at(r, 0)->simulated);
    assert_int_equal(receipts_at(r, 0)->now, CHECK_WARN); /* covers less */
    assert_int_equal(receipts_at(r, 1)->now, CHECK_PASS);
    assert_true(receipts_at(r, 1)->accepted > 0 && receipts_at(r, 1)->has_receipt);
}

/* Each gets a sentence, none does harm, and what is no file of ours is not looked at. */
static void files_that_are_none(void **state) {
    static const char *const bad[] = {
        "", "{}", "not json", "[]", "{\"v\":1}", "\xff\xfe\x00", "{\"v\":1,\"hello\":{}}"};
    cleanup_free char *link = path_in("link.json"), *folder = path_in("folder.json");

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        cleanup_free char *name = mem_fmt("bad%zu.json", i);

        put(name, view_str(bad[i]), 1000 + (int64_t)i);
    }
    put("notes.txt", view_str("x"), 1);
    put(".hidden.json", view_str("x"), 1);
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    scan(COUNT(bad));
    read_all();
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bundle b;
        struct err e;

        assert_true(strlen(receipts_at(r, i)->why) > 10);
        assert_false(receipts_at(r, i)->judged);
        assert_int_equal(receipts_open(r, i, &b, &e), -1);
        assert_null(b.offer);
    }
    rmdir(folder);
}

static void too_large_is_said(void **state) {
    cleanup_free char *big = mem_new(BUNDLE_MAX + 1);

    (void)state;
    memset(big, ' ', BUNDLE_MAX);
    put("big.json", view_of(big, BUNDLE_MAX + 1), 1000);
    scan(1);
    read_all();
    assert_true(strlen(receipts_at(r, 0)->why) > 10);
}

/* A bundle cut off anywhere is no bundle, and no crash. */
static void every_prefix_is_refused(void **state) {
    cleanup_buf struct buf text = {0};
    struct err e;

    (void)state;
    assert_int_equal(file_read(SAVED_FIRST, BUNDLE_MAX, &text, &e), 0);
    for (size_t n = 0; n < text.n; n += 997) {
        put("cut.json", view_of(text.p, n), 1000 + (int64_t)n);
        scan(1);
        read_all();
        assert_true(*receipts_at(r, 0)->why);
    }
}

static void what_is_known_is_kept(void **state) {
    (void)state;
    put_copy("a.json", SAVED_FIRST, 1000);
    scan(1);
    read_all();
    put_copy("b.json", SAVED_SECOND, 2000);
    scan(2);
    assert_false(receipts_at(r, 0)->read);
    assert_true(receipts_at(r, 1)->read);
    put_copy("a.json", SAVED_SECOND, 3000); /* another file under its name */
    scan(2);
    assert_false(receipts_at(r, 0)->read);
    assert_string_equal(receipts_at(r, 0)->name, "a.json");
}

static void deleted_by_its_name(void **state) {
    struct err e;

    (void)state;
    put_copy("a.json", SAVED_FIRST, 1000);
    put_copy("b.json", SAVED_SECOND, 2000);
    scan(2);
    assert_int_equal(receipts_delete(r, "a.json", &e), 0);
    assert_int_equal(receipts_count(r), 1);
    assert_string_equal(receipts_at(r, 0)->name, "b.json");
    assert_int_equal(receipts_delete(r, "a.json", &e), -1);
    assert_string_equal(e.code, "not-deleted");
}

static void folders_that_are_not_there(void **state) {
    struct receipts *none = receipts_new(NULL), *absent = receipts_new("/nonexistent/x");
    struct receipts *file = receipts_new("LICENSE");
    struct err e;

    (void)state;
    assert_int_equal(receipts_scan(none, &e), 0);
    assert_int_equal(receipts_scan(absent, &e), 0);
    assert_int_equal(receipts_count(none) + receipts_count(absent), 0);
    assert_int_equal(receipts_scan(file, &e), -1);
    assert_string_equal(e.code, "no-folder");
    receipts_free(none);
    receipts_free(absent);
    receipts_free(file);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_newest_comes_first),     T(files_that_are_none),   T(too_large_is_said),
        T(every_prefix_is_refused),    T(what_is_known_is_kept), T(deleted_by_its_name),
        T(folders_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
