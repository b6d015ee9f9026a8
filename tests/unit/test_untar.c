/* Layers and archives into a stage: what they add, what they take away, what is refused. */
#include "provider/untar.c"

#include <archive.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/unit/unit.h"

#define MAX_BYTES ((uint64_t)1 << 20)

struct fixture {
    char dir[64];
    char path[80];
    struct stage *s;
    struct err e;
};

static int start(void **state) {
    static struct fixture f;

    f = (struct fixture){.dir = "/tmp/cdvm-test-untar-XXXXXX"};
    assert_non_null(mkdtemp(f.dir));
    snprintf(f.path, sizeof f.path, "%s/tree", f.dir);
    f.s = stage_new(f.path, MAX_BYTES, &f.e);
    assert_non_null(f.s);
    *state = &f;
    return 0;
}

static int stop(void **state) {
    struct fixture *f = *state;

    stage_free(f->s);
    assert_int_equal(rmdir(f->dir), 0); /* nothing beside the tree */
    return 0;
}

/* type: f file, d folder, s link, h hard link, c device, p pipe; x: an executable file */
struct entry {
    char type;
    const char *name, *what;
};

static void set_type(struct archive_entry *n, const struct entry *t) {
    switch (t->type) {
    case 's':
        archive_entry_set_filetype(n, AE_IFLNK);
        archive_entry_set_symlink(n, t->what);
        break;
    case 'h':
        archive_entry_set_filetype(n, AE_IFREG);
        archive_entry_set_hardlink(n, t->what);
        break;
    case 'd':
        archive_entry_set_filetype(n, AE_IFDIR);
        break;
    case 'c':
        archive_entry_set_filetype(n, AE_IFCHR);
        break;
    case 'p':
        archive_entry_set_filetype(n, AE_IFIFO);
        break;
    default:
        archive_entry_set_filetype(n, AE_IFREG);
        archive_entry_set_size(n, (la_int64_t)strlen(t->what));
    }
    archive_entry_set_perm(n, t->type == 'x' ? 04711 : 0600);
}

static int make_tar(const struct entry *list, size_t n, int filter) {
    int fd = memfd_create("tar", MFD_CLOEXEC);
    struct archive *a = archive_write_new();

    assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
    assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname(entry, list[i].name);
        set_type(entry, &list[i]);
        assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
        if (list[i].type == 'f' || list[i].type == 'x')
            assert_int_equal(archive_write_data(a, list[i].what, strlen(list[i].what)),
                             strlen(list[i].what));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return fd;
}

static int take(struct fixture *f, const struct entry *list, size_t n, enum untar_as as) {
    struct untar u = {.stage = f->s, .as = as, .max = MAX_BYTES};
    int fd = make_tar(list, n, ARCHIVE_FILTER_NONE), rc;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    rc = untar(&u, fd, &f->e);
    close(fd);
    return rc;
}
#define TAKE(f, as, ...)                                                                           \
    take(f, (const struct entry[]){__VA_ARGS__},                                                   \
         sizeof((const struct entry[]){__VA_ARGS__}) / sizeof(struct entry), as)

/* A layer as pack takes it: first what it takes away. */
#define LAYER(f, ...)                                                                              \
    do {                                                                                           \
        assert_int_equal(TAKE(f, UNTAR_WHITEOUTS, __VA_ARGS__), 0);                                \
        assert_int_equal(TAKE(f, UNTAR_LAYER, __VA_ARGS__), 0);                                    \
    } while (0)

static char *whole(const struct fixture *f, const char *name) {
    return mem_fmt("%s/%s", f->path, name);
}

/* "-" nothing there, "d" a folder, "l:target", or the file's contents with '*' when executable. */
static void holds(const struct fixture *f, const char *name, const char *want) {
    cleanup_free char *path = whole(f, name);
    cleanup_buf struct buf got = {0};
    char link[256];
    struct stat st;
    ssize_t n;

    if (lstat(path, &st) < 0) {
        buf_str(&got, "-");
    } else if (S_ISDIR(st.st_mode)) {
        buf_str(&got, "d");
    } else if (S_ISLNK(st.st_mode)) {
        n = readlink(path, link, sizeof link);
        buf_fmt(&got, "l:%.*s", (int)n, link);
    } else {
        assert_int_equal(st.st_mode & 07022, 0);
        assert_int_equal(file_read(path, 1000, &got, NULL), 0);
        buf_str(&got, st.st_mode & 0111 ? "*" : "");
    }
    if (strcmp(got.p ? (char *)got.p : "", want))
        fail_msg("%s is '%s', not '%s'", name, (char *)got.p, want);
}

static void layers_lie_on_each_other(void **state) {
    struct fixture *f = *state;

    LAYER(f, {'d', "./", ""}, {'d', "a/", ""}, {'f', "a/one", "1"}, {'x', "a/run", "#!"},
          {'s', "link", "a/one"}, {'h', "hard", "a/one"}, {'f', "b/c/deep", "deep"});
    holds(f, "a/one", "1");
    holds(f, "a/run", "#!*");
    holds(f, "link", "l:a/one");
    holds(f, "hard", "1");
    holds(f, "b/c/deep", "deep");
    LAYER(f, {'f', "a/one", "2"}, {'f', "a/.wh.run", ""}, {'f', ".wh.link", ""},
          {'s', "b", "a"}); /* a folder gives way to a link */
    holds(f, "a/one", "2");
    holds(f, "hard", "1"); /* the file, not the name, was shared */
    holds(f, "a/run", "-");
    holds(f, "link", "-");
    holds(f, "b", "l:a");
    LAYER(f, {'d', "a/", ""}, {'d', "hard", ""},
          {'f', "hard/now/a/folder", "x"}); /* a file does to a folder */
    holds(f, "a/one", "2");
    holds(f, "hard/now/a/folder", "x");
}

static void an_opaque_folder_hides_what_was_below(void **state) {
    struct fixture *f = *state;

    LAYER(f, {'f', "d/old", "1"}, {'f', "d/sub/old", "1"}, {'f', "e", "1"});
    LAYER(f, {'f', "d/new", "2"}, {'f', "d/.wh..wh..opq", ""}, {'f', "d/sub/new", "2"});
    holds(f, "d/old", "-");
    holds(f, "d/sub/old", "-");
    holds(f, "d/new", "2"); /* though it came before */
    holds(f, "d/sub/new", "2");
    holds(f, "e", "1");
    LAYER(f, {'f', ".wh..wh..opq", ""});
    holds(f, "d", "-");
    holds(f, "e", "-");
}

static void whiteouts_of_nothing_do_nothing(void **state) {
    struct fixture *f = *state;

    LAYER(f, {'f', "a", "1"}, {'f', ".wh.none", ""}, {'f', "no/such/.wh.x", ""},
          {'f', "none/.wh..wh..opq", ""}, {'f', ".wh..wh.plnk", ""}, {'f', ".wh..wh.aufs", ""});
    holds(f, "a", "1");
    holds(f, ".wh.none", "-");
    holds(f, ".wh..wh.plnk", "-");
    assert_int_equal(TAKE(f, UNTAR_PLAIN, {'f', ".wh.a", "kept"}), 0); /* no layer: a name */
    holds(f, ".wh.a", "kept");
    holds(f, "a", "1");
}

static void whiteouts_stay_inside(void **state) {
    struct fixture *f = *state;

    LAYER(f, {'f', "etc/kept", "1"}, {'s', "out", "/etc"}, {'s', "up", "../../../../etc"});
    LAYER(f, {'f', "out/.wh.kept", ""}, {'f', "up/.wh.passwd", ""});
    holds(f, "etc/kept", "-"); /* the link leads to the tree's own folder */
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    assert_int_equal(TAKE(f, UNTAR_WHITEOUTS, {'f', "a/.wh...", ""}), -1);
    assert_int_equal(TAKE(f, UNTAR_WHITEOUTS, {'f', "a/.wh..", ""}), -1);
    assert_int_equal(TAKE(f, UNTAR_WHITEOUTS, {'f', "a/.wh.", ""}), -1);
    assert_int_equal(TAKE(f, UNTAR_WHITEOUTS, {'f', "../.wh.tree", ""}), -1);
    holds(f, "etc", "d");
}

static void links_are_followed_inside_only(void **state) {
    struct fixture *f = *state;

    assert_int_equal(TAKE(f, UNTAR_PLAIN, {'d', "usr/lib", ""}, {'s', "lib", "usr/lib"},
                          {'s', "abs", "/usr/lib"}, {'s', "up", "../../usr/lib"},
                          {'f', "lib/1", "1"}, {'f', "abs/2", "2"}, {'f', "up/3", "3"}),
                     0);
    holds(f, "usr/lib/1", "1");
    holds(f, "usr/lib/2", "2");
    holds(f, "usr/lib/3", "3");
    assert_int_equal(TAKE(f, UNTAR_PLAIN, {'s', "loop", "loop"}, {'f', "loop/x", "x"}), -1);
    assert_int_equal(TAKE(f, UNTAR_PLAIN, {'s', "away", "/nowhere/at/all"}, {'f', "away/x", "x"}),
                     -1);
    assert_non_null(strstr(f->e.text, "leads nowhere"));
    assert_int_equal(TAKE(f, UNTAR_PLAIN, {'s', "self", "/proc/self/root"}, {'f', "self/x", "x"}),
                     -1);
}

static void what_leads_out_is_refused(void **state) {
    static const struct entry rows[] = {
        {'f', "../x", "1"},
        {'f', "a/../../x", "1"},
        {'f', "a/..", "1"},
        {'f', "/tmp/x", "1"},
        {'d', "..", ""},
        {'s', "../x", "y"},
        {'h', "x", "../../etc/hosts"},
        {'h', "x", "/etc/hosts"},
        {'h', "x", "none"},
        {'h', "x", "."},
        {'c', "null", ""},
        {'c', "etc/dev/null", ""},
        {'p', "pipe", ""},
        {'f', "./", "1"},
        {'s', ".", "x"},
        {'c', "devil/null", ""},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (take(f, &rows[i], 1, UNTAR_PLAIN) != -1)
            fail_msg("row %zu was taken", i);
        if (strcmp(f->e.code, "bad-archive"))
            fail_msg("row %zu: %s: %s", i, f->e.code, f->e.text);
    }
}

static void devices_of_dev_are_left_out(void **state) {
    static const struct entry list[] = {
        {'c', "./dev/null", ""}, {'p', "dev/initctl", ""}, {'f', "dev/file", "1"}};
    struct fixture *f = *state;
    struct untar u = {.stage = f->s, .max = MAX_BYTES};
    int fd = make_tar(list, COUNT(list), ARCHIVE_FILTER_GZIP);

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(untar(&u, fd, &f->e), 0);
    assert_int_equal(u.devices, 2);
    holds(f, "dev/null", "-");
    holds(f, "dev/file", "1");
    close(fd);
}

static void no_more_than_allowed_is_unpacked(void **state) {
    struct fixture *f = *state;
    cleanup_free char *big = mem_new(MAX_BYTES / 2 + 1);
    struct entry two[] = {{'f', "a", big}, {'f', "b", big}}, layer[] = {{'f', ".wh.x", big}};

    memset(big, 'z', MAX_BYTES / 2);
    assert_int_equal(take(f, two, 2, UNTAR_PLAIN), 0);
    assert_int_equal(stage_bytes(f->s), MAX_BYTES);
    assert_int_equal(TAKE(f, UNTAR_PLAIN, {'f', "c", "1"}), -1);
    assert_string_equal(f->e.code, "too-large");
    assert_int_equal(take(f, layer, 1, UNTAR_WHITEOUTS), 0); /* read past, but counted too */
    {
        struct untar u = {.stage = f->s, .as = UNTAR_WHITEOUTS, .max = 1000};
        int fd = make_tar(layer, 1, ARCHIVE_FILTER_ZSTD);

        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(untar(&u, fd, &f->e), -1);
        assert_string_equal(f->e.code, "too-large");
        close(fd);
    }
}

/* Every cut of an archive, and every kind of compression. */
static void cut_archives_are_refused(void **state) {
    static const struct entry list[] = {{'f', "a", "some text that is long enough"},
                                        {'f', "b", "more"}};
    static const int filters[] = {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(filters); i++) {
        int fd = make_tar(list, COUNT(list), filters[i]);
        off_t n = lseek(fd, 0, SEEK_END);

        for (off_t cut = n - 12; cut > 0; cut -= 7) {
            struct untar u = {.stage = f->s, .max = MAX_BYTES};

            assert_int_equal(ftruncate(fd, cut), 0);
            assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
            assert_int_equal(untar(&u, fd, &f->e), -1);
        }
        close(fd);
    }
}

static void names_are_utf8_whatever_the_locale(void **state) {
    static const struct entry list[] = {{'f', "gr\xc3\xbc\xc3\x9f.txt", "1"}};
    struct fixture *f = *state;
    struct untar u = {.stage = f->s, .max = MAX_BYTES};
    int fd;

    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    fd = make_tar(list, 1, ARCHIVE_FILTER_NONE); /* a pax header holds the name */
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(untar(&u, fd, &f->e), 0);
    holds(f, list[0].name, "1");
    close(fd);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(layers_lie_on_each_other),        CASE(an_opaque_folder_hides_what_was_below),
        CASE(whiteouts_of_nothing_do_nothing), CASE(whiteouts_stay_inside),
        CASE(links_are_followed_inside_only),  CASE(what_leads_out_is_refused),
        CASE(devices_of_dev_are_left_out),     CASE(no_more_than_allowed_is_unpacked),
        CASE(cut_archives_are_refused),        CASE(names_are_utf8_whatever_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
