#include "treecopy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

#define BLOCK ((size_t)1 << 20)

struct copying {
    struct stage *s;
    treecopy_told *told;
    void *arg;
};

static int copy_bytes(const struct copying *c, int from, int to, struct err *e) {
    cleanup_free uint8_t *block = mem_new(BLOCK);
    ssize_t n;

    while ((n = read(from, block, BLOCK)) > 0) {
        if (stage_write(c->s, to, view_of(block, (size_t)n), e) < 0)
            return -1;
        if (c->told)
            c->told(c->arg, stage_bytes(c->s));
    }
    return n < 0 ? err_sys(e, errno, "cannot read it") : 0;
}

static int copy_file(const struct copying *c, const char *name, const char *from, int flags,
                     struct err *e) {
    cleanup_fd int in = open(from, O_RDONLY | O_CLOEXEC | flags), out = -1;
    struct stat st;

    if (in < 0 || fstat(in, &st) < 0)
        return err_sys(e, errno, "cannot open it");
    if (!S_ISREG(st.st_mode))
        return err_set(e, "bad-archive", "it is not a file");
    out = stage_file(c->s, name, st.st_mode & 0111, e);
    return out < 0 ? -1 : copy_bytes(c, in, out, e);
}

static int copy_link(const struct copying *c, const char *name, const char *from, struct err *e) {
    char target[PATH_MAX];
    ssize_t n = readlink(from, target, sizeof target - 1);

    if (n < 0)
        return err_sys(e, errno, "cannot read the link");
    target[n] = 0;
    return stage_symlink(c->s, name, target, e);
}

static int copy_entry(const struct copying *c, const FTSENT *f, const char *name, struct err *e) {
    switch (f->fts_info) {
    case FTS_D:
        return stage_folder(c->s, name, e);
    case FTS_DP:
        return 0;
    case FTS_F:
        return copy_file(c, name, f->fts_accpath, O_NOFOLLOW, e);
    case FTS_SL:
    case FTS_SLNONE:
        return copy_link(c, name, f->fts_accpath, e);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return err_sys(e, f->fts_errno, "cannot be read");
    default:
        return err_set(e, "bad-archive", "it is a device, pipe or socket");
    }
}

static int copy_all(const struct copying *c, FTS *tree, size_t above, struct err *e) {
    FTSENT *f;

    while ((errno = 0, f = fts_read(tree))) {
        const char *name = f->fts_path + above;

        name += strspn(name, "/");
        if (copy_entry(c, f, *name ? name : ".", e) < 0) {
            cleanup_free char *safe = text_safe_new(view_str(f->fts_path), TEXT_LINE, 120);

            return err_wrap(e, "%s", safe);
        }
    }
    return errno ? err_sys(e, errno, "cannot list the folder") : 0;
}

int treecopy(struct stage *s, const char *folder, treecopy_told *told, void *arg, struct err *e) {
    cleanup_free char *root = mem_str(folder);
    char *roots[] = {root, NULL};
    struct copying c = {s, told, arg};
    struct stat st;
    FTS *tree;
    int rc;

    if (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode))
        return err_set(e, "bad-archive", "'%s' is not a folder", folder);
    tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    if (!tree)
        return err_sys(e, errno, "cannot list '%s'", folder);
    rc = copy_all(&c, tree, strlen(root), e);
    fts_close(tree);
    return rc;
}

int treecopy_file(struct stage *s, const char *name, const char *from, treecopy_told *told,
                  void *arg, struct err *e) {
    struct copying c = {s, told, arg};

    return copy_file(&c, name, from, 0, e) < 0 ? err_wrap(e, "%s", from) : 0;
}
