/* A host's files made of its description in tests/hosts: a line `FILE = LINE` writes a file, `FILE
 * + LINE` adds to it, `FILE ~ LINE` puts it for the one with the same first word, `LINK ->
 * TARGET` links, `FILE -` removes, `FILE @ VALUE` is the first window of
 * a GH100 with that in its CC register, `FOLDER < NAME` is all of another description; # starts a
 * comment.
 */
#ifndef CDVM_TEST_HOST_H
#define CDVM_TEST_HOST_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "tests/unit/unit.h"

static void host_folders(const char *path) {
    cleanup_free char *p = mem_str(path);

    for (char *s = strchr(p + 1, '/'); s; s = strchr(s + 1, '/')) {
        *s = 0;
        assert_true(mkdir(p, 0755) == 0 || errno == EEXIST);
        *s = '/';
    }
}

static void host_write(const char *path, const char *line, int flags) {
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "%s\n", line), (int)strlen(line) + 1);
}

/* Where a GH100 says that it has started, and its mode. */
static void host_register(const char *path, const char *value) {
    static const uint32_t started = 0xff;
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint32_t v = (uint32_t)strtoul(value, NULL, 0);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 2 << 20), 0);
    assert_int_equal(pwrite(fd, &started, 4, 0x200bc), 4);
    assert_int_equal(pwrite(fd, &v, 4, 0x1182cc), 4);
}

/* The other lines, and this one. */
static void host_replace(const char *path, const char *line) {
    cleanup_buf struct buf text = {0};
    size_t word = strcspn(line, " ") + 1;
    char *rest, *had;

    assert_int_equal(file_read(path, 65536, &text, NULL), 0);
    rest = (char *)text.p;
    host_write(path, line, O_TRUNC);
    while ((had = strsep(&rest, "\n")))
        if (*had && strncmp(had, line, word) != 0)
            host_write(path, had, O_APPEND);
}

static void host_apply(const char *root, const char *name);

static void host_change(const char *sys, const char *line) {
    size_t n = strcspn(line, " ");
    cleanup_free char *path = mem_fmt("%s/%.*s", sys, (int)n, line);
    const char *op = line + n;

    assert_true(*op);
    host_folders(path);
    if (!strcmp(op, " -")) { /* with the folder, where it was the last one there */
        assert_int_equal(remove(path), 0);
        *strrchr(path, '/') = 0;
        (void)!rmdir(path);
    } else if (!strncmp(op, " < ", 3)) {
        host_apply(path, op + 3);
    } else if (!strncmp(op, " ~ ", 3)) {
        host_replace(path, op + 3);
    } else if (!strncmp(op, " @ ", 3)) {
        host_register(path, op + 3);
    } else if (!strncmp(op, " -> ", 4)) {
        (void)!unlink(path);
        assert_int_equal(symlink(op + 4, path), 0);
    } else {
        assert_true(!strncmp(op, " = ", 3) || !strncmp(op, " + ", 3));
        host_write(path, op + 3, op[1] == '=' ? O_TRUNC : O_APPEND);
    }
}

static void host_apply(const char *root, const char *name) {
    cleanup_free char *from = mem_fmt("tests/hosts/%s.tree", name);
    cleanup_buf struct buf text = {0};
    char *line, *rest;

    assert_int_equal(file_read(from, 65536, &text, NULL), 0);
    rest = (char *)text.p;
    while ((line = strsep(&rest, "\n")))
        if (*line && *line != '#')
            host_change(root, line);
}

/* The root of the tree; owned. */
static inline char *host_make(const char *name) {
    char *sys = mem_str("/tmp/cdvm-test-host-XXXXXX");

    assert_non_null(mkdtemp(sys));
    host_apply(sys, name);
    return sys;
}

static inline void host_remove(char *sys) {
    assert_int_equal(remove_tree(sys), 0);
    free(sys);
}

#endif
