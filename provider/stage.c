#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/text.h"

#define KEEP_FREE ((uint64_t)64 << 20)
#define LOOK_EVERY ((uint64_t)16 << 20) /* bytes between two looks at the free space */
#define DEPTH_MAX 256                   /* of folders that are removed */

struct stage {
    char *path;
    int root;
    uint64_t max, bytes, looked;
    unsigned entries;
};

/* --- names --- */

static int bad_name(const char *name, const char *why, struct err *e) {
    cleanup_free char *safe = text_safe_new(view_str(name), TEXT_LINE, 80);

    return err_set(e, "bad-archive", "the name '%s' %s", safe, why);
}

/* Takes the next part of a name; NULL at the end. "." and empty parts do not count. */
static char *next_part(char **rest) {
    char *part;

    while ((part = strsep(rest, "/")))
        if (*part && strcmp(part, "."))
            return part;
    return NULL;
}

/* The parts joined again by single slashes: "./a//b/" is "a/b". NULL when it is refused. */
static char *clean_name(const char *name, struct err *e) {
    cleanup_free char *copy = mem_str(name);
    struct buf out = {.max = STAGE_PATH_MAX};
    char *rest = copy, *part;

    buf_str(&out, "");
    if (name[0] == '/')
        bad_name(name, "is absolute", e);
    else {
        while ((part = next_part(&rest)) && strcmp(part, "..")) {
            buf_str(&out, out.n ? "/" : "");
            buf_str(&out, part);
        }
        if (!part && !out.full)
            return buf_take(&out);
        bad_name(name, part ? "leads out of its folder" : "is too long", e);
    }
    buf_free(&out);
    return NULL;
}

/* --- places: the folder above, as a descriptor, and the last part --- */

struct place {
    int folder;
    char *clean;
    const char *last; /* in clean; "" for the root itself */
};

static int open_in_root(int root, const char *path, int flags) {
    struct open_how how = {.flags = (unsigned)flags | (unsigned)O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

    return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
}

/* One folder deeper: `path` as the root sees it, of which `part` is the last in `above`. A link
 * that leads nowhere is not made good. */
static int deeper(const struct stage *s, int above, const char *path, const char *part) {
    int fd = open_in_root(s->root, path, O_PATH | O_DIRECTORY);

    if (fd < 0 && errno == ENOENT && mkdirat(above, part, 0755) == 0)
        fd = open_in_root(s->root, path, O_PATH | O_DIRECTORY);
    return fd;
}

/* The folder of a clean path, made where it is absent; -1 with errno. */
static int make_folders(const struct stage *s, char *path) {
    int at = open_in_root(s->root, "", O_PATH | O_DIRECTORY);

    for (char *part = path; at >= 0 && *part;) {
        char *end = strchrnul(part, '/'), kept = *end;
        int next;

        *end = 0;
        next = deeper(s, at, path, part);
        *end = kept;
        close(at);
        at = next;
        part = kept ? end + 1 : end;
    }
    return at;
}

static void place_free(struct place *p) {
    if (p->folder >= 0)
        close(p->folder);
    free(p->clean);
}
#define cleanup_place __attribute__((cleanup(place_free)))

/* `p` is to be {.folder = -1} before. Without `make` -1 also means that there is no such folder. */
static int find_place(const struct stage *s, const char *name, bool make, struct place *p,
                      struct err *e) {
    char root[] = "", *slash;

    p->clean = clean_name(name, e);
    if (!p->clean)
        return -1;
    slash = strrchr(p->clean, '/');
    p->last = slash ? slash + 1 : p->clean;
    if (slash)
        *slash = 0;
    p->folder = make ? make_folders(s, slash ? p->clean : root)
                     : open_in_root(s->root, slash ? p->clean : root, O_PATH | O_DIRECTORY);
    if (p->folder >= 0)
        return 0;
    if (errno == EEXIST || errno == ELOOP)
        return bad_name(name, "goes through a link that leads nowhere", e);
    return err_sys(e, errno, "cannot open the folder of '%.200s'", p->last);
}

/* --- making and removing the whole --- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f) {
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

struct stage *stage_new(const char *path, uint64_t max_bytes, struct err *e) {
    struct stage *s;

    if (mkdir(path, 0700) < 0) {
        err_sys(e, errno, "cannot make the folder '%s'", path);
        return NULL;
    }
    s = mem_new(sizeof *s);
    *s = (struct stage){.path = mem_str(path),
                        .root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
                        .max = max_bytes};
    if (s->root >= 0 && chmod(path, 0755) == 0)
        return s;
    err_sys(e, errno, "cannot open the folder '%s'", path);
    stage_free(s);
    return NULL;
}

void stage_keep(struct stage *s) {
    if (s->root >= 0)
        close(s->root);
    free(s->path);
    free(s);
}

void stage_free(struct stage *s) {
    if (!s)
        return;
    nftw(s->path, remove_one, DEPTH_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    stage_keep(s);
}

const char *stage_path(const struct stage *s) {
    return s->path;
}

uint64_t stage_bytes(const struct stage *s) {
    return s->bytes;
}

/* --- what is there already --- */

static int remove_at(int folder, const char *name, unsigned depth);

static int empty_at(int folder, const char *name, unsigned depth) {
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *f;

    if (!d)
        return -1;
    while (rc == 0 && (f = readdir(d)))
        if (strcmp(f->d_name, ".") && strcmp(f->d_name, ".."))
            rc = remove_at(dirfd(d), f->d_name, depth + 1);
    closedir(d);
    return rc;
}

static int remove_at(int folder, const char *name, unsigned depth) {
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR || depth > DEPTH_MAX || empty_at(folder, name, depth) < 0)
        return -1;
    return unlinkat(folder, name, AT_REMOVEDIR);
}

static int count_entry(struct stage *s, struct err *e) {
    if (++s->entries > STAGE_ENTRIES_MAX)
        return err_set(e, "too-large", "there are more than %u files and folders",
                       STAGE_ENTRIES_MAX);
    return 0;
}

/* The place of a new entry, with nothing there. */
static int clear_place(struct stage *s, const char *name, struct place *p, struct err *e) {
    if (count_entry(s, e) < 0 || find_place(s, name, true, p, e) < 0)
        return -1;
    if (!*p->last)
        return bad_name(name, "is that of the folder itself", e);
    if (remove_at(p->folder, p->last, 0) < 0)
        return err_sys(e, errno, "cannot replace '%.200s'", p->last);
    return 0;
}

/* --- entries --- */

static bool is_folder(const struct place *p) {
    struct stat st;

    return fstatat(p->folder, p->last, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static int make_folder(const struct place *p, struct err *e) {
    if (remove_at(p->folder, p->last, 0) < 0 || mkdirat(p->folder, p->last, 0755) < 0)
        return err_sys(e, errno, "cannot make the folder '%.200s'", p->last);
    return 0;
}

int stage_folder(struct stage *s, const char *name, struct err *e) {
    cleanup_place struct place p = {.folder = -1};

    if (count_entry(s, e) < 0 || find_place(s, name, true, &p, e) < 0)
        return -1;
    return !*p.last || is_folder(&p) ? 0 : make_folder(&p, e);
}

int stage_symlink(struct stage *s, const char *name, const char *target, struct err *e) {
    cleanup_place struct place p = {.folder = -1};

    if (clear_place(s, name, &p, e) < 0)
        return -1;
    if (!*target || strlen(target) >= STAGE_PATH_MAX)
        return bad_name(name, "is that of a link without a proper target", e);
    return symlinkat(target, p.folder, p.last) ? err_sys(e, errno, "cannot link '%.200s'", p.last)
                                               : 0;
}

int stage_link(struct stage *s, const char *name, const char *target, struct err *e) {
    cleanup_place struct place p = {.folder = -1}, to = {.folder = -1};
    struct stat st;

    if (find_place(s, target, false, &to, e) < 0)
        return -1;
    if (fstatat(to.folder, to.last, &st, AT_SYMLINK_NOFOLLOW) || S_ISDIR(st.st_mode))
        return bad_name(name, "is a second name for a file that is not there", e);
    if (clear_place(s, name, &p, e) < 0)
        return -1;
    return linkat(to.folder, to.last, p.folder, p.last, 0)
               ? err_sys(e, errno, "cannot link '%.200s'", p.last)
               : 0;
}

int stage_file(struct stage *s, const char *name, bool executable, struct err *e) {
    cleanup_place struct place p = {.folder = -1};
    int fd;

    if (clear_place(s, name, &p, e) < 0)
        return -1;
    fd = openat(p.folder, p.last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                executable ? 0755 : 0644);
    return fd < 0 ? err_sys(e, errno, "cannot make '%.200s'", p.last) : fd;
}

static int look_at_space(struct stage *s, struct err *e) {
    struct statvfs v;

    if (s->bytes - s->looked < LOOK_EVERY && s->looked)
        return 0;
    s->looked = s->bytes;
    if (fstatvfs(s->root, &v) || (uint64_t)v.f_bavail * v.f_frsize >= KEEP_FREE)
        return 0;
    return err_set(e, "no-space", "the disk of '%s' is full: free some space", s->path);
}

int stage_write(struct stage *s, int fd, struct view data, struct err *e) {
    if (data.n > s->max - s->bytes)
        return err_set(e, "too-large", "it unpacks to more than %llu MiB (--max-size)",
                       (unsigned long long)(s->max >> 20));
    s->bytes += data.n;
    return look_at_space(s, e) < 0 ? -1 : fd_write_all(fd, data, e);
}

int stage_put(struct stage *s, const char *name, struct view data, struct err *e) {
    cleanup_fd int fd = stage_file(s, name, false, e);

    return fd < 0 ? -1 : stage_write(s, fd, data, e);
}

/* --- removing --- */

int stage_remove(struct stage *s, const char *name, struct err *e) {
    cleanup_place struct place p = {.folder = -1};

    if (find_place(s, name, false, &p, e) < 0)
        return p.clean ? 0 : -1;
    if (!*p.last)
        return bad_name(name, "is that of the folder itself", e);
    return remove_at(p.folder, p.last, 0) ? err_sys(e, errno, "cannot remove '%.200s'", p.last) : 0;
}

int stage_empty(struct stage *s, const char *name, struct err *e) {
    cleanup_place struct place p = {.folder = -1};

    if (find_place(s, name, false, &p, e) < 0)
        return p.clean ? 0 : -1;
    if (empty_at(p.folder, *p.last ? p.last : ".", 0) < 0 && errno != ENOENT && errno != ENOTDIR &&
        errno != ELOOP)
        return err_sys(e, errno, "cannot empty '%.200s'", p.last);
    return 0;
}

int stage_open(const struct stage *s, const char *name) {
    struct stat st;
    int fd = open_in_root(s->root, name, O_RDONLY | O_NONBLOCK);

    if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}
