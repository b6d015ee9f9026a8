#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/enc.h"
#include "rundir.h"

static void short_hex(const uint8_t key[static 32], char out[static 17]) {
    hex_encode(view_of(key, 8), out);
}

/* A folder of ours that nobody else can enter; an existing one must be exactly that. */
static int private_dir(const char *path, struct err *e) {
    struct stat st;

    if (mkdir(path, 0700) == 0)
        return 0;
    if (errno != EEXIST || lstat(path, &st) < 0)
        return err_sys(e, errno, "cannot make the folder '%s'", path);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
        return err_set(e, "bad-dir", "'%s' is not a private folder of this user: remove it", path);
    return 0;
}

char *rundir_base(const uint8_t provider[static 32], struct err *e) {
    cleanup_free char *root = conf_path(CONF_RUNTIME, NULL, e);
    char key[17], *base;

    if (!root)
        return NULL;
    short_hex(provider, key);
    base = mem_fmt("%s/%s", root, key);
    if (private_dir(base, e) == 0)
        return base;
    free(base);
    return NULL;
}

char *rundir_make(const char *base, const uint8_t job[static 32], struct err *e) {
    char id[17], *path;

    short_hex(job, id);
    path = mem_fmt("%s/%s", base, id);
    if (mkdir(path, 0700) == 0)
        return path;
    err_sys(e, errno, "cannot make the run directory '%s'", path);
    free(path);
    return NULL;
}

/* Run directories are flat: a folder inside one is not ours to follow. */
static void empty(const char *path) {
    DIR *d = opendir(path);
    struct dirent *f;

    if (!d)
        return;
    while ((f = readdir(d)))
        if (strcmp(f->d_name, ".") && strcmp(f->d_name, ".."))
            (void)unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
}

bool rundir_remove(const char *path) {
    empty(path);
    return rmdir(path) == 0 || errno == ENOENT;
}

size_t rundir_sweep(const char *base) {
    DIR *d = opendir(base);
    struct dirent *f;
    size_t n = 0;

    while (d && (f = readdir(d))) {
        cleanup_free char *path = mem_fmt("%s/%s", base, f->d_name);

        if (strlen(f->d_name) == 16 && rundir_remove(path))
            n++;
    }
    if (d)
        closedir(d);
    return n;
}
