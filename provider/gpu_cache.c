#include "gpu_cache.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "attest/gpu_verify.h"
#include "core/conf.h"
#include "core/log.h"

#define ENTRIES 1024 /* of one folder that are looked at */

static const struct {
    enum collateral_kind kind;
    const char *folder, *ending;
    size_t max;
} kinds[] = {{COLL_RIM, "gpu/rim", ".xml", GPU_RIMS},
             {COLL_OCSP, "gpu/ocsp", ".der", GPU_OCSPS},
             {COLL_GPU_CRL, "gpu/crl", ".crl", GPU_CRLS}};

struct found {
    char *path;
    struct timespec when;
};

static bool has_ending(const char *name, const char *ending) {
    const size_t n = strlen(name), k = strlen(ending);

    return n > k && !strcmp(name + n - k, ending) && name[0] != '.';
}

/* Newest first; of files of one moment by name, so that every job gets the same. */
static int by_age(const void *a, const void *b) {
    const struct found *x = a, *y = b;

    if (x->when.tv_sec != y->when.tv_sec)
        return x->when.tv_sec < y->when.tv_sec ? 1 : -1;
    if (x->when.tv_nsec != y->when.tv_nsec)
        return x->when.tv_nsec < y->when.tv_nsec ? 1 : -1;
    return strcmp(x->path, y->path);
}

static size_t list_folder(const char *folder, const char *ending, struct found **out) {
    DIR *d = opendir(folder);
    struct dirent *entry;
    size_t n = 0;

    *out = NULL;
    while (d && n < ENTRIES && (entry = readdir(d))) {
        char *path;
        struct stat st;

        if (!has_ending(entry->d_name, ending))
            continue;
        path = mem_fmt("%s/%s", folder, entry->d_name);
        if (stat(path, &st) || !S_ISREG(st.st_mode)) {
            free(path);
            continue;
        }
        *out = mem_grow(*out, (n + 1) * sizeof **out);
        (*out)[n++] = (struct found){path, st.st_mtim};
    }
    if (d)
        closedir(d);
    if (n)
        qsort(*out, n, sizeof **out, by_age);
    return n;
}

/* False when it is left out; room is what may still be added. */
static bool add_file(struct collateral *c, enum collateral_kind kind, const char *path,
                     size_t *room) {
    cleanup_buf struct buf b = {0};
    struct err e;

    if (file_read(path, COLLATERAL_FILE_MAX, &b, &e)) {
        log_line(LOG_WARN, "gpu", "left out: %s", e.text);
        return false;
    }
    if (b.n > *room || !collateral_add(c, kind, buf_view(&b))) {
        log_line(LOG_WARN, "gpu", "%s is left out: it is empty, or there is more than fits", path);
        return false;
    }
    *room -= b.n;
    return true;
}

size_t gpu_cache_add(const char *dir, struct collateral *c) {
    cleanup_free char *own = dir ? NULL : conf_path(CONF_CACHE, "collateral", NULL);
    size_t added = 0, room = GPU_CACHE_MAX;

    if (!dir)
        dir = own;
    for (size_t k = 0; dir && k < COUNT(kinds); k++) {
        cleanup_free char *folder = mem_fmt("%s/%s", dir, kinds[k].folder);
        struct found *file;
        const size_t n = list_folder(folder, kinds[k].ending, &file);
        size_t taken = 0;

        for (size_t i = 0; i < n; i++) {
            if (taken < kinds[k].max)
                taken += add_file(c, kinds[k].kind, file[i].path, &room);
            free(file[i].path);
        }
        free(file);
        added += taken;
    }
    return added;
}
